import React from 'react';

import { Tone } from '../format';
import { statusIcons } from '../icons';

/** An icon for a status; the word beside it says the same to those who cannot see it. */
export function StatusIcon({ tone }: { tone: Tone }): React.JSX.Element {
  const Icon = statusIcons[tone].react;
  return (
    <span className="jp-BentoStatusIcon" data-tone={tone} aria-hidden="true">
      <Icon tag="span" />
    </span>
  );
}
