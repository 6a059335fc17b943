import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IBentoDeployments } from '../tokens';
import { CopyButton } from './CopyButton';
import type { IDeploymentActions } from './Detail';
import { Notice } from './Notice';
import { Row } from './Row';

/** The first line of a user's first deployment. */
const FIRST = '%load_ext bento_jupyter\n%bento_deploy model --sample X';

/** What can be done in the panel. */
export interface IPanelActions extends IDeploymentActions {
  refresh: () => void;
  startCloud: () => void;
}

/** All deployments, or what there is to say instead. */
export function DeploymentList(props: {
  actions: IPanelActions;
  model: IBentoDeployments;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { actions, model, trans } = props;
  const { connection, overview } = model;
  const stale = connection === 'offline';
  const deployments =
    connection === 'running' || stale ? (overview?.deployments ?? []) : [];
  const now = Date.now();
  return (
    <div className="jp-BentoDeployments" aria-busy={connection === 'loading'}>
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
        <ul
          className={stale ? 'jp-BentoList jp-mod-stale' : 'jp-BentoList'}
          aria-label={trans.__('Deployments')}
        >
          {deployments.map(listed => {
            const { name } = listed;
            const detail = model.detail(name);
            return (
              <Row
                key={name}
                actions={actions}
                deployment={detail?.deployment ?? listed}
                lines={detail?.lines ?? null}
                now={now}
                onToggle={open => model.setOpen(name, open)}
                open={model.isOpen(name)}
                pending={model.pending({ deployment: name })}
                problem={model.problem({ deployment: name })}
                trans={trans}
              />
            );
          })}
        </ul>
      )}
    </div>
  );
}
