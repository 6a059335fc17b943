import type { TranslationBundle } from '@jupyterlab/translation';
import { copyIcon, deleteIcon, runIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { PackageKind } from '../api';
import { age, memory } from '../format';
import type { IPackage } from '../payloads';

/** What can be done with a Bento or a model. */
export interface IPackageActions {
  copy: (text: string) => void;
  deploy: (tag: string) => void;
  delete: (kind: PackageKind, tag: string) => void;
}

/** Bentos and models of the cloud. */
export function PackagesSection(props: {
  actions: IPackageActions;
  bentos: readonly IPackage[];
  models: readonly IPackage[];
  now: number;
  problem: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { bentos, models, problem, trans } = props;
  return (
    <div className="jp-BentoInventory">
      {problem && (
        <p className="jp-BentoProblem" role="alert">
          {problem}
        </p>
      )}
      <Packages
        {...props}
        kind="bentos"
        items={bentos}
        title={trans.__('Bentos')}
      />
      <Packages
        {...props}
        kind="models"
        items={models}
        title={trans.__('Models')}
      />
    </div>
  );
}

function Packages(props: {
  actions: IPackageActions;
  items: readonly IPackage[];
  kind: PackageKind;
  now: number;
  title: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { actions, items, kind, now, title, trans } = props;
  return (
    <section>
      <h4>
        {title} <span className="jp-BentoGroup-count">{items.length}</span>
      </h4>
      {items.length === 0 ? (
        <p className="jp-BentoNone">{trans.__('There are none.')}</p>
      ) : (
        <ul aria-label={title}>
          {items.map(item => (
            <li key={item.tag} className="jp-BentoItem">
              <div className="jp-BentoItem-text">
                <span className="jp-BentoItem-name" title={item.tag}>
                  {item.tag}
                </span>
                <small>{facts(item, kind, now, trans)}</small>
              </div>
              <span className="jp-BentoItem-actions">
                {kind === 'bentos' && item.status === 'success' && (
                  <button
                    type="button"
                    className="jp-BentoIconButton"
                    title={trans.__('Deploy %1…', item.tag)}
                    aria-label={trans.__('Deploy %1…', item.tag)}
                    onClick={() => actions.deploy(item.tag)}
                  >
                    <runIcon.react tag="span" />
                  </button>
                )}
                <button
                  type="button"
                  className="jp-BentoIconButton"
                  title={trans.__('Copy tag %1', item.tag)}
                  aria-label={trans.__('Copy tag %1', item.tag)}
                  onClick={() => actions.copy(item.tag)}
                >
                  <copyIcon.react tag="span" />
                </button>
                <button
                  type="button"
                  className="jp-BentoIconButton"
                  disabled={item.used_by.length > 0}
                  title={trans.__('Delete %1…', item.tag)}
                  aria-label={trans.__('Delete %1…', item.tag)}
                  onClick={() => actions.delete(kind, item.tag)}
                >
                  <deleteIcon.react tag="span" />
                </button>
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Size, age and users of a package, or why it is not there. */
function facts(
  item: IPackage,
  kind: PackageKind,
  now: number,
  trans: TranslationBundle
): string {
  if (item.status !== 'success') {
    return item.reason || item.status;
  }
  const words = [
    memory(item.size_bytes, trans),
    age(item.created_at, now, trans)
  ];
  if (item.used_by.length > 0) {
    const users = item.used_by.join(', ');
    words.push(
      kind === 'bentos'
        ? trans.__('deployed as %1', users)
        : trans.__('needed by %1', users)
    );
  }
  return words.join(' · ');
}
