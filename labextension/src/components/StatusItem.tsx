import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { toneOf } from '../format';
import { bentoIcon } from '../icons';
import type { IDeployment } from '../payloads';

/** How many deployments answer, and how many do not. */
export function StatusItem(props: {
  deployments: readonly IDeployment[];
  onOpen: () => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { deployments, onOpen, trans } = props;
  const healthy = deployments.filter(deployment => deployment.healthy).length;
  const failed = deployments.filter(
    ({ status }) => toneOf(status) === 'failed'
  ).length;
  const label =
    failed === 0
      ? trans.__('%1 of %2 deployments answer', healthy, deployments.length)
      : trans.__(
          '%1 of %2 deployments answer, %3 failed',
          healthy,
          deployments.length,
          failed
        );
  return (
    <button
      type="button"
      className="jp-BentoStatusItem"
      title={label}
      aria-label={label}
      onClick={onOpen}
    >
      <bentoIcon.react tag="span" />
      <span>
        {healthy}/{deployments.length}
      </span>
      {failed > 0 && (
        <span className="jp-BentoStatusItem-failed">
          {trans._n('%1 failed', '%1 failed', failed)}
        </span>
      )}
    </button>
  );
}
