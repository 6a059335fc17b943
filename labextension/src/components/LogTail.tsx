import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useLayoutEffect, useRef } from 'react';

import { logLine } from '../format';
import type { ILogLine } from '../payloads';

/** The last log lines; stays at the end unless the reader scrolled up. */
export function LogTail(props: {
  label: string;
  lines: ILogLine[];
  trans: TranslationBundle;
}): React.JSX.Element {
  const { label, lines, trans } = props;
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    if (box.current && follows.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [lines]);
  if (lines.length === 0) {
    return (
      <p className="jp-BentoDetail-none">{trans.__('Nothing written yet.')}</p>
    );
  }
  return (
    <pre
      ref={box}
      className="jp-BentoLog"
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
