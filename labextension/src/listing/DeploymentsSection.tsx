import type { TranslationBundle } from '@jupyterlab/translation';
import { caretRightIcon } from '@jupyterlab/ui-components';
import React, { useMemo, useState } from 'react';

import { CopyButton } from '../components/CopyButton';
import { Notice } from '../components/Notice';
import { ProblemNote } from '../components/ProblemNote';
import type { IDeployment } from '../payloads';
import type { IBentoDeployments } from '../tokens';
import { IView, Line, PLAIN_VIEW, arrange } from './arrange';
import { DeploymentRow, IRowActions, rowLabel } from './DeploymentRow';
import { FilterBar } from './FilterBar';
import { ITreeItem, VirtualTree } from './VirtualTree';

/** The first line of a user's first deployment. */
const FIRST = '%load_ext bento_jupyter\n%bento_deploy model --sample X';

/** From how many deployments on a filter helps. */
const WORTH_FILTERING = 4;

/** What can be done in the section. */
export interface ISectionActions extends IRowActions {
  refresh: () => void;
  startCloud: () => void;
}

interface IItem extends ITreeItem {
  line: Line;
}

/** All deployments, or what there is to say instead. */
export function DeploymentsSection(props: {
  actions: ISectionActions;
  compact: boolean;
  model: IBentoDeployments;

  /** Other deployments are on the screen. */
  onShown: (names: readonly string[]) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { actions, compact, model, trans } = props;
  const { connection, overview } = model;
  const [view, setView] = useState<IView>(PLAIN_VIEW);
  const stale = connection === 'offline';
  const deployments = useMemo<readonly IDeployment[]>(
    () =>
      connection === 'running' || stale ? (overview?.deployments ?? []) : [],
    [connection, overview, stale]
  );
  const items = useMemo(
    () =>
      arrange(deployments, view, trans).map(line =>
        itemOf(line, compact, trans)
      ),
    [deployments, view, compact, trans]
  );
  const toggle = (item: IItem, open: boolean): void => {
    const closed = new Set(view.closed);
    if (open) {
      closed.delete(item.key);
    } else {
      closed.add(item.key);
    }
    setView({ ...view, closed });
  };
  const problem =
    model.current === null
      ? null
      : model.problem({ deployment: model.current });
  const now = Date.now();
  return (
    <div
      className={stale ? 'jp-BentoSection jp-mod-stale' : 'jp-BentoSection'}
      aria-busy={connection === 'loading'}
    >
      <Notice
        connection={connection}
        message={model.message}
        onRetry={actions.refresh}
        onStartCloud={actions.startCloud}
        pending={model.pending('cloud')}
        problem={model.problem('cloud')}
        trans={trans}
      />
      {connection === 'running' && deployments.length === 0 && (
        <section className="jp-BentoNotice">
          <h3>{trans.__('No deployments yet')}</h3>
          <p>
            {trans.__(
              'Run this in a notebook, with a model and a sample of its input:'
            )}
          </p>
          <div className="jp-BentoSnippet">
            <pre>{FIRST}</pre>
            <CopyButton
              label={trans.__('Copy example')}
              text={FIRST}
              trans={trans}
            />
          </div>
        </section>
      )}
      {deployments.length > 0 && (
        <>
          {(deployments.length >= WORTH_FILTERING || view !== PLAIN_VIEW) && (
            <FilterBar view={view} onChange={setView} trans={trans} />
          )}
          {problem !== null && <ProblemNote problem={problem} />}
          {items.length === 0 && (
            <p className="jp-BentoSection-none" role="status">
              {trans.__('No deployment fits the filter.')}{' '}
              <button
                type="button"
                className="jp-BentoLink"
                onClick={() => setView(PLAIN_VIEW)}
              >
                {trans.__('Show all')}
              </button>
            </p>
          )}
          <VirtualTree<IItem>
            className="jp-BentoDeployments"
            current={model.current}
            items={items}
            label={trans.__('Deployments')}
            onCurrent={item => {
              model.current = item.key;
            }}
            onOpen={item => actions.open(item.key)}
            onShown={shown =>
              props.onShown(
                shown
                  .filter(({ line }) => line.kind === 'deployment')
                  .map(({ key }) => key)
              )
            }
            onToggle={toggle}
            render={({ line }) =>
              line.kind === 'group' ? (
                <span className="jp-BentoGroup">
                  <caretRightIcon.react
                    tag="span"
                    className="jp-BentoGroup-caret"
                  />
                  {line.title}
                  <span className="jp-BentoGroup-count">{line.count}</span>
                </span>
              ) : (
                <DeploymentRow
                  actions={actions}
                  compact={compact}
                  deployment={line.deployment}
                  now={now}
                  pending={model.pending({ deployment: line.key })}
                  traffic={model.traffic(line.key)}
                  trans={trans}
                />
              )
            }
          />
        </>
      )}
    </div>
  );
}

function itemOf(line: Line, compact: boolean, trans: TranslationBundle): IItem {
  if (line.kind === 'group') {
    const { key, open, position, size } = line;
    return {
      key,
      level: 1,
      position,
      size,
      expanded: open,
      label: trans._n(
        '%2, %1 deployment',
        '%2, %1 deployments',
        line.count,
        line.title
      ),
      height: 24,
      line
    };
  }
  const { deployment, key, level, position, size } = line;
  return {
    key,
    level,
    position,
    size,
    label: rowLabel(deployment, trans),
    height: compact ? 26 : 44,
    data: {
      'data-deployment': deployment.name,
      'data-status': deployment.status
    },
    line
  };
}
