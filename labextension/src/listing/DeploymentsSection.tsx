import type { TranslationBundle } from '@jupyterlab/translation';
import { caretRightIcon } from '@jupyterlab/ui-components';
import React, { useMemo, useState } from 'react';

import { CopyButton } from '../components/CopyButton';
import { Notice } from '../components/Notice';
import { ProblemNote } from '../components/ProblemNote';
import { cloudOption } from '../format';
import type { IDeployment } from '../payloads';
import type { IBentoDeployments } from '../tokens';
import { IView, Line, PLAIN_VIEW, arrange } from './arrange';
import { DeploymentRow, IRowActions, rowLabel } from './DeploymentRow';
import { FilterBar } from './FilterBar';
import { IDescription, ITreeItem, VirtualTree } from './VirtualTree';

/** The first line of a user's first deployment. */
const FIRST = '%load_ext bento_jupyter\n%bento_deploy model --sample X';

/** From how many deployments on a filter helps. */
const WORTH_FILTERING = 4;

/** What can be done in the section. */
export interface ISectionActions extends IRowActions {
  refresh: () => void;
  restartCloud: () => void;
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
    () => arrange(deployments, view, trans).map(line => itemOf(line, compact)),
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
  const first = FIRST + cloudOption(model.cloud);
  return (
    <div
      className={stale ? 'jp-BentoSection jp-mod-stale' : 'jp-BentoSection'}
      aria-busy={connection === 'loading'}
    >
      <Notice
        cloud={model.cloud}
        connection={connection}
        message={model.message}
        onRestartCloud={actions.restartCloud}
        onRetry={actions.refresh}
        onShowEmbedded={() => {
          model.cloud = '';
        }}
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
            <pre>{first}</pre>
            <CopyButton
              label={trans.__('Copy example')}
              text={first}
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
            describe={({ line }) => describe(line, trans)}
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

function itemOf(line: Line, compact: boolean): IItem {
  const { key, position, size } = line;
  return line.kind === 'group'
    ? { key, level: 1, position, size, expanded: line.open, height: 24, line }
    : {
        key,
        level: line.level,
        position,
        size,
        height: compact ? 26 : 44,
        line
      };
}

function describe(line: Line, trans: TranslationBundle): IDescription {
  if (line.kind === 'group') {
    const { count, title } = line;
    return {
      label: trans._n('%2, %1 deployment', '%2, %1 deployments', count, title)
    };
  }
  const { deployment } = line;
  return {
    label: rowLabel(deployment, trans),
    data: {
      'data-deployment': deployment.name,
      'data-status': deployment.status
    }
  };
}
