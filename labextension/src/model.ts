import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { ApiError, BentoApi } from './api';
import type { IDeployment, IDetail, IOverview } from './payloads';
import type {
  Action,
  Connection,
  IBentoDeployments,
  IProblem,
  Target
} from './tokens';

/** `$id` of the server's event that says that something changed. */
export const EVENT_SCHEMA_ID =
  'https://events.bento-jupyter.org/deployments/v1';

/**
 * The deployments of the embedded cloud, as the server extension tells them.
 *
 * #### Notes
 * Hints say that something changed, a slow poll is the truth: hints may be lost
 * while a connection is down, and a poll heals that. Nothing is asked while
 * nobody watches.
 */
export class DeploymentsModel implements IBentoDeployments, IDisposable {
  constructor(options: DeploymentsModel.IOptions) {
    this._api = options.api;
    this._poll = new Poll({
      name: 'bento-jupyter:overview',
      auto: false,
      frequency: {
        interval: (options.pollSeconds ?? 15) * 1000,
        backoff: true,
        max: 60 * 1000
      },
      standby: 'when-hidden',
      factory: () => this._load()
    });
    this._details = new Poll({
      name: 'bento-jupyter:details',
      auto: false,
      frequency: {
        interval: options.detailMilliseconds ?? 2000,
        backoff: true,
        max: 30 * 1000
      },
      standby: () => this._connection !== 'running' || 'when-hidden',
      factory: () => this._loadDetails()
    });
  }

  get connection(): Connection {
    return this._connection;
  }

  get message(): string {
    return this._message;
  }

  get overview(): IOverview | null {
    return this._overview;
  }

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** How many log lines details have. */
  get logLines(): number {
    return this._logLines;
  }
  set logLines(lines: number) {
    this._logLines = lines;
  }

  /** Seconds between two polls of the overview. */
  get pollSeconds(): number {
    return this._poll.frequency.interval / 1000;
  }
  set pollSeconds(seconds: number) {
    this._poll.frequency = {
      ...this._poll.frequency,
      interval: seconds * 1000
    };
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._poll.dispose();
    this._details.dispose();
    Signal.clearData(this);
  }

  /** Take a hint of the server that something changed. */
  hint(): void {
    if (this._watchers > 0) {
      void this.refresh();
    }
  }

  async refresh(): Promise<void> {
    // Not Poll.refresh(): that drops the wish while an answer is under way,
    // which may have been begun before what a hint is about.
    await this._load().catch(() => undefined);
    if (this._open.size > 0 && this._connection === 'running') {
      await this._loadDetails();
    }
  }

  watch(): IDisposable {
    this._watchers += 1;
    this._arrange();
    return new DisposableDelegate(() => {
      this._watchers -= 1;
      this._arrange();
    });
  }

  find(name: string): IDeployment | null {
    const listed = this._overview?.deployments ?? [];
    return listed.find(deployment => deployment.name === name) ?? null;
  }

  isOpen(name: string): boolean {
    return this._open.has(name);
  }

  setOpen(name: string, open: boolean): void {
    if (open) {
      this._open.set(name, this._open.get(name) ?? null);
      void this._loadDetails();
    } else {
      this._open.delete(name);
    }
    this._arrange();
    this._changed();
  }

  detail(name: string): IDetail | null {
    const detail = this._open.get(name) ?? null;
    const listed = this.find(name);
    // Overview and details are asked one by one: the newer one counts.
    return detail && listed && listed.event_id > detail.deployment.event_id
      ? { ...detail, deployment: listed }
      : detail;
  }

  pending(target: Target): Action | null {
    return this._pending.get(Private.key(target)) ?? null;
  }

  problem(target: Target): IProblem | null {
    return this._problems.get(Private.key(target)) ?? null;
  }

  startCloud(): Promise<void> {
    return this._act('cloud', 'start', () => this._api.startCloud());
  }

  stopCloud(): Promise<void> {
    return this._act('cloud', 'stop', () => this._api.stopCloud());
  }

  start(name: string): Promise<void> {
    return this._act({ deployment: name }, 'start', () =>
      this._api.start(name)
    );
  }

  terminate(name: string): Promise<void> {
    return this._act({ deployment: name }, 'stop', () =>
      this._api.terminate(name)
    );
  }

  private async _act(
    target: Target,
    action: Action,
    call: () => Promise<unknown>
  ): Promise<void> {
    const key = Private.key(target);
    if (this._pending.has(key)) {
      return;
    }
    this._pending.set(key, action);
    this._problems.delete(key);
    this._changed();
    try {
      await call();
      await this._load();
    } catch (reason) {
      this._problems.set(key, Private.problem(reason));
    } finally {
      this._pending.delete(key);
      this._changed();
    }
  }

  /** Poll while somebody watches, and details only while a row is open. */
  private _arrange(): void {
    const watched = this._watchers > 0;
    void (watched ? this._poll.start() : this._poll.stop());
    void (watched && this._open.size > 0
      ? this._details.start()
      : this._details.stop());
  }

  /** Ask for the overview; rejects, for the poll's back-off, when there is none. */
  private async _load(): Promise<void> {
    const asked = ++this._asked;
    let connection: Connection;
    let message: string;
    let failure: Error | null = null;
    let overview: IOverview | null = null;
    try {
      overview = await this._api.overview();
      connection = overview.state;
      message = overview.message;
    } catch (reason) {
      const missing = reason instanceof ApiError && reason.status === 404;
      connection = missing ? 'missing' : 'offline';
      message = Private.problem(reason).message;
      failure = reason instanceof Error ? reason : new Error(message);
    }
    // An answer that was overtaken by a later one is old news.
    if (asked > this._answered && !this._isDisposed) {
      this._answered = asked;
      this._connection = connection;
      this._message = message;
      this._overview = overview ?? this._overview;
      if (overview) {
        this._forget(overview);
      }
      this._changed();
    }
    if (failure !== null) {
      throw failure;
    }
  }

  /** Drop what is kept of deployments that are no more. */
  private _forget(overview: IOverview): void {
    if (overview.state !== 'running') {
      return;
    }
    const names = new Set(overview.deployments.map(({ name }) => name));
    for (const name of this._open.keys()) {
      if (!names.has(name)) {
        this._open.delete(name);
        this._problems.delete(Private.key({ deployment: name }));
      }
    }
  }

  private async _loadDetails(): Promise<void> {
    const asked = ++this._askedDetails;
    const answers = await Promise.all(
      [...this._open.keys()].map(name => this._loadDetail(name))
    );
    if (asked < this._askedDetails) {
      return;
    }
    for (const answer of answers) {
      if (answer && this._open.has(answer.deployment.name)) {
        this._open.set(answer.deployment.name, answer);
      }
    }
    this._changed();
  }

  private async _loadDetail(name: string): Promise<IDetail | null> {
    try {
      return await this._api.detail(name, this._logLines);
    } catch {
      // What is shown stays; the overview tells what is wrong.
      return null;
    }
  }

  private _changed(): void {
    if (!this._isDisposed) {
      this._stateChanged.emit();
    }
  }

  private _api: BentoApi;
  private _answered = 0;
  private _asked = 0;
  private _askedDetails = 0;
  private _connection: Connection = 'loading';
  private _details: Poll;
  private _isDisposed = false;
  private _logLines = 100;
  private _message = '';
  private _open = new Map<string, IDetail | null>();
  private _overview: IOverview | null = null;
  private _pending = new Map<string, Action>();
  private _poll: Poll;
  private _problems = new Map<string, IProblem>();
  private _stateChanged = new Signal<this, void>(this);
  private _watchers = 0;
}

/** The namespace for `DeploymentsModel` statics. */
export namespace DeploymentsModel {
  /** Options of a model. */
  export interface IOptions {
    /** Calls the server. */
    api: BentoApi;

    /** Milliseconds between two looks at open deployments; default 2000. */
    detailMilliseconds?: number;

    /** Seconds between two polls of the overview; default 15. */
    pollSeconds?: number;
  }
}

namespace Private {
  /** A key for a target; a deployment may be called "cloud". */
  export function key(target: Target): string {
    return target === 'cloud' ? 'cloud' : `deployment:${target.deployment}`;
  }

  /** What went wrong, in words. */
  export function problem(reason: unknown): IProblem {
    return {
      message: reason instanceof Error ? reason.message : String(reason),
      hint: reason instanceof ApiError ? reason.hint : ''
    };
  }
}
