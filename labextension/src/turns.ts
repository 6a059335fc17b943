import { toneOf } from './format';
import type { IOverview } from './payloads';

/** A deployment that has come up, or failed. */
export type Turn = {
  name: string;
  kind: 'deployed' | 'failed';

  /** Why, in words; may be empty. */
  reason: string;
};

/**
 * What a user wants to be told of.
 *
 * #### Notes
 * A deployment that starts from zero or goes back to it is at work, not news;
 * nor is what there was already when one began to look.
 */
export function turnsBetween(
  before: IOverview | null,
  now: IOverview | null
): Turn[] {
  if (before?.state !== 'running' || now?.state !== 'running') {
    return [];
  }
  const tones = new Map(
    before.deployments.map(({ name, status }) => [name, toneOf(status)])
  );
  const turns: Turn[] = [];
  for (const { name, reason, status } of now.deployments) {
    const was = tones.get(name);
    const is = toneOf(status);
    if (is === 'failed' && was !== 'failed') {
      turns.push({ name, kind: 'failed', reason });
    } else if (was === 'busy' && (is === 'ok' || is === 'idle')) {
      turns.push({ name, kind: 'deployed', reason: '' });
    }
  }
  return turns;
}

/**
 * What a notebook has deployed that is not terminated.
 *
 * @param overview - What is known of the cloud.
 * @param path - Path of the notebook, below the folder that Jupyter shows.
 */
export function leftBy(overview: IOverview | null, path: string): string[] {
  return (overview?.deployments ?? [])
    .filter(
      ({ owner, status }) =>
        (owner === path || owner.endsWith(`/${path}`)) &&
        status !== 'terminated' &&
        status !== 'terminating'
    )
    .map(({ name }) => name);
}
