import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Action, Connection, IProblem } from '../tokens';
import { CopyButton } from './CopyButton';
import { ProblemNote } from './ProblemNote';

/** What starts the cloud in a notebook. */
const START = '%bento_cloud start';

/** What brings the server extension to life. */
const INSTALL = [
  'pip install bento-jupyter',
  'jupyter server extension enable bento_jupyter',
  'jupyter server extension list'
].join('\n');

/** Properties of a notice. */
export interface INoticeProps {
  /** The cloud that is shown; empty for the embedded one. */
  cloud: string;
  connection: Connection;
  message: string;
  onRestartCloud: () => void;
  onRetry: () => void;
  onShowEmbedded: () => void;
  onStartCloud: () => void;
  pending: Action | null;
  problem: IProblem | null;
  trans: TranslationBundle;
}

/** What is said in place of the list while the cloud does not run; null when it does. */
export function Notice(props: INoticeProps): React.JSX.Element | null {
  const {
    cloud,
    connection,
    message,
    onRestartCloud,
    onRetry,
    onShowEmbedded,
    onStartCloud,
    pending,
    problem,
    trans
  } = props;
  const start = (
    <button
      type="button"
      className="jp-mod-styled jp-mod-accept"
      disabled={pending !== null}
      onClick={onStartCloud}
    >
      {startLabel(pending, trans)}
    </button>
  );
  const retry = (
    <button
      type="button"
      className="jp-mod-styled jp-mod-reject"
      onClick={onRetry}
    >
      {trans.__('Retry')}
    </button>
  );
  if (cloud !== '' && ['unreachable', 'refused'].includes(connection)) {
    return (
      <section className="jp-BentoNotice">
        <h3>
          {connection === 'refused'
            ? trans.__('%1 refuses the token', cloud)
            : trans.__('%1 does not answer', cloud)}
        </h3>
        <p>{message}</p>
        {retry}
        <button
          type="button"
          className="jp-mod-styled jp-mod-reject"
          onClick={onShowEmbedded}
        >
          {trans.__('Show the embedded cloud')}
        </button>
      </section>
    );
  }
  switch (connection) {
    case 'loading':
    case 'running':
      return null;
    case 'stopped':
      return (
        <section className="jp-BentoNotice">
          <h3>{trans.__('The cloud is not running')}</h3>
          <p>
            {trans.__(
              'Your own small cloud turns models of a notebook into endpoints that other programs call. It runs on this machine and stays when notebooks close.'
            )}
          </p>
          {start}
          {problem && <ProblemNote problem={problem} />}
          <p className="jp-BentoNotice-aside">
            {trans.__('In a notebook, this starts it as well:')}
          </p>
          <pre>{START}</pre>
        </section>
      );
    case 'unreachable':
      return (
        <section className="jp-BentoNotice">
          <h3>{trans.__('The cloud does not answer')}</h3>
          <p>{message}</p>
          {retry}
          {problem && <ProblemNote problem={problem} />}
        </section>
      );
    case 'refused':
      return (
        <section className="jp-BentoNotice">
          <h3>{trans.__('The cloud refuses the token')}</h3>
          <p>{message}</p>
          <p>
            {trans.__(
              'It runs with another token than the one in its home. When it starts again it takes that one; deployments and their addresses stay, and are away for that moment.'
            )}
          </p>
          <button
            type="button"
            className="jp-mod-styled jp-mod-accept"
            disabled={pending !== null}
            onClick={onRestartCloud}
          >
            {pending === null
              ? trans.__('Restart the cloud and log in')
              : startLabel(pending, trans)}
          </button>
          {retry}
          {problem && <ProblemNote problem={problem} />}
        </section>
      );
    case 'missing':
      return (
        <section className="jp-BentoNotice">
          <h3>{trans.__('The server half is missing')}</h3>
          <p>
            {trans.__(
              'This Jupyter server does not have the extension bento_jupyter. Where the server is installed, run these and restart it:'
            )}
          </p>
          <div className="jp-BentoSnippet">
            <pre>{INSTALL}</pre>
            <CopyButton
              label={trans.__('Copy commands')}
              text={INSTALL}
              trans={trans}
            />
          </div>
          {retry}
        </section>
      );
    case 'offline':
      return (
        <section className="jp-BentoNotice">
          <h3>{trans.__('The Jupyter server does not answer')}</h3>
          <p>{message}</p>
          {retry}
        </section>
      );
  }
}

function startLabel(pending: Action | null, trans: TranslationBundle): string {
  switch (pending) {
    case 'start':
      return trans.__('Starting…');
    case 'stop':
      return trans.__('Stopping…');
    default:
      return trans.__('Start the cloud');
  }
}
