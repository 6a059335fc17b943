import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { BentoApi, PackageKind } from '../api';
import type {
  IBento,
  IContext,
  IContextState,
  IImage,
  IPackage
} from '../payloads';
import type { IBentoDeployments } from '../tokens';

/** What a cloud has beside deployments. */
export interface IInventory {
  /** Of the local store, too. */
  bentos: IBento[];
  contexts: IContext[];
  images: IImage[];
  models: IPackage[];
}

/** What the cloud has beside deployments; asked for only while it is looked at. */
export class InventoryModel implements IDisposable {
  constructor(
    readonly api: BentoApi,
    readonly deployments: IBentoDeployments
  ) {
    this._poll = new Poll({
      name: 'bento-jupyter:inventory',
      auto: false,
      frequency: { interval: 30 * 1000, backoff: true, max: 300 * 1000 },
      standby: 'when-hidden',
      factory: () => this._ask()
    });
    this.deployments.stateChanged.connect(() => this._onDeployments(), this);
  }

  /** What there is; null until it is known. */
  get inventory(): IInventory | null {
    return this._inventory;
  }

  /** How the other clouds are; empty until it is known. */
  get states(): readonly IContextState[] {
    return this._states;
  }

  /** Why the last deletion failed; empty when it did not. */
  get problem(): string {
    return this._problem;
  }

  /** Emitted when anything here has changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** Keep it fresh until the returned object is disposed. */
  watch(): IDisposable {
    this._watchers += 1;
    void this._poll.start();
    return new DisposableDelegate(() => {
      this._watchers -= 1;
      if (this._watchers === 0 && !this.isDisposed) {
        void this._poll.stop();
      }
    });
  }

  /** Ask again. */
  async refresh(): Promise<void> {
    await this._ask().catch(() => undefined);
  }

  /** Delete a Bento or a model of a cloud. Failures are in `problem`. */
  async delete(kind: PackageKind, tag: string, cloud: string): Promise<void> {
    this._problem = '';
    try {
      await this.api.of(cloud).deletePackage(kind, tag);
    } catch (reason) {
      this._problem = reason instanceof Error ? reason.message : String(reason);
    }
    await this.refresh();
    this._stateChanged.emit();
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._poll.dispose();
    Signal.clearData(this);
  }

  /** Deployments that came, went or run something else change what is used by whom. */
  private _onDeployments(): void {
    const { cloud, connection, overview } = this.deployments;
    if (cloud !== this._cloud) {
      this._cloud = cloud;
      this._problem = '';
      if (this._inventory !== null) {
        // The clouds are the same ones; what was in the last one is not in this one.
        const { contexts } = this._inventory;
        this._inventory = { bentos: [], contexts, images: [], models: [] };
        this._stateChanged.emit();
      }
    }
    const state = [
      cloud,
      connection,
      ...(overview?.deployments ?? []).map(
        ({ name, bento, image }) => `${name} ${bento} ${image?.status ?? ''}`
      )
    ].join();
    if (state !== this._state) {
      this._state = state;
      if (this._watchers > 0) {
        void this._reload();
      }
    }
  }

  /** Load at once; however much changes meanwhile, load once more after that. */
  private async _reload(): Promise<void> {
    this._isStale = true;
    if (this._isLoading) {
      return;
    }
    this._isLoading = true;
    while (this._isStale && !this.isDisposed) {
      this._isStale = false;
      await this._load().catch(() => undefined);
    }
    this._isLoading = false;
  }

  private async _load(): Promise<void> {
    const { cloud } = this.deployments;
    const contexts = await this.api.contexts();
    const running = this.deployments.connection === 'running';
    const [bentos, models, images] = await Promise.all([
      this.api.bentos(),
      running ? this.api.models() : [],
      running ? this.api.images() : []
    ]);
    if (!this.isDisposed && cloud === this.deployments.cloud) {
      this._inventory = { bentos, contexts, images, models };
      this._stateChanged.emit();
    }
  }

  /** Load, and ask how the other clouds are, which may take their time: what was loaded shows before. */
  private async _ask(): Promise<void> {
    await this._load();
    if (this._inventory?.contexts.some(({ embedded }) => !embedded)) {
      this._states = await this.api.contextStates();
      if (!this.isDisposed) {
        this._stateChanged.emit();
      }
    }
  }

  private _cloud = '';
  private _inventory: IInventory | null = null;
  private _isLoading = false;
  private _isStale = false;
  private _poll: Poll;
  private _problem = '';
  private _state = '';
  private _states: readonly IContextState[] = [];
  private _stateChanged = new Signal<this, void>(this);
  private _watchers = 0;
}
