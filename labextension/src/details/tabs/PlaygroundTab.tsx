import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useState } from 'react';

import type { BentoApi } from '../../api';
import { memory } from '../../format';
import type { IInterface, IInterfaceEndpoint } from '../../payloads';
import { IAnswer, ITiming, ask, isJson, timingsOf } from '../asking';

/** Asks a deployment something by hand. */
export function PlaygroundTab(props: {
  api: BentoApi;
  name: string;

  /** Changes when the deployment runs something else. */
  revision: number;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { api, name, revision, trans } = props;
  const [known, setKnown] = useState<IInterface | null>(null);
  const [failure, setFailure] = useState('');
  const [chosen, setChosen] = useState('');
  useEffect(() => {
    let wanted = true;
    api.interface(name).then(
      found => {
        if (wanted) {
          setKnown(found);
          setFailure('');
        }
      },
      (reason: unknown) => {
        if (wanted) {
          setFailure(reason instanceof Error ? reason.message : String(reason));
        }
      }
    );
    return () => {
      wanted = false;
    };
  }, [api, name, revision]);
  const endpoints = known?.endpoints ?? [];
  const endpoint =
    endpoints.find(each => each.name === chosen) ?? endpoints[0] ?? null;
  if (endpoint === null) {
    return (
      <p className="jp-BentoNone" role="status">
        {failure ||
          (known === null
            ? trans.__('Loading…')
            : trans.__('It has no endpoint.'))}
      </p>
    );
  }
  return (
    <div className="jp-BentoPlayground">
      <label className="jp-BentoPlayground-endpoint">
        {trans.__('Endpoint')}
        <select
          className="jp-mod-styled"
          value={endpoint.name}
          onChange={event => setChosen(event.target.value)}
        >
          {endpoints.map(each => (
            <option key={each.name} value={each.name}>
              {each.name}
            </option>
          ))}
        </select>
      </label>
      <Question key={endpoint.name} {...props} endpoint={endpoint} />
    </div>
  );
}

/** One request, and what came back. */
function Question(props: {
  api: BentoApi;
  endpoint: IInterfaceEndpoint;
  name: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { api, endpoint, name, trans } = props;
  const [body, setBody] = useState(endpoint.example || '{}');
  const [values, setValues] = useState<Record<string, string>>(() =>
    Object.fromEntries(endpoint.parts.map(part => [part.name, part.example]))
  );
  const [files, setFiles] = useState<Record<string, File[]>>({});
  const [answer, setAnswer] = useState<IAnswer | null>(null);
  const [busy, setBusy] = useState(false);
  const isForm = endpoint.parts.length > 0;
  const wrong = isForm
    ? endpoint.parts.some(
        ({ file, name: part }) => !file && !isJson(values[part] ?? '')
      )
    : !isJson(body);
  const send = async (): Promise<void> => {
    if (wrong || busy) {
      return;
    }
    setBusy(true);
    try {
      setAnswer(
        await ask(
          request => api.ask(name, endpoint.route, request),
          isForm ? { parts: endpoint.parts, values, files } : { json: body }
        )
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="jp-BentoPlayground-question"
      aria-label={trans.__('Ask %1', endpoint.name)}
      onSubmit={event => {
        event.preventDefault();
        void send();
      }}
      onKeyDown={event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          event.stopPropagation();
          void send();
        }
      }}
    >
      {isForm ? (
        endpoint.parts.map(part => (
          <label key={part.name}>
            {part.name || trans.__('File')}
            {part.file ? (
              <input
                type="file"
                multiple={part.many}
                onChange={event =>
                  setFiles({
                    ...files,
                    [part.name]: [...(event.target.files ?? [])]
                  })
                }
              />
            ) : (
              <JsonArea
                rows={2}
                value={values[part.name] ?? ''}
                onChange={value => setValues({ ...values, [part.name]: value })}
                trans={trans}
              />
            )}
          </label>
        ))
      ) : (
        <label>
          {trans.__('JSON that is sent')}
          <JsonArea
            rows={Math.min(16, Math.max(4, body.split('\n').length + 1))}
            value={body}
            onChange={setBody}
            trans={trans}
          />
        </label>
      )}
      <div className="jp-BentoPlayground-send">
        <button
          type="submit"
          className="jp-mod-styled jp-mod-accept"
          disabled={wrong || busy}
        >
          {busy ? trans.__('Asking…') : trans.__('Ask')}
        </button>
        {!isForm && body !== endpoint.example && endpoint.example !== '' && (
          <button
            type="button"
            className="jp-mod-styled jp-mod-minimal"
            onClick={() => setBody(endpoint.example)}
          >
            {trans.__('Example')}
          </button>
        )}
      </div>
      <div role="status" aria-label={trans.__('Answer')}>
        {answer !== null && <Answer answer={answer} trans={trans} />}
      </div>
    </form>
  );
}

function JsonArea(props: {
  onChange: (value: string) => void;
  rows: number;
  trans: TranslationBundle;
  value: string;
}): React.JSX.Element {
  const { onChange, rows, trans, value } = props;
  const wrong = !isJson(value);
  return (
    <>
      <textarea
        className="jp-mod-styled"
        rows={rows}
        spellCheck={false}
        aria-invalid={wrong}
        value={value}
        onChange={event => onChange(event.target.value)}
      />
      {wrong && (
        <span className="jp-BentoProblem" role="alert">
          {trans.__('This is no JSON.')}
        </span>
      )}
    </>
  );
}

/** What came back, as what it is. */
function Answer(props: {
  answer: IAnswer;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { answer, trans } = props;
  const { blob, milliseconds, ok, status, text, type } = answer;
  const [url, setUrl] = useState('');
  useEffect(() => {
    if (text !== null) {
      return;
    }
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob, text]);
  const size = memory(blob.size, trans);
  return (
    <>
      <p className="jp-BentoPlayground-timing" data-tone={ok ? 'ok' : 'failed'}>
        <b>{status}</b>{' '}
        {[
          trans.__('%1 ms', Math.round(milliseconds)),
          ...timingsOf(answer.timing).map(timing => timingText(timing, trans)),
          type,
          size
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
      {text !== null ? (
        <pre className="jp-BentoPlayground-answer" tabIndex={0}>
          {text}
        </pre>
      ) : type.startsWith('image/') ? (
        <img src={url} alt={trans.__('The image that was answered')} />
      ) : type.startsWith('audio/') ? (
        <audio controls src={url} />
      ) : (
        <a href={url} download="answer">
          {trans.__('Save the answer (%1)', size)}
        </a>
      )}
    </>
  );
}

/** Where time went, as the deployment's gateway says. */
function timingText(timing: ITiming, trans: TranslationBundle): string {
  const time = Math.round(timing.milliseconds);
  switch (timing.name) {
    case 'queue':
      return trans.__('%1 ms in the queue', time);
    case 'cold':
      return trans.__('%1 ms cold start', time);
    case 'upstream':
      return trans.__('%1 ms in the instance', time);
    default:
      return trans.__('%1 %2 ms', timing.name, time);
  }
}
