import React from 'react';

import { Tone } from '../format';
import { statusIcons } from '../icons';

/**
 * An icon for a status; the word beside it says the same to those who cannot see it.
 * null is a status that is not known: its place stays empty.
 */
export function StatusIcon({ tone }: { tone: Tone | null }): React.JSX.Element {
  const Icon = tone === null ? null : statusIcons[tone].react;
  return (
    <span className="jp-BentoStatusIcon" data-tone={tone} aria-hidden="true">
      {Icon && <Icon tag="span" />}
    </span>
  );
}
