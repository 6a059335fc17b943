import { caretRightIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { age, modeTitle, statusWord, toneOf } from '../format';
import { Detail, IDetailProps } from './Detail';
import { StatusIcon } from './StatusIcon';

/** Properties of a row. */
export interface IRowProps extends IDetailProps {
  open: boolean;
  onToggle: (open: boolean) => void;
}

/** One deployment in the list; opens to everything about it. */
export function Row(props: IRowProps): React.JSX.Element {
  const { deployment, now, onToggle, open, trans } = props;
  const id = `jp-BentoRow-${deployment.name}`;
  const tone = toneOf(deployment.status);
  const ready =
    deployment.ready + deployment.wanted === 0
      ? trans.__('no instance')
      : trans.__('%1/%2 ready', deployment.ready, deployment.wanted);
  return (
    <li
      className="jp-BentoRow"
      data-deployment={deployment.name}
      data-status={deployment.status}
    >
      <button
        type="button"
        id={`${id}-toggle`}
        className="jp-BentoRow-toggle"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => onToggle(!open)}
      >
        <caretRightIcon.react tag="span" className="jp-BentoRow-caret" />
        <span className="jp-BentoRow-name" title={deployment.name}>
          {deployment.name}
        </span>
        <span className="jp-BentoRow-age">
          {age(deployment.created_at, now, trans)}
        </span>
        <span className="jp-BentoRow-line">
          <span className="jp-BentoRow-status" data-tone={tone}>
            <StatusIcon tone={tone} />
            {statusWord(deployment.status, trans)}
          </span>
          <span className="jp-BentoRow-ready">{ready}</span>
        </span>
        <span className="jp-BentoRow-line jp-mod-dim">
          <span>{modeTitle(deployment.mode, trans)}</span>
          <span className="jp-BentoRow-bento" title={deployment.bento}>
            {deployment.bento}
          </span>
        </span>
      </button>
      {open && (
        <div
          id={id}
          className="jp-BentoDetail"
          role="region"
          aria-labelledby={`${id}-toggle`}
        >
          <Detail {...props} />
        </div>
      )}
    </li>
  );
}
