import type { IAskedPart } from '../payloads';

/** What is asked: JSON as it was written, or a form. */
export type Question =
  | { json: string }
  | {
      parts: readonly IAskedPart[];
      values: Readonly<Record<string, string>>;
      files: Readonly<Record<string, readonly File[]>>;
    };

/** What came back. */
export interface IAnswer {
  blob: Blob;

  /** Until all of it was here. */
  milliseconds: number;
  ok: boolean;
  status: string;

  /** The answer when it is text; JSON is laid out. Null for anything else. */
  text: string | null;

  /** Header `Server-Timing`. */
  timing: string;

  /** Its media type. */
  type: string;
}

/** Where a part of the time went. */
export interface ITiming {
  name: string;
  milliseconds: number;
}

/** Phases that are told; those of a cold start are in it. */
const TOLD = ['queue', 'cold', 'upstream'];

/** Ask, and read the answer. A request that cannot be made is an answer, too. */
export async function ask(
  send: (request: RequestInit) => Promise<Response>,
  question: Question
): Promise<IAnswer> {
  const begun = performance.now();
  let response: Response;
  let blob: Blob;
  try {
    response = await send(requestOf(question));
    blob = await response.blob();
  } catch (reason) {
    const text = reason instanceof Error ? reason.message : String(reason);
    return {
      blob: new Blob([text]),
      milliseconds: performance.now() - begun,
      ok: false,
      status: '–',
      text,
      timing: '',
      type: ''
    };
  }
  const type = (response.headers.get('Content-Type') ?? '').replace(/;.*/, '');
  return {
    blob,
    milliseconds: performance.now() - begun,
    ok: response.ok,
    status: `${response.status} ${response.statusText}`.trim(),
    text: isText(type) ? laidOut(await blob.text(), type) : null,
    timing: response.headers.get('Server-Timing') ?? '',
    type
  };
}

/** Whether something is JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The parts of a `Server-Timing` header that are told. */
export function timingsOf(header: string): ITiming[] {
  return header
    .split(',')
    .map(part => /^\s*([\w-]+).*?;\s*dur=([\d.]+)/.exec(part))
    .filter(found => found !== null)
    .map(found => ({ name: found[1] ?? '', milliseconds: Number(found[2]) }))
    .filter(({ name }) => TOLD.includes(name));
}

function requestOf(question: Question): RequestInit {
  if ('json' in question) {
    return {
      method: 'POST',
      body: question.json,
      headers: { 'Content-Type': 'application/json' }
    };
  }
  const whole = question.parts.find(({ name }) => name === '');
  if (whole) {
    const file = question.files['']?.[0];
    return {
      method: 'POST',
      body: file ?? '',
      headers: { 'Content-Type': file?.type || 'application/octet-stream' }
    };
  }
  const form = new FormData();
  for (const { file, name } of question.parts) {
    if (file) {
      question.files[name]?.forEach(each => form.append(name, each, each.name));
    } else {
      form.append(name, question.values[name] ?? 'null');
    }
  }
  return { method: 'POST', body: form };
}

function isText(type: string): boolean {
  return /^text\/|json$|^application\/xml|^$/.test(type);
}

/** JSON with a line for each thing; long rows of numbers stay together. */
function laidOut(text: string, type: string): string {
  if (!type.endsWith('json') || !isJson(text)) {
    return text;
  }
  const value: unknown = JSON.parse(text);
  const wide = JSON.stringify(value);
  return wide.length <= 100 ? wide : JSON.stringify(value, null, 2);
}
