import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { age, duration, phaseWord } from '../format';
import type { IColdStart } from '../payloads';

/** How long the newest cold start took, and with what. */
export function ColdStart(props: {
  coldStart: IColdStart;
  now: number;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { coldStart, now, trans } = props;
  return (
    <>
      <p className="jp-BentoColdStart-total">
        <strong>{duration(coldStart.seconds, trans)}</strong>
        <span>{age(coldStart.at, now, trans)}</span>
      </p>
      <div className="jp-BentoColdStart-bar" aria-hidden="true">
        {coldStart.phases.map(([phase, seconds]) => (
          <span key={phase} data-phase={phase} style={{ flexGrow: seconds }} />
        ))}
      </div>
      <ul className="jp-BentoColdStart-phases">
        {coldStart.phases.map(([phase, seconds]) => (
          <li key={phase} data-phase={phase}>
            {phaseWord(phase, trans)} <span>{duration(seconds, trans)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
