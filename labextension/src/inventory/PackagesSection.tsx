import type { TranslationBundle } from '@jupyterlab/translation';
import { ellipsesIcon, runIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { PackageKind } from '../api';
import { age, memory, moment } from '../format';
import type { IBento, IPackage } from '../payloads';

/** What can be done with a Bento or a model. */
export interface IPackageActions {
  deploy: (bento: IBento) => void;

  /** Opens the menu of a Bento or a model at a point of the window. */
  menu: (kind: PackageKind, tag: string, x: number, y: number) => void;
}

/** Bentos and models of the cloud, and Bentos of the local store. */
export function PackagesSection(props: {
  actions: IPackageActions;
  bentos: readonly IBento[];
  models: readonly IPackage[];
  now: number;
  problem: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { actions, bentos, models, now, problem, trans } = props;
  return (
    <div className="jp-BentoInventory">
      {problem && (
        <p className="jp-BentoProblem" role="alert">
          {problem}
        </p>
      )}
      <Packages
        count={bentos.length}
        none={trans.__('There are none: %bento_build makes one.')}
        title={trans.__('Bentos')}
      >
        {bentos.map(bento => (
          <Package
            key={bento.tag}
            actions={actions}
            item={bento}
            kind="bentos"
            facts={bentoFacts(bento, now, trans)}
            badge={<ProofBadge bento={bento} trans={trans} />}
            trans={trans}
          >
            {bento.status === 'success' && (
              <button
                type="button"
                className="jp-BentoIconButton"
                title={trans.__('Deploy %1…', bento.tag)}
                aria-label={trans.__('Deploy %1…', bento.tag)}
                onClick={() => actions.deploy(bento)}
              >
                <runIcon.react tag="span" />
              </button>
            )}
          </Package>
        ))}
      </Packages>
      <Packages
        count={models.length}
        none={trans.__('There are none.')}
        title={trans.__('Models')}
      >
        {models.map(model => (
          <Package
            key={model.tag}
            actions={actions}
            item={model}
            kind="models"
            facts={modelFacts(model, now, trans)}
            trans={trans}
          />
        ))}
      </Packages>
    </div>
  );
}

function Packages(props: {
  children: React.ReactNode;
  count: number;
  none: string;
  title: string;
}): React.JSX.Element {
  const { children, count, none, title } = props;
  return (
    <section>
      <h4>
        {title} <span className="jp-BentoGroup-count">{count}</span>
      </h4>
      {count === 0 ? (
        <p className="jp-BentoNone">{none}</p>
      ) : (
        <ul aria-label={title}>{children}</ul>
      )}
    </section>
  );
}

/** One Bento or model. */
function Package(props: {
  actions: IPackageActions;
  badge?: React.ReactNode;
  children?: React.ReactNode;
  facts: string;
  item: IPackage;
  kind: PackageKind;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { actions, badge, children, facts, item, kind, trans } = props;
  const { tag } = item;
  return (
    <li
      className="jp-BentoItem"
      data-tag={tag}
      onContextMenu={event => {
        event.preventDefault();
        event.stopPropagation();
        actions.menu(kind, tag, event.clientX, event.clientY);
      }}
    >
      <div className="jp-BentoItem-text">
        <span className="jp-BentoItem-name">
          <span title={tag}>{tag}</span>
          {badge}
        </span>
        <small title={facts}>{facts}</small>
      </div>
      <span className="jp-BentoItem-actions">
        {children}
        <button
          type="button"
          className="jp-BentoIconButton"
          title={trans.__('Actions of %1', tag)}
          aria-label={trans.__('Actions of %1', tag)}
          aria-haspopup="menu"
          onClick={event => {
            const { left, bottom } =
              event.currentTarget.getBoundingClientRect();
            actions.menu(kind, tag, left, bottom);
          }}
        >
          <ellipsesIcon.react tag="span" />
        </button>
      </span>
    </li>
  );
}

/** That a Bento was proven, or is known to answer otherwise than the notebook did. */
function ProofBadge(props: {
  bento: IBento;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { bento, trans } = props;
  const { proof } = bento;
  if (proof === null) {
    return null;
  }
  return (
    <span
      className="jp-BentoBadge"
      data-tone={proof.equal ? 'ok' : 'failed'}
      title={trans.__('%1, on %2', proof.line, moment(proof.at))}
    >
      {proof.equal ? trans.__('✓ proven') : trans.__('✗ different')}
    </span>
  );
}

/** Size, age and users of a Bento, or why it is not there. */
function bentoFacts(
  bento: IBento,
  now: number,
  trans: TranslationBundle
): string {
  if (bento.status !== 'success') {
    return bento.reason || bento.status;
  }
  return [
    ...(bento.in_cloud ? [] : [trans.__('in the local store only')]),
    memory(bento.size_bytes, trans),
    age(bento.created_at, now, trans),
    ...(bento.used_by.length > 0
      ? [trans.__('deployed as %1', bento.used_by.join(', '))]
      : [])
  ].join(' · ');
}

/** Size, age and users of a model, or why it is not there. */
function modelFacts(
  model: IPackage,
  now: number,
  trans: TranslationBundle
): string {
  if (model.status !== 'success') {
    return model.reason || model.status;
  }
  return [
    memory(model.size_bytes, trans),
    age(model.created_at, now, trans),
    ...(model.used_by.length > 0
      ? [trans.__('needed by %1', model.used_by.join(', '))]
      : [])
  ].join(' · ');
}
