import React from 'react';

import { linePath } from './scale';

const WIDTH = 44;
const HEIGHT = 14;

/** A line without words; what it shows is said in words beside it. */
export const Sparkline = React.memo(function Sparkline(props: {
  points: readonly number[];
}): React.JSX.Element {
  const most = Math.max(1, ...props.points);
  return (
    <svg
      className="jp-BentoSparkline"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`}
      aria-hidden="true"
    >
      <path d={linePath(props.points, most, WIDTH, HEIGHT)} />
    </svg>
  );
});
