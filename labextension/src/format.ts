import type { TranslationBundle } from '@jupyterlab/translation';

import type { IDeployment, IEndpoint, ILogLine, IScaling } from './payloads';
import type { Connection } from './tokens';

/** How a status is to be seen. */
export type Tone = 'ok' | 'idle' | 'busy' | 'failed' | 'off';

/** How good it is that the embedded cloud is as it is. */
export function toneOfConnection(connection: Connection): Tone {
  switch (connection) {
    case 'loading':
      return 'busy';
    case 'running':
      return 'ok';
    case 'stopped':
      return 'off';
    default:
      return 'failed';
  }
}

/** Whether there is a process of the embedded cloud, as far as is known. */
export function isThere(connection: Connection): boolean {
  return ['running', 'unreachable', 'refused'].includes(connection);
}

/** The tone of a deployment's status; that of an unknown one is `off`. */
export function toneOf(status: string): Tone {
  switch (status) {
    case 'running':
      return 'ok';
    case 'scaled-to-zero':
      return 'idle';
    case 'deploying':
    case 'image-building':
    case 'image-build-succeeded':
    case 'terminating':
      return 'busy';
    case 'failed':
    case 'image-build-failed':
    case 'unhealthy':
      return 'failed';
    default:
      return 'off';
  }
}

/** A deployment's status in words. */
export function statusWord(status: string, trans: TranslationBundle): string {
  switch (status) {
    case 'running':
      return trans.__('Running');
    case 'scaled-to-zero':
      return trans.__('Scaled to zero');
    case 'deploying':
      return trans.__('Deploying');
    case 'image-building':
      return trans.__('Building image');
    case 'image-build-succeeded':
      return trans.__('Image built');
    case 'image-build-failed':
      return trans.__('Image failed');
    case 'failed':
      return trans.__('Failed');
    case 'unhealthy':
      return trans.__('Unhealthy');
    case 'terminating':
      return trans.__('Terminating');
    case 'terminated':
      return trans.__('Terminated');
    case 'non-deployed':
      return trans.__('Not deployed');
    default:
      return trans.__('Unknown');
  }
}

/** How far the environment of a Bento is. */
export function imageWord(status: string, trans: TranslationBundle): string {
  switch (status) {
    case 'pending':
      return trans.__('waiting');
    case 'building':
      return trans.__('being built');
    case 'success':
      return trans.__('ready');
    case 'failed':
      return trans.__('failed');
    default:
      return status;
  }
}

/** An instance's state in words. */
export function instanceWord(state: string, trans: TranslationBundle): string {
  switch (state) {
    case 'starting':
      return trans.__('Starting');
    case 'ready':
      return trans.__('Ready');
    case 'draining':
      return trans.__('Draining');
    case 'stopped':
      return trans.__('Stopped');
    case 'failed':
      return trans.__('Failed');
    default:
      return trans.__('Unknown');
  }
}

/** The name of a mode. */
export function modeTitle(
  mode: IDeployment['mode'],
  trans: TranslationBundle
): string {
  return mode === 'online'
    ? trans.__('Online Service')
    : trans.__('On-Demand Function');
}

/** A phase of a cold start in words. */
export function phaseWord(phase: string, trans: TranslationBundle): string {
  switch (phase) {
    case 'process':
      return trans.__('process');
    case 'imports':
      return trans.__('imports');
    case 'load':
      return trans.__('load');
    case 'ready':
      return trans.__('ready');
    default:
      return phase;
  }
}

/**
 * How long ago `then` was, coarse enough not to be wrong before the next poll.
 *
 * @param then - Milliseconds since the epoch.
 * @param now - Milliseconds since the epoch.
 */
export function age(
  then: number,
  now: number,
  trans: TranslationBundle
): string {
  const minutes = Math.floor(Math.max(0, now - then) / 60_000);
  if (minutes < 1) {
    return trans.__('< 1 min');
  }
  if (minutes < 60) {
    return trans.__('%1 min', minutes);
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    return trans.__('%1 h', hours);
  }
  const days = Math.floor(hours / 24);
  return trans._n('%1 day', '%1 days', days);
}

/** Requests per second, with as many digits as are worth reading. */
export function perSecond(rate: number, trans: TranslationBundle): string {
  return trans.__('%1/s', rounded(rate));
}

/** A number with as many digits as are worth reading. */
export function rounded(value: number): string {
  if (value === 0 || value >= 99.95) {
    return value.toFixed(0);
  }
  return value < 0.095
    ? value.toFixed(2)
    : value.toFixed(1).replace(/\.0$/, '');
}

/** A moment, as the user's own clock says it. */
export function moment(at: number): string {
  return new Date(at).toLocaleString();
}

/** A duration in seconds, with as many digits as are worth reading. */
export function duration(seconds: number, trans: TranslationBundle): string {
  if (seconds < 0.9995) {
    return trans.__('%1 ms', Math.round(seconds * 1000));
  }
  if (seconds < 59.95) {
    return trans.__('%1 s', seconds.toFixed(seconds < 9.95 ? 2 : 1));
  }
  const whole = Math.round(seconds);
  return trans.__('%1 min %2 s', Math.floor(whole / 60), whole % 60);
}

/** An amount of memory. */
export function memory(bytes: number, trans: TranslationBundle): string {
  const mebibytes = bytes / 2 ** 20;
  if (mebibytes < 0.95 && bytes > 0) {
    return trans.__('%1 kB', Math.ceil(bytes / 1024));
  }
  return mebibytes < 1000
    ? trans.__('%1 MB', Math.round(mebibytes))
    : trans.__('%1 GB', (mebibytes / 1024).toFixed(1));
}

/**
 * A log line for a narrow place: its time of day, and the text without its own time.
 *
 * @param line - The line.
 */
export function logLine(line: ILogLine): { time: string; text: string } {
  const written = line.at === null ? null : new Date(line.at);
  return {
    time: written ? written.toTimeString().slice(0, 8) : '',
    text: written
      ? line.text.replace(
          /^\d{4}-\d\d-\d\d[T ][\d:.,]+(Z|[+-]\d\d:?\d\d)?\s*/,
          ''
        )
      : line.text
  };
}

/** How many instances there are between, and what makes it more or fewer. */
export function scalingText(
  scaling: IScaling,
  trans: TranslationBundle
): string {
  const range =
    scaling.min === scaling.max
      ? trans._n('%1 instance', '%1 instances', scaling.max)
      : trans.__('%1 to %2 instances', scaling.min, scaling.max);
  return scaling.concurrency === null
    ? range
    : trans.__('%1, %2 requests at a time each', range, scaling.concurrency);
}

/**
 * Whether its cloud tells how it does beside its status.
 *
 * #### Notes
 * BentoCloud tells of no revision, instance, request or log.
 */
export function isTold({ revision }: Pick<IDeployment, 'revision'>): boolean {
  return revision > 0;
}

/**
 * A shell command that calls the deployment; null while it has no URL.
 *
 * #### Notes
 * It never holds a token, only the name of a variable to put one in.
 */
export function curlSnippet(
  deployment: Pick<IDeployment, 'url' | 'protected' | 'endpoints'>
): string | null {
  if (deployment.url === null) {
    return null;
  }
  const endpoint = deployment.endpoints[0];
  const base = deployment.url.replace(/\/+$/, '');
  const lines = [`curl -i ${quoted(base + (endpoint?.route ?? '/readyz'))}`];
  if (deployment.protected) {
    lines.push('  -H "Authorization: Bearer $BENTO_TOKEN"');
  }
  if (endpoint !== undefined && endpoint.example !== '') {
    lines.push('  -H "Content-Type: application/json"');
    lines.push(`  -d ${quoted(endpoint.example)}`);
  }
  return lines.join(' \\\n');
}

/** Python code that calls the deployment from a notebook; null while it cannot be called. */
export function callCell(
  deployment: Pick<IDeployment, 'name' | 'endpoints'>,
  cloud = ''
): string {
  const endpoint = deployment.endpoints[0];
  const body = endpoint && endpoint.example !== '' ? endpoint.example : '{}';
  const name = endpoint ? ` ${endpoint.name}` : '';
  return `%%bento_call${cloudOption(cloud)} ${deployment.name}${name}\n${body}`;
}

/** What makes a magic go to a cloud, to put behind others; empty for the embedded one. */
export function cloudOption(cloud: string): string {
  const word = `--cloud=${cloud}`;
  return cloud === ''
    ? ''
    : ` ${/^[\w.:/=-]+$/.test(word) ? word : quoted(word)}`;
}

/**
 * A Python program that calls the deployment; null while it has no URL.
 *
 * #### Notes
 * It needs nothing but the standard library, and never holds a token.
 */
export function pythonSnippet(
  deployment: Pick<IDeployment, 'url' | 'protected' | 'endpoints'>
): string | null {
  if (deployment.url === null) {
    return null;
  }
  const endpoint: IEndpoint | undefined = deployment.endpoints[0];
  const url =
    deployment.url.replace(/\/+$/, '') + (endpoint?.route ?? '/readyz');
  const headers = ['"Content-Type": "application/json"'];
  const lines = ['import json', 'import urllib.request', ''];
  if (deployment.protected) {
    lines.splice(1, 0, 'import os');
    headers.push('"Authorization": "Bearer " + os.environ["BENTO_TOKEN"]');
  }
  const example = endpoint?.example ?? '';
  lines.push(
    'request = urllib.request.Request(',
    `    ${JSON.stringify(url)},`,
    ...(example
      ? [`    data=json.dumps(json.loads(${literal(example)})).encode(),`]
      : []),
    `    headers={${headers.join(', ')}},`,
    ')',
    'with urllib.request.urlopen(request) as answer:',
    '    print(answer.read().decode())'
  );
  return lines.join('\n');
}

/** A string as a Python literal. */
function literal(value: string): string {
  return JSON.stringify(value);
}

/** A word as a POSIX shell takes it literally. */
function quoted(word: string): string {
  return `'${word.replace(/'/g, "'\\''")}'`;
}
