import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Tone } from '../format';
import type { IBentoDeployments } from '../tokens';
import { StatusIcon } from './StatusIcon';

/** One line about the cloud; read out when it changes. */
export function StatusLine(props: {
  model: IBentoDeployments;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { model, trans } = props;
  return (
    <div className="jp-BentoStatusLine">
      <StatusIcon tone={tone(model)} />
      <span role="status" aria-live="polite">
        {sentence(model, trans)}
      </span>
    </div>
  );
}

function tone(model: IBentoDeployments): Tone {
  if (model.pending('cloud') !== null) {
    return 'busy';
  }
  switch (model.connection) {
    case 'loading':
      return 'busy';
    case 'running':
      return 'ok';
    case 'stopped':
      return 'off';
    default:
      return 'failed';
  }
}

function sentence(model: IBentoDeployments, trans: TranslationBundle): string {
  const { connection, overview } = model;
  switch (model.pending('cloud')) {
    case 'start':
      return trans.__('Starting the cloud…');
    case 'stop':
      return trans.__('Stopping the cloud…');
    default:
      break;
  }
  switch (connection) {
    case 'loading':
      return trans.__('Looking for the cloud…');
    case 'running': {
      const deployments = overview?.deployments ?? [];
      const answering = deployments.filter(({ healthy }) => healthy).length;
      return deployments.length === 0
        ? trans.__('Cloud is running')
        : trans.__(
            'Cloud is running · %1 of %2 answer',
            answering,
            deployments.length
          );
    }
    case 'stopped':
      return trans.__('Cloud is not running');
    case 'unreachable':
      return trans.__('Cloud does not answer');
    case 'missing':
      return trans.__('Server extension is missing');
    case 'offline':
      return trans.__('Jupyter server does not answer');
  }
}
