import React, { useLayoutEffect, useRef } from 'react';

import { logLine } from '../format';
import type { ILogLine } from '../payloads';

/** Lines of a log; stays at the end unless the reader scrolled up. */
export function LogTail(props: {
  label: string;
  lines: readonly ILogLine[];

  /** What is said when there are none. */
  none: string;
}): React.JSX.Element {
  const { label, lines } = props;
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    if (box.current && follows.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [lines]);
  if (lines.length === 0) {
    return <p className="jp-BentoNone">{props.none}</p>;
  }
  return (
    <pre
      ref={box}
      className="jp-BentoLog"
      role="log"
      tabIndex={0}
      aria-label={label}
      onScroll={event => {
        const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
        follows.current = scrollHeight - scrollTop - clientHeight < 8;
      }}
    >
      {lines.map((line, index) => {
        const { time, text } = logLine(line);
        return (
          <span key={index} title={line.source}>
            {time && <span className="jp-BentoLog-time">{time} </span>}
            {text}
            {'\n'}
          </span>
        );
      })}
    </pre>
  );
}
