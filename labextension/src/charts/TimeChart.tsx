import React, { useState } from 'react';

import { linePath, ticks } from './scale';

/** One line of a chart. */
export interface ILine {
  /** Which of the chart's colours, 1 to 4. */
  colour: 1 | 2 | 3 | 4;
  name: string;
  values: readonly (number | null)[];
}

const WIDTH = 320;
const HEIGHT = 96;
const LEFT = 46;
const TOP = 6;

/** Lines over time, with a value for the moment under the pointer. */
export function TimeChart(props: {
  /** When each value is, milliseconds since the epoch. */
  at: readonly number[];
  format: (value: number) => string;
  lines: readonly ILine[];
  title: string;
}): React.JSX.Element {
  const { at, format, lines, title } = props;
  const [pointed, setPointed] = useState<number | null>(null);
  const most = Math.max(
    0,
    ...lines.flatMap(({ values }) => values.map(value => value ?? 0))
  );
  const marks = ticks(most);
  const top = marks[marks.length - 1] ?? 1;
  const last = at.length - 1;
  const place = pointed ?? last;
  return (
    <figure className="jp-BentoChart" aria-label={title}>
      <figcaption>
        <span className="jp-BentoChart-title">{title}</span>
        <span className="jp-BentoChart-legend">
          {lines.map(({ colour, name, values }) => {
            const value = values[place] ?? null;
            return (
              <span key={name} data-colour={colour}>
                {name} <b>{value === null ? '–' : format(value)}</b>
              </span>
            );
          })}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${LEFT + WIDTH + 4} ${TOP + HEIGHT + 18}`}
        role="img"
        aria-label={summary(props)}
        onMouseMove={event => {
          const box = event.currentTarget.getBoundingClientRect();
          const scale = (LEFT + WIDTH + 4) / box.width;
          const x = (event.clientX - box.left) * scale - LEFT;
          const index = Math.round((x / WIDTH) * last);
          setPointed(index < 0 || index > last ? null : index);
        }}
        onMouseLeave={() => setPointed(null)}
      >
        {marks.map(mark => {
          const y = TOP + HEIGHT - (mark / top) * HEIGHT;
          return (
            <g key={mark} className="jp-BentoChart-mark">
              <line x1={LEFT} x2={LEFT + WIDTH} y1={y} y2={y} />
              <text x={LEFT - 6} y={y + 3} textAnchor="end">
                {format(mark)}
              </text>
            </g>
          );
        })}
        <g transform={`translate(${LEFT} ${TOP})`}>
          {lines.map(({ colour, name, values }) => (
            <path
              key={name}
              className="jp-BentoChart-line"
              data-colour={colour}
              d={linePath(values, top, WIDTH, HEIGHT)}
            />
          ))}
          {pointed !== null && (
            <line
              className="jp-BentoChart-pointer"
              x1={(pointed / last) * WIDTH}
              x2={(pointed / last) * WIDTH}
              y1={0}
              y2={HEIGHT}
            />
          )}
        </g>
        {[0, last].map(index => (
          <text
            key={index}
            className="jp-BentoChart-time"
            x={index === 0 ? LEFT : LEFT + WIDTH}
            y={TOP + HEIGHT + 13}
            textAnchor={index === 0 ? 'start' : 'end'}
          >
            {clock(at[index] ?? 0)}
          </text>
        ))}
        {pointed !== null && pointed > last * 0.2 && pointed < last * 0.8 && (
          <text
            className="jp-BentoChart-time"
            x={LEFT + (pointed / last) * WIDTH}
            y={TOP + HEIGHT + 13}
            textAnchor="middle"
          >
            {clock(at[pointed] ?? 0)}
          </text>
        )}
      </svg>
    </figure>
  );
}

/** What the chart says at its end, for those who do not see it. */
function summary(props: {
  format: (value: number) => string;
  lines: readonly ILine[];
  title: string;
}): string {
  const { format, lines, title } = props;
  const said = lines.map(({ name, values }) => {
    const value = values[values.length - 1] ?? null;
    return `${name} ${value === null ? '–' : format(value)}`;
  });
  return `${title}: ${said.join(', ')}`;
}

function clock(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}
