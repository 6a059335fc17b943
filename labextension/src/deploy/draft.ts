import { Debouncer } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { ApiError, BentoApi } from '../api';
import type { IForm, IPlan, IWanted } from '../payloads';
import type { IProblem } from '../tokens';

/** Values of the fields; variables are lines here. */
export type DraftData = Record<string, unknown> & {
  envs?: string;
  name?: string;
};

/** How long after the last change the server is asked what it comes to, in milliseconds. */
const PAUSE = 200;

/**
 * A deployment that is being described.
 *
 * #### Notes
 * The server checks it by the model that the form was made of, so that there
 * is one truth about what fits; nothing is checked here.
 */
export class Draft {
  constructor(options: Draft.IOptions) {
    this._options = options;
    const { data } = options.form;
    this._data = Draft.dataOf(data);
    this._planning = new Debouncer(() => this._plan(), PAUSE);
    void this._planning.invoke();
  }

  /** Whether there is no such deployment yet. */
  get isNew(): boolean {
    return this._options.form.name === '';
  }

  /** Name of the deployment. */
  get name(): string {
    return this._options.form.name || (this._data.name ?? '');
  }

  /** JSON schema of the fields. */
  get schema(): unknown {
    return this._options.form.schema;
  }

  /** Values of the fields. */
  get data(): DraftData {
    return this._data;
  }
  set data(data: DraftData) {
    const next = { ...data };
    if (next.mode !== this._data.mode) {
      // They were meant for the other mode.
      delete next.min;
      delete next.concurrency;
    }
    this._data = next;
    this._refusal = null;
    this._refused = [];
    this._changed.emit();
    void this._planning.invoke();
  }

  /** What it would do; null until it is known. */
  get plan(): IPlan | null {
    return this._planned;
  }

  /** Why it was refused; null when it was not. */
  get refusal(): IProblem | null {
    return this._refusal;
  }

  /** Whether it is being deployed. */
  get busy(): boolean {
    return this._busy;
  }

  /** Problems by field. */
  get problems(): ReadonlyMap<string, string> {
    const found = this._refused.length
      ? this._refused
      : (this._planned?.problems ?? []);
    return new Map(found.map(({ field, message }) => [field, message]));
  }

  /** Emitted when anything here has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What is sent. */
  get wanted(): IWanted {
    const { envs, ...fields } = this._data;
    return {
      update: this._options.form.name,
      owner: this._options.owner,
      fields: { ...fields, envs: Draft.variables(envs ?? '') }
    };
  }

  /** Deploy it; false when that was refused, and `refusal` says why. */
  async deploy(): Promise<boolean> {
    if (this._busy) {
      return false;
    }
    this._busy = true;
    this._refusal = null;
    this._refused = [];
    this._changed.emit();
    try {
      await this._options.api.deploy(this.wanted);
      return true;
    } catch (reason) {
      this._refuse(reason);
      return false;
    } finally {
      this._busy = false;
      this._changed.emit();
    }
  }

  dispose(): void {
    this._planning.dispose();
    Signal.clearData(this);
  }

  private async _plan(): Promise<void> {
    const asked = ++this._asked;
    try {
      const plan = await this._options.api.plan(this.wanted);
      if (asked === this._asked) {
        this._planned = plan;
        this._refused = [];
      }
    } catch (reason) {
      if (asked === this._asked) {
        this._planned = null;
        this._refuse(reason);
      }
    }
    this._changed.emit();
  }

  private _refuse(reason: unknown): void {
    const known = reason instanceof ApiError;
    this._refusal = {
      message: reason instanceof Error ? reason.message : String(reason),
      hint: known ? reason.hint : ''
    };
    this._refused = known ? reason.problems : [];
  }

  private _asked = 0;
  private _busy = false;
  private _changed = new Signal<this, void>(this);
  private _data: DraftData;
  private _options: Draft.IOptions;
  private _planned: IPlan | null = null;
  private _planning: Debouncer;
  private _refusal: IProblem | null = null;
  private _refused: readonly { field: string; message: string }[] = [];
}

/** The namespace for `Draft` statics. */
export namespace Draft {
  /** Options of a draft. */
  export interface IOptions {
    /** Calls the server. */
    api: Pick<BentoApi, 'plan' | 'deploy'>;

    /** How it begins. */
    form: IForm;

    /** Path of the notebook that deploys; empty for none. */
    owner: string;
  }

  /** Values as the server tells them, with variables as lines. */
  export function dataOf(told: unknown): DraftData {
    const { envs, ...rest } = told as Record<string, unknown>;
    return { ...rest, envs: linesOf((envs ?? {}) as Record<string, unknown>) };
  }

  /** Variables as lines; one whose value is kept has a name only. */
  export function linesOf(variables: Record<string, unknown>): string {
    return Object.entries(variables)
      .map(([name, value]) =>
        typeof value === 'string' ? `${name}=${value}` : name
      )
      .join('\n');
  }

  /** Variables of lines; null for one that keeps its value. */
  export function variables(lines: string): Record<string, string | null> {
    return Object.fromEntries(
      lines
        .split('\n')
        .map(line => line.trim())
        .filter(line => line !== '')
        .map(line => {
          const at = line.indexOf('=');
          return at < 0
            ? [line, null]
            : [line.slice(0, at).trim(), line.slice(at + 1)];
        })
    );
  }
}
