import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { IChange, IDeployment, IOverview, ITrafficItem } from './payloads';

/** The deployments of a cloud: the embedded one, unless another is shown. */
export const IBentoDeployments = new Token<IBentoDeployments>(
  'bento-jupyter:IBentoDeployments',
  'The deployments of the cloud that is shown: their state, and what can be done with them.'
);

/** The settings of the extension. */
export const IBentoSettings = new Token<IBentoSettings>(
  'bento-jupyter:IBentoSettings',
  'The settings of the extension.'
);

/** What is notified of. */
export type NotificationChoice = 'all' | 'failures' | 'none';

/** The user's settings. */
export interface IBentoSettings {
  /** Seconds between two looks at the cloud. */
  readonly pollSeconds: number;

  /** Whether rows of the list have one line only. */
  readonly compact: boolean;

  /** What is notified of. */
  readonly notifications: NotificationChoice;

  /** Emitted when a setting has changed, and when they are there. */
  readonly changed: ISignal<IBentoSettings, void>;
}

/** What is known of the cloud. */
export type Connection =
  /** Nothing yet. */
  | 'loading'
  /** The cloud runs. */
  | 'running'
  /** No cloud runs. */
  | 'stopped'
  /** The cloud's process is there, but does not answer. */
  | 'unreachable'
  /** The cloud does not take the token that is in its home. */
  | 'refused'
  /** The Jupyter server has no such extension. */
  | 'missing'
  /** The Jupyter server does not answer, or not as it should. */
  | 'offline';

/** Something that went wrong, in words. */
export interface IProblem {
  message: string;
  hint: string;
}

/** What is being done: something comes up, goes down, or is made different. */
export type Action = 'start' | 'stop' | 'change';

/** What an action is about: a deployment's name, or the cloud. */
export type Target = { deployment: string } | 'cloud';

/** The model behind the sidebar. */
export interface IBentoDeployments {
  /** The cloud that is shown, by its context's name; empty for the embedded one. */
  cloud: string;

  /** What is known of the cloud. */
  readonly connection: Connection;

  /** Why it is not `running`, in words; empty otherwise. */
  readonly message: string;

  /** The newest answer; kept while the server is `offline`. */
  readonly overview: IOverview | null;

  /** Emitted when anything here has changed. */
  readonly stateChanged: ISignal<IBentoDeployments, void>;

  /** The line that the sidebar is at, a deployment's name or a group's key; null when it is at none. */
  current: string | null;

  /** Ask the server again. */
  refresh(): Promise<void>;

  /**
   * Keep the state fresh until the returned object is disposed.
   *
   * @param closely - Whether deployments are on the screen, not only how many there are; default true.
   */
  watch(closely?: boolean): IDisposable;

  /** Keep the traffic of these deployments fresh until they are others. */
  show(names: readonly string[]): void;

  /** How much a deployment was asked lately; null when that is not known. */
  traffic(name: string): ITrafficItem | null;

  /** What is being done with the target; null when nothing is. */
  pending(target: Target): Action | null;

  /** Why the last action on the target failed; null when it did not. */
  problem(target: Target): IProblem | null;

  /** Start the embedded cloud. Failures are in `problem('cloud')`. */
  startCloud(): Promise<void>;

  /** Stop the embedded cloud. Failures are in `problem('cloud')`. */
  stopCloud(): Promise<void>;

  /** Stop the embedded cloud and start it, so that it takes the token in its home. Failures are in `problem('cloud')`. */
  restartCloud(): Promise<void>;

  /**
   * Start a terminated deployment.
   *
   * #### Notes
   * This and the following are about the cloud that is shown, unless another is
   * named, as the user may have been asked about that one. Failures are in
   * `problem`; of a cloud that is not shown they reject.
   */
  start(name: string, cloud?: string): Promise<void>;

  /** Terminate a deployment. */
  terminate(name: string, cloud?: string): Promise<void>;

  /** Replace all instances of a deployment. */
  restart(name: string, cloud?: string): Promise<void>;

  /** Scale a deployment, switch its mode, give it another Bento. */
  change(name: string, change: IChange, cloud?: string): Promise<void>;

  /** Give a deployment what an earlier revision asked for. */
  rollback(name: string, revision: number, cloud?: string): Promise<void>;

  /** Delete a deployment for good. */
  delete(name: string, cloud?: string): Promise<void>;

  /** A deployment by name; null when there is none. */
  find(name: string): IDeployment | null;
}
