import type { TranslationBundle } from '@jupyterlab/translation';

import { modeTitle, statusWord, toneOf } from '../format';
import type { IDeployment } from '../payloads';

/** Label that tells which notebook a deployment comes from; written by deploy. */
export const OWNER_LABEL = 'bento-jupyter.owner';

/** Label that tells when a deployment is to go; written by deploy. */
export const EXPIRES_LABEL = 'bento-jupyter.expires';

/** Which statuses. */
export type StatusFilter = 'all' | 'answering' | 'busy' | 'failed' | 'off';

/** Which modes. */
export type ModeFilter = 'all' | 'online' | 'on-demand';

/** By what the list is sorted. */
export type SortKey = 'name' | 'status' | 'age' | 'requests';

/** By what the list is grouped. */
export type GroupKey = 'none' | 'status' | 'mode' | 'owner' | 'bento';

/** What of the deployments is to be seen, and how. */
export interface IView {
  text: string;
  status: StatusFilter;
  mode: ModeFilter;
  sort: SortKey;
  group: GroupKey;

  /** Keys of the groups that are closed. */
  closed: ReadonlySet<string>;
}

/** All deployments by name. */
export const PLAIN_VIEW: IView = {
  text: '',
  status: 'all',
  mode: 'all',
  sort: 'name',
  group: 'none',
  closed: new Set()
};

/** A line of the list. */
export type Line =
  | {
      kind: 'group';
      key: string;
      title: string;
      count: number;
      open: boolean;
      position: number;
      size: number;
    }
  | {
      kind: 'deployment';
      key: string;
      deployment: IDeployment;
      level: number;
      position: number;
      size: number;
    };

/** The value of a label; empty when there is none. */
export function labelOf(
  deployment: Pick<IDeployment, 'labels'>,
  key: string
): string {
  return deployment.labels.find(([name]) => name === key)?.[1] ?? '';
}

/** The notebook that a deployment comes from, else who created it. */
export function ownerOf(
  deployment: Pick<IDeployment, 'labels' | 'creator'>
): string {
  return labelOf(deployment, OWNER_LABEL) || deployment.creator;
}

/** Whether anything is filtered out. */
export function isFiltered(view: IView): boolean {
  return view.text !== '' || view.status !== 'all' || view.mode !== 'all';
}

/**
 * The lines of the list.
 *
 * @param deployments - All deployments.
 * @param view - Which of them, and how.
 */
export function arrange(
  deployments: readonly IDeployment[],
  view: IView,
  trans: TranslationBundle
): Line[] {
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = deployments.filter(
    deployment =>
      hasStatus(deployment, view.status) &&
      (view.mode === 'all' || deployment.mode === view.mode) &&
      words.every(word => holds(deployment, word, trans))
  );
  kept.sort(order(view.sort));
  if (view.group === 'none') {
    return kept.map((deployment, index) => ({
      kind: 'deployment',
      key: deployment.name,
      deployment,
      level: 1,
      position: index + 1,
      size: kept.length
    }));
  }
  const groups = new Map<string, IDeployment[]>();
  for (const deployment of kept) {
    const title = groupTitle(deployment, view.group, trans);
    const group = groups.get(title);
    if (group) {
      group.push(deployment);
    } else {
      groups.set(title, [deployment]);
    }
  }
  const lines: Line[] = [];
  const titles = [...groups.keys()].sort((a, b) => a.localeCompare(b));
  for (const [index, title] of titles.entries()) {
    const members = groups.get(title) ?? [];
    const key = `${view.group}:${title}`;
    const open = !view.closed.has(key);
    lines.push({
      kind: 'group',
      key,
      title,
      count: members.length,
      open,
      position: index + 1,
      size: titles.length
    });
    if (open) {
      for (const [place, deployment] of members.entries()) {
        lines.push({
          kind: 'deployment',
          key: deployment.name,
          deployment,
          level: 2,
          position: place + 1,
          size: members.length
        });
      }
    }
  }
  return lines;
}

function hasStatus(deployment: IDeployment, filter: StatusFilter): boolean {
  const tone = toneOf(deployment.status);
  switch (filter) {
    case 'all':
      return true;
    case 'answering':
      return tone === 'ok' || tone === 'idle';
    case 'busy':
      return tone === 'busy';
    case 'failed':
      return tone === 'failed';
    case 'off':
      return tone === 'off';
  }
}

/** Whether a word stands in anything that one sees of a deployment; `key=value` is a label. */
function holds(
  deployment: IDeployment,
  word: string,
  trans: TranslationBundle
): boolean {
  const seen = [
    deployment.name,
    deployment.bento,
    ownerOf(deployment),
    statusWord(deployment.status, trans),
    deployment.mode,
    ...deployment.labels.map(([key, value]) => `${key}=${value}`)
  ];
  return seen.some(text => text.toLowerCase().includes(word));
}

/** Statuses as they deserve a look: what failed comes first. */
const TONES = ['failed', 'busy', 'ok', 'idle', 'off'];

function order(key: SortKey): (a: IDeployment, b: IDeployment) => number {
  const byName = (a: IDeployment, b: IDeployment): number =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
  switch (key) {
    case 'name':
      return byName;
    case 'status':
      return (a, b) =>
        TONES.indexOf(toneOf(a.status)) - TONES.indexOf(toneOf(b.status)) ||
        byName(a, b);
    case 'age':
      return (a, b) => b.created_at - a.created_at || byName(a, b);
    case 'requests':
      return (a, b) => b.requests - a.requests || byName(a, b);
  }
}

function groupTitle(
  deployment: IDeployment,
  key: Exclude<GroupKey, 'none'>,
  trans: TranslationBundle
): string {
  switch (key) {
    case 'status':
      return statusWord(deployment.status, trans);
    case 'mode':
      return modeTitle(deployment.mode, trans);
    case 'owner':
      return ownerOf(deployment) || trans.__('Nobody');
    case 'bento':
      return deployment.bento.split(':')[0] ?? deployment.bento;
  }
}
