import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { toneOfConnection } from '../format';
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
      <StatusIcon
        tone={
          model.pending('cloud') === null
            ? toneOfConnection(model.connection)
            : 'busy'
        }
      />
      <span role="status" aria-live="polite">
        {sentence(model, trans)}
      </span>
    </div>
  );
}

function sentence(model: IBentoDeployments, trans: TranslationBundle): string {
  const { connection, overview } = model;
  const cloud = model.cloud || trans.__('Cloud');
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
      return model.cloud
        ? trans.__('Looking for %1…', model.cloud)
        : trans.__('Looking for the cloud…');
    case 'running': {
      const deployments = overview?.deployments ?? [];
      const answering = deployments.filter(({ healthy }) => healthy).length;
      return deployments.length === 0
        ? trans.__('%1 is running', cloud)
        : trans.__(
            '%1 is running · %2 of %3 answer',
            cloud,
            answering,
            deployments.length
          );
    }
    case 'stopped':
      return trans.__('%1 is not running', cloud);
    case 'unreachable':
      return trans.__('%1 does not answer', cloud);
    case 'refused':
      return model.cloud
        ? trans.__('%1: log in again', cloud)
        : trans.__('%1 refuses the token', cloud);
    case 'missing':
      return trans.__('Server extension is missing');
    case 'offline':
      return trans.__('Jupyter server does not answer');
  }
}
