import { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { BentoApi } from '../api';
import { isTold } from '../format';
import type {
  IConfiguration,
  IDeployment,
  IEvent,
  IForm,
  IMetrics,
  IRevision
} from '../payloads';
import type { IBentoDeployments } from '../tokens';

/** The tabs of the details. */
export const TABS = [
  'overview',
  'playground',
  'instances',
  'charts',
  'logs',
  'events',
  'revisions',
  'configuration'
] as const;

/** Of which BentoCloud tells nothing. */
const UNTOLD: readonly Tab[] = [
  'instances',
  'charts',
  'logs',
  'events',
  'revisions'
];

/** One of the tabs. */
export type Tab = (typeof TABS)[number];

/** Whether a value is one of the tabs. */
export function isTab(value: unknown): value is Tab {
  return TABS.some(tab => tab === value);
}

/** Over which time charts go. */
export type Period = 'quarter' | 'day';

/** What is known of one deployment beside what the list shows; only what the open tab needs is asked for. */
export class DetailsModel implements IDisposable {
  constructor(options: DetailsModel.IOptions) {
    this.name = options.name;
    this.cloud = options.cloud;
    this.api = options.api;
    this.deployments = options.deployments;
    this._poll = new Poll({
      name: `bento-jupyter:details-${options.name}`,
      auto: false,
      frequency: {
        interval: options.milliseconds ?? 2000,
        backoff: true,
        max: 30 * 1000
      },
      standby: () => this.deployments.connection !== 'running' || 'when-hidden',
      factory: () => this._load()
    });
    this.deployments.stateChanged.connect(() => this._onDeployments(), this);
  }

  /** Calls the server. */
  readonly api: BentoApi;

  /** The cloud that it is in; empty for the embedded one. */
  readonly cloud: string;

  /** The model of the sidebar. */
  readonly deployments: IBentoDeployments;

  /** Name of the deployment. */
  readonly name: string;

  /** Whether its cloud is the one that is shown; of others nothing is asked. */
  get isShown(): boolean {
    return this.cloud === this.deployments.cloud;
  }

  /** How it is now; null when there is none of this name, or its cloud is not shown. */
  get deployment(): IDeployment | null {
    return this.isShown ? this.deployments.find(this.name) : null;
  }

  /** Whether its cloud tells what the open tab is about; if not, it is not asked. */
  get isTold(): boolean {
    const { deployment } = this;
    return (
      deployment === null || isTold(deployment) || !UNTOLD.includes(this._tab)
    );
  }

  /** Its metrics; null until they are there. */
  get metrics(): IMetrics | null {
    return this._metrics;
  }

  /** What happened to it, newest first; null until it is there. */
  get events(): IEvent[] | null {
    return this._events;
  }

  /** Its revisions, newest first; null until they are there. */
  get revisions(): IRevision[] | null {
    return this._revisions;
  }

  /** Its configuration to take elsewhere; null until it is there. */
  get configuration(): IConfiguration | null {
    return this._configuration;
  }

  /** Its configuration by field; null until it is there. */
  get form(): IForm | null {
    return this._form;
  }

  /** Why what the tab shows could not be asked for; empty when it could. */
  get failure(): string {
    return this._failure;
  }

  /** The tab that is open. */
  get tab(): Tab {
    return this._tab;
  }
  set tab(tab: Tab) {
    this._tab = tab;
    this._tabChanged.emit();
    this._stateChanged.emit();
    void this._refresh();
  }

  /** Over which time charts go. */
  get period(): Period {
    return this._period;
  }
  set period(period: Period) {
    this._period = period;
    this._metrics = null;
    this._stateChanged.emit();
    void this._refresh();
  }

  /** Emitted when anything here has changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  /** Emitted when another tab was opened. */
  get tabChanged(): ISignal<this, void> {
    return this._tabChanged;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** Keep it fresh, or no longer. */
  set watched(watched: boolean) {
    if (!this.isDisposed) {
      void (watched ? this._poll.start() : this._poll.stop());
    }
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._poll.dispose();
    Signal.clearData(this);
  }

  private _onDeployments(): void {
    const newest = this.deployment?.event_id ?? 0;
    if (newest !== this._newest) {
      this._newest = newest;
      void this._refresh();
    }
    this._stateChanged.emit();
  }

  private async _refresh(): Promise<void> {
    await this._load().catch(() => undefined);
  }

  private async _load(): Promise<void> {
    if (this.deployment === null || !this.isTold) {
      return; // there is nothing to ask about, and the widget says so
    }
    const { api, name } = this;
    const tab = this._tab;
    try {
      switch (tab) {
        case 'charts': {
          const period = this._period;
          const found = await api.metrics(name, period === 'day' ? 60 : 1);
          if (period === this._period) {
            this._metrics = found;
          }
          break;
        }
        case 'events':
          this._events = await api.events(name);
          break;
        case 'revisions':
          this._revisions = await api.revisions(name);
          break;
        case 'configuration':
          [this._configuration, this._form] = await Promise.all([
            api.configuration(name),
            api.form(name, '')
          ]);
          break;
        default:
          break;
      }
      this._failure = '';
    } catch (reason) {
      this._failure = reason instanceof Error ? reason.message : String(reason);
      throw reason;
    } finally {
      if (!this.isDisposed) {
        this._stateChanged.emit();
      }
    }
  }

  private _configuration: IConfiguration | null = null;
  private _events: IEvent[] | null = null;
  private _form: IForm | null = null;
  private _failure = '';
  private _metrics: IMetrics | null = null;
  private _newest = 0;
  private _period: Period = 'quarter';
  private _poll: Poll;
  private _revisions: IRevision[] | null = null;
  private _stateChanged = new Signal<this, void>(this);
  private _tab: Tab = 'overview';
  private _tabChanged = new Signal<this, void>(this);
}

/** The namespace for `DetailsModel` statics. */
export namespace DetailsModel {
  /** Options of a model. */
  export interface IOptions {
    /** Calls the server, about this cloud. */
    api: BentoApi;

    /** The cloud that it is in; empty for the embedded one. */
    cloud: string;

    /** The model of the sidebar. */
    deployments: IBentoDeployments;

    /** Milliseconds between two looks; default 2000. */
    milliseconds?: number;

    /** Name of the deployment. */
    name: string;
  }
}
