import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal, downloadIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

import { BentoApi } from '../../api';
import { LogTail } from '../../components/LogTail';
import type { IInstance } from '../../payloads';
import { LogFollower } from '../log';

/** How many of the newest lines come first, and how many a download has. */
const FIRST_LINES = 1000;
const MOST_LINES = 10_000;

/** Milliseconds without a key until a search begins. */
const PAUSE = 300;

/** The log, as it is written. */
export function LogsTab(props: {
  api: BentoApi;
  instances: readonly IInstance[];
  name: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { api, name, trans } = props;
  const [follower, setFollower] = useState<LogFollower | null>(null);
  const [text, setText] = useState('');
  const [q, setQ] = useState('');
  const [regex, setRegex] = useState(false);
  const [source, setSource] = useState('');

  useEffect(() => {
    const made = new LogFollower(api, name);
    setFollower(made);
    return () => made.dispose();
  }, [api, name]);
  useEffect(() => {
    const timer = window.setTimeout(() => setQ(text), PAUSE);
    return () => window.clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    follower?.follow({ lines: FIRST_LINES, q, regex, source });
  }, [follower, q, regex, source]);

  const download = async (): Promise<void> => {
    const lines = await api.logs(name, { lines: MOST_LINES, q, regex, source });
    const written = lines.map(line => `${line.source}\t${line.text}\n`);
    const url = URL.createObjectURL(
      new Blob(written, { type: 'text/plain;charset=utf-8' })
    );
    const link = document.createElement('a');
    link.href = url;
    link.download = `${name}.log`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <div className="jp-BentoLogs">
      <div className="jp-BentoLogs-tools">
        <input
          type="search"
          className="jp-mod-styled"
          aria-label={trans.__('Search the log')}
          placeholder={trans.__('Search the log')}
          spellCheck={false}
          value={text}
          onChange={event => setText(event.target.value)}
        />
        <label className="jp-BentoCheck">
          <input
            type="checkbox"
            checked={regex}
            onChange={event => setRegex(event.target.checked)}
          />
          {trans.__('Regular expression')}
        </label>
        <select
          className="jp-mod-styled"
          aria-label={trans.__('Lines of')}
          value={source}
          onChange={event => setSource(event.target.value)}
        >
          <option value="">{trans.__('All instances')}</option>
          <option value="image">{trans.__('Image build')}</option>
          {props.instances.map(({ id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
        <button
          type="button"
          className="jp-BentoIconButton"
          title={trans.__('Download the log')}
          aria-label={trans.__('Download the log')}
          onClick={() => void download()}
        >
          <downloadIcon.react tag="span" />
        </button>
      </div>
      {follower && (
        <UseSignal signal={follower.changed}>
          {() => (
            <>
              {follower.problem && (
                <p className="jp-BentoLogs-problem" role="status">
                  {follower.problem}
                </p>
              )}
              <LogTail
                label={trans.__('Log of %1', name)}
                lines={follower.lines}
                none={
                  q
                    ? trans.__('No line holds this.')
                    : trans.__('Nothing written yet.')
                }
              />
            </>
          )}
        </UseSignal>
      )}
    </div>
  );
}
