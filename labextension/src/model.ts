import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { IPoll, Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { ApiError, BentoApi } from './api';
import type {
  IChange,
  IChanges,
  IDeployment,
  IHint,
  IOverview,
  ITrafficItem
} from './payloads';
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
 * The deployments of the cloud that is shown, as the server extension tells them.
 *
 * #### Notes
 * Hints say that something changed, a slow poll is the truth: hints may be lost
 * while a connection is down, and a poll heals that. Nothing is asked while
 * nobody watches.
 */
export class DeploymentsModel implements IBentoDeployments, IDisposable {
  constructor(options: DeploymentsModel.IOptions) {
    this._api = options.api;
    this._pollSeconds = options.pollSeconds ?? 15;
    this._poll = new Poll({
      name: 'bento-jupyter:overview',
      auto: false,
      frequency: Private.frequency((options.pollSeconds ?? 15) * 1000),
      standby: 'when-hidden',
      factory: () => this._load()
    });
    this._trafficPoll = new Poll({
      name: 'bento-jupyter:traffic',
      auto: false,
      frequency: {
        interval: options.trafficMilliseconds ?? 5000,
        backoff: true,
        max: 60 * 1000
      },
      standby: () => this._connection !== 'running' || 'when-hidden',
      factory: () => this._loadTraffic()
    });
  }

  get cloud(): string {
    return this._cloud;
  }
  set cloud(cloud: string) {
    if (cloud === this._cloud) {
      return;
    }
    this._cloud = cloud;
    // Answers that are under way are about another one.
    this._answered = ++this._asked;
    this._connection = 'loading';
    this._current = null;
    this._message = '';
    this._overview = null;
    this._byName.clear();
    this._hinted.clear();
    this._pending.clear();
    this._problems.clear();
    this._traffic.clear();
    this._changed();
    if (this._watchers > 0) {
      void this.refresh();
    }
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

  get current(): string | null {
    return this._current;
  }
  set current(name: string | null) {
    if (name !== this._current) {
      this._current = name;
      this._changed();
    }
  }

  /** Seconds between two polls of the overview. */
  get pollSeconds(): number {
    return this._pollSeconds;
  }
  set pollSeconds(seconds: number) {
    this._pollSeconds = seconds;
    this._pace();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._poll.dispose();
    this._trafficPoll.dispose();
    Signal.clearData(this);
  }

  /** Take a hint of the server that something changed: some deployments, or anything. */
  hint(hint: Partial<IHint> = {}): void {
    if (this._watchers === 0) {
      return;
    }
    const { cloud, context, names } = hint;
    if (context !== undefined && context !== this._cloud) {
      return;
    }
    if (
      cloud !== false ||
      names === undefined ||
      this._connection !== 'running'
    ) {
      void this.refresh();
      return;
    }
    names.forEach(name => this._hinted.add(name));
    if (this._hinted.size > Private.MOST_CHANGES) {
      void this.refresh();
    } else {
      void this._loadChanges();
    }
  }

  async refresh(): Promise<void> {
    // Not Poll.refresh(): that drops the wish while an answer is under way,
    // which may have been begun before what a hint is about.
    await this._load().catch(() => undefined);
  }

  watch(closely = true): IDisposable {
    this._count(1, closely);
    return new DisposableDelegate(() => this._count(-1, closely));
  }

  find(name: string): IDeployment | null {
    return this._byName.get(name) ?? null;
  }

  show(names: readonly string[]): void {
    const before = new Set(this._shown);
    this._shown = names;
    this._arrange();
    if (names.some(name => !before.has(name))) {
      void this._trafficPoll.refresh();
    }
  }

  traffic(name: string): ITrafficItem | null {
    return this._traffic.get(name) ?? null;
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

  restartCloud(): Promise<void> {
    return this._act('cloud', 'start', async () => {
      await this._api.stopCloud();
      await this._api.startCloud();
    });
  }

  start(name: string, cloud = this._cloud): Promise<void> {
    return this._do(name, 'start', cloud, api => api.start(name));
  }

  terminate(name: string, cloud = this._cloud): Promise<void> {
    return this._do(name, 'stop', cloud, api => api.terminate(name));
  }

  restart(name: string, cloud = this._cloud): Promise<void> {
    return this._do(name, 'change', cloud, api => api.restart(name));
  }

  change(name: string, change: IChange, cloud = this._cloud): Promise<void> {
    return this._do(name, 'change', cloud, api => api.change(name, change));
  }

  rollback(name: string, revision: number, cloud = this._cloud): Promise<void> {
    return this._do(name, 'change', cloud, api => api.rollback(name, revision));
  }

  delete(name: string, cloud = this._cloud): Promise<void> {
    return this._do(name, 'stop', cloud, api => api.delete(name));
  }

  /** Do something with a deployment of a cloud; what comes of it shows if that one is shown. */
  private async _do(
    name: string,
    action: Action,
    cloud: string,
    call: (api: BentoApi) => Promise<unknown>
  ): Promise<void> {
    const api = this._api.of(cloud);
    if (cloud === this._cloud) {
      await this._act({ deployment: name }, action, () => call(api));
    } else {
      await call(api);
    }
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
    const cloud = this._cloud;
    this._pending.set(key, action);
    this._problems.delete(key);
    this._changed();
    try {
      await call();
      await this._load();
    } catch (reason) {
      if (cloud === this._cloud) {
        this._problems.set(key, Private.problem(reason));
      }
    } finally {
      if (cloud === this._cloud) {
        this._pending.delete(key);
      }
      this._changed();
    }
  }

  /** Somebody watches, or no longer. */
  private _count(more: 1 | -1, closely: boolean): void {
    this._watchers += more;
    this._closely += closely ? more : 0;
    if (!this._isDisposed) {
      this._pace();
      this._arrange();
    }
  }

  /** Poll while somebody watches, and traffic only of what is on the screen. */
  private _arrange(): void {
    const watched = this._watchers > 0;
    void (watched ? this._poll.start() : this._poll.stop());
    void (watched && this._shown.length > 0
      ? this._trafficPoll.start()
      : this._trafficPoll.stop());
  }

  /**
   * Ask often while the server is away, and a while after: JupyterLab takes its
   * time to subscribe to events again, and there are no hints until then.
   */
  private _pace(): void {
    if (this._connection === 'offline') {
      this._settledAt = Date.now() + Private.SETTLING;
    }
    const { interval } = this._poll.frequency;
    if (Date.now() < this._settledAt) {
      this._poll.frequency = Private.AWAY;
    } else if (['unreachable', 'refused'].includes(this._connection)) {
      // No hint tells that a process goes on that was stopped or too busy.
      this._poll.frequency = Private.STUCK;
    } else if (this._cloud !== '' && this._overview?.cloud === null) {
      // BentoCloud gives no hints at all. Each look is many calls of it, so
      // it is not often asked for what is not on the screen.
      this._poll.frequency =
        this._closely > 0
          ? Private.UNHINTED
          : Private.frequency(this._pollSeconds * 1000);
    } else {
      this._poll.frequency = Private.frequency(this._pollSeconds * 1000);
    }
    const sooner = this._poll.frequency.interval;
    if (sooner < interval && this._watchers > 0) {
      // A new frequency does not move the tick that is due already.
      void this._poll.schedule({ interval: sooner, phase: 'rejected' });
    }
  }

  /** Ask for the overview; rejects, for the poll's back-off, when there is none. */
  private async _load(): Promise<void> {
    const asked = ++this._asked;
    // All that hints were about until now is in what is asked for here.
    this._hinted.clear();
    this._loading += 1;
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
    this._loading -= 1;
    // An answer that was overtaken by a later one is old news.
    if (asked > this._answered && !this._isDisposed) {
      this._answered = asked;
      this._connection = connection;
      this._message = message;
      if (overview) {
        this._take(overview);
      }
      this._pace();
      this._changed();
    }
    if (failure !== null) {
      throw failure;
    }
    void this._loadChanges();
  }

  /**
   * Ask for those that hints have named, one answer after the other.
   *
   * #### Notes
   * Not while all are asked for: what is asked later than an overview must
   * not be covered by it.
   */
  private async _loadChanges(): Promise<void> {
    if (this._changing) {
      return;
    }
    this._changing = true;
    try {
      while (this._hinted.size > 0 && this._loading === 0) {
        const names = [...this._hinted];
        this._hinted.clear();
        const asked = ++this._asked;
        const changes = await this._api.changes(names);
        if (asked > this._answered && !this._isDisposed) {
          this._answered = asked;
          this._put(changes);
          this._changed();
        }
      }
    } catch {
      // Whatever it is, the overview tells it.
      void this.refresh();
    } finally {
      this._changing = false;
    }
  }

  /** Put what has changed over what is known; new ones come last, as in an overview. */
  private _put({ deployments, gone }: IChanges): void {
    if (this._overview === null) {
      return;
    }
    const changed = new Map(
      deployments.map(deployment => [deployment.name, deployment])
    );
    const without = new Set(gone);
    const kept = this._overview.deployments
      .filter(({ name }) => !without.has(name))
      .map(known => {
        const found = changed.get(known.name);
        changed.delete(known.name);
        return found ?? known;
      });
    this._take({
      ...this._overview,
      deployments: [...kept, ...changed.values()]
    });
  }

  /** Take the newest answer, and drop what is kept of deployments that are no more. */
  private _take(overview: IOverview): void {
    this._overview = overview;
    if (overview.state !== 'running') {
      return;
    }
    this._byName = new Map(
      overview.deployments.map(deployment => [deployment.name, deployment])
    );
    for (const name of this._traffic.keys()) {
      if (!this._byName.has(name)) {
        this._traffic.delete(name);
      }
    }
    for (const key of this._problems.keys()) {
      if (key !== 'cloud' && !this._byName.has(Private.nameIn(key))) {
        this._problems.delete(key);
      }
    }
  }

  private async _loadTraffic(): Promise<void> {
    // What was never asked anything has nothing to show.
    const names = this._shown
      .filter(name => (this.find(name)?.requests ?? 0) > 0)
      .slice(0, Private.MOST_NAMES);
    if (names.length === 0 || this._connection !== 'running') {
      return;
    }
    const cloud = this._cloud;
    const items = await this._api.traffic(names);
    if (cloud === this._cloud) {
      items.forEach(item => this._traffic.set(item.name, item));
      this._changed();
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
  private _changing = false;
  private _hinted = new Set<string>();
  private _loading = 0;
  private _byName = new Map<string, IDeployment>();
  private _cloud = '';
  private _closely = 0;
  private _connection: Connection = 'loading';
  private _current: string | null = null;
  private _isDisposed = false;
  private _message = '';
  private _overview: IOverview | null = null;
  private _pending = new Map<string, Action>();
  private _poll: Poll;
  private _pollSeconds: number;
  private _problems = new Map<string, IProblem>();
  private _settledAt = 0;
  private _shown: readonly string[] = [];
  private _stateChanged = new Signal<this, void>(this);
  private _traffic = new Map<string, ITrafficItem>();
  private _trafficPoll: Poll;
  private _watchers = 0;
}

/** The namespace for `DeploymentsModel` statics. */
export namespace DeploymentsModel {
  /** Options of a model. */
  export interface IOptions {
    /** Calls the server. */
    api: BentoApi;

    /** Seconds between two polls of the overview; default 15. */
    pollSeconds?: number;

    /** Milliseconds between two looks at the traffic; default 5000. */
    trafficMilliseconds?: number;
  }
}

namespace Private {
  /** How often a server is asked that did not answer, or did not just now. */
  export const AWAY = { interval: 1000, backoff: true, max: 4000 };

  /** How often a cloud is asked for that is there but does not answer. */
  export const STUCK = { interval: 3000, backoff: true, max: 4000 };

  /** How often a cloud is asked for that tells of no changes by itself. */
  export const UNHINTED = { interval: 3000, backoff: true, max: 60 * 1000 };

  /** Milliseconds after which hints can be relied upon again. */
  export const SETTLING = 60 * 1000;

  /** How often the overview is asked for, with hints between. */
  export function frequency(interval: number): IPoll.Frequency {
    return { interval, backoff: true, max: Math.max(interval, 60 * 1000) };
  }

  /** From how many changed deployments on all are asked for. */
  export const MOST_CHANGES = 60;

  /** Of how many deployments the traffic is asked at once. */
  export const MOST_NAMES = 60;

  /** A key for a target; a deployment may be called "cloud". */
  export function key(target: Target): string {
    return target === 'cloud' ? 'cloud' : `deployment:${target.deployment}`;
  }

  /** The deployment's name that a key was made of. */
  export function nameIn(key: string): string {
    return key.slice(key.indexOf(':') + 1);
  }

  /** What went wrong, in words. */
  export function problem(reason: unknown): IProblem {
    return {
      message: reason instanceof Error ? reason.message : String(reason),
      hint: reason instanceof ApiError ? reason.hint : ''
    };
  }
}
