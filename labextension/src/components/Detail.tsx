import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { curlSnippet, modeTitle, scalingText } from '../format';
import type { IDeployment, ILogLine } from '../payloads';
import type { Action, IProblem } from '../tokens';
import { ColdStart } from './ColdStart';
import { CopyButton } from './CopyButton';
import { Instances } from './Instances';
import { LogTail } from './LogTail';
import { ProblemNote } from './ProblemNote';

/** What can be done with a deployment. */
export interface IDeploymentActions {
  start: (name: string) => void;
  terminate: (name: string) => void;
}

/** Properties of an open row. */
export interface IDetailProps {
  actions: IDeploymentActions;
  pending: Action | null;
  deployment: IDeployment;
  /** Null until they are there. */
  lines: ILogLine[] | null;
  now: number;
  problem: IProblem | null;
  trans: TranslationBundle;
}

/** Everything about one deployment. */
export function Detail(props: IDetailProps): React.JSX.Element {
  const { actions, deployment, lines, now, pending, problem, trans } = props;
  const snippet = curlSnippet(deployment);
  const terminated = deployment.status === 'terminated';
  return (
    <>
      {deployment.reason && (
        <p className="jp-BentoDetail-reason">{deployment.reason}</p>
      )}
      {deployment.url !== null && (
        <div className="jp-BentoUrl">
          <a href={deployment.url} target="_blank" rel="noreferrer">
            {deployment.url}
          </a>
          <CopyButton
            label={trans.__('Copy URL of %1', deployment.name)}
            text={deployment.url}
            trans={trans}
          />
        </div>
      )}
      <dl className="jp-BentoFacts">
        <dt>{trans.__('Health')}</dt>
        <dd>
          {deployment.healthy
            ? trans.__('Answers requests')
            : trans.__('Does not answer')}
        </dd>
        <dt>{trans.__('Bento')}</dt>
        <dd className="jp-BentoFacts-bento">
          <code>{deployment.bento}</code>
          <CopyButton
            label={trans.__('Copy Bento tag of %1', deployment.name)}
            text={deployment.bento}
            trans={trans}
          />
        </dd>
        <dt>{trans.__('Mode')}</dt>
        <dd>
          {modeTitle(deployment.mode, trans)}
          <br />
          <span className="jp-BentoFacts-more">
            {scalingText(deployment.scaling, trans)}
          </span>
        </dd>
        <dt>{trans.__('Requests')}</dt>
        <dd>
          {trans.__(
            '%1 answered, %2 failed',
            deployment.requests,
            deployment.errors
          )}
          {deployment.in_flight + deployment.queued > 0 && (
            <>
              <br />
              <span className="jp-BentoFacts-more">
                {trans.__(
                  '%1 in work, %2 waiting',
                  deployment.in_flight,
                  deployment.queued
                )}
              </span>
            </>
          )}
        </dd>
        <dt>{trans.__('Access')}</dt>
        <dd>
          {deployment.protected
            ? trans.__('With a token')
            : trans.__('Without a token')}
        </dd>
      </dl>

      <h4>{trans.__('Instances')}</h4>
      <Instances instances={deployment.instances} now={now} trans={trans} />

      {deployment.last_cold_start && (
        <>
          <h4>{trans.__('Last cold start')}</h4>
          <ColdStart
            coldStart={deployment.last_cold_start}
            now={now}
            trans={trans}
          />
        </>
      )}

      {snippet !== null && (
        <>
          <h4>{trans.__('Call it')}</h4>
          <div className="jp-BentoSnippet">
            <pre
              tabIndex={0}
              aria-label={trans.__('Command that calls %1', deployment.name)}
            >
              {snippet}
            </pre>
            <CopyButton
              label={trans.__('Copy command that calls %1', deployment.name)}
              text={snippet}
              trans={trans}
            />
          </div>
        </>
      )}

      <h4>{trans.__('Log')}</h4>
      {lines === null ? (
        <p className="jp-BentoDetail-none">{trans.__('Loading…')}</p>
      ) : (
        <LogTail
          label={trans.__('Last log lines of %1', deployment.name)}
          lines={lines}
          trans={trans}
        />
      )}

      {problem && <ProblemNote problem={problem} />}
      <div className="jp-BentoDetail-actions">
        {terminated ? (
          <button
            type="button"
            className="jp-mod-styled jp-mod-accept"
            disabled={pending !== null}
            onClick={() => actions.start(deployment.name)}
          >
            {pending === 'start' ? trans.__('Starting…') : trans.__('Start')}
          </button>
        ) : (
          <button
            type="button"
            className="jp-mod-styled jp-mod-reject"
            disabled={pending !== null || deployment.status === 'terminating'}
            onClick={() => actions.terminate(deployment.name)}
          >
            {pending === 'stop'
              ? trans.__('Terminating…')
              : trans.__('Terminate…')}
          </button>
        )}
      </div>
    </>
  );
}
