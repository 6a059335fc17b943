import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { IDeployment, IDetail, IOverview } from './payloads';

/** The deployments of the user's embedded cloud. */
export const IBentoDeployments = new Token<IBentoDeployments>(
  'bento-jupyter:IBentoDeployments',
  "The deployments of the user's embedded cloud: their state, and what can be done with them."
);

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
  /** The Jupyter server has no such extension. */
  | 'missing'
  /** The Jupyter server does not answer, or not as it should. */
  | 'offline';

/** Something that went wrong, in words. */
export interface IProblem {
  message: string;
  hint: string;
}

/** What is being done: something comes up, or goes down. */
export type Action = 'start' | 'stop';

/** What an action is about: a deployment's name, or the cloud. */
export type Target = { deployment: string } | 'cloud';

/** The model behind the sidebar. */
export interface IBentoDeployments {
  /** What is known of the cloud. */
  readonly connection: Connection;

  /** Why it is not `running`, in words; empty otherwise. */
  readonly message: string;

  /** The newest answer; kept while the server is `offline`. */
  readonly overview: IOverview | null;

  /** Emitted when anything here has changed. */
  readonly stateChanged: ISignal<IBentoDeployments, void>;

  /** Ask the server again. */
  refresh(): Promise<void>;

  /** Keep the state fresh until the returned object is disposed. */
  watch(): IDisposable;

  /** Whether details of a deployment are kept fresh. */
  isOpen(name: string): boolean;

  /** Keep details of a deployment fresh from now on, or no longer. */
  setOpen(name: string, open: boolean): void;

  /** Details of an open deployment; null until they are there. */
  detail(name: string): IDetail | null;

  /** What is being done with the target; null when nothing is. */
  pending(target: Target): Action | null;

  /** Why the last action on the target failed; null when it did not. */
  problem(target: Target): IProblem | null;

  /** Start the embedded cloud. Failures are in `problem('cloud')`. */
  startCloud(): Promise<void>;

  /** Stop the embedded cloud. Failures are in `problem('cloud')`. */
  stopCloud(): Promise<void>;

  /** Start a terminated deployment. Failures are in `problem`. */
  start(name: string): Promise<void>;

  /** Terminate a deployment. Failures are in `problem`. */
  terminate(name: string): Promise<void>;

  /** A deployment by name; null when there is none. */
  find(name: string): IDeployment | null;
}
