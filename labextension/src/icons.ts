import { LabIcon } from '@jupyterlab/ui-components';

import bento from '../style/icons/bento.svg';
import details from '../style/icons/details.svg';
import restart from '../style/icons/restart.svg';
import scale from '../style/icons/scale.svg';
import busy from '../style/icons/status-busy.svg';
import failed from '../style/icons/status-failed.svg';
import idle from '../style/icons/status-idle.svg';
import off from '../style/icons/status-off.svg';
import ok from '../style/icons/status-ok.svg';
import switched from '../style/icons/switch.svg';
import type { Tone } from './format';

/** A box with compartments: the panel's icon. */
export const bentoIcon = new LabIcon({
  name: 'bento-jupyter:bento',
  svgstr: bento
});

/** An icon per tone; they differ in shape, so that colour alone carries nothing. */
export const statusIcons: Record<Tone, LabIcon> = {
  ok: new LabIcon({ name: 'bento-jupyter:status-ok', svgstr: ok }),
  idle: new LabIcon({ name: 'bento-jupyter:status-idle', svgstr: idle }),
  busy: new LabIcon({ name: 'bento-jupyter:status-busy', svgstr: busy }),
  failed: new LabIcon({ name: 'bento-jupyter:status-failed', svgstr: failed }),
  off: new LabIcon({ name: 'bento-jupyter:status-off', svgstr: off })
};

/** A page with lines: details. */
export const detailsIcon = new LabIcon({
  name: 'bento-jupyter:details',
  svgstr: details
});

/** An arrow that goes round: new instances. */
export const restartIcon = new LabIcon({
  name: 'bento-jupyter:restart',
  svgstr: restart
});

/** Bars that grow: another number of instances. */
export const scaleIcon = new LabIcon({
  name: 'bento-jupyter:scale',
  svgstr: scale
});

/** Two arrows: the other mode. */
export const switchIcon = new LabIcon({
  name: 'bento-jupyter:switch',
  svgstr: switched
});
