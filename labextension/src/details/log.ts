import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { BentoApi, ILogQuery, ILogStream } from '../api';
import type { ILogLine } from '../payloads';

/** Lines that are kept at most. */
const MOST_LINES = 5000;

/** Milliseconds until the next try after the first loss, and at most. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;

/** A deployment's log as it is written; comes back by itself when the stream breaks off. */
export class LogFollower implements IDisposable {
  constructor(
    readonly api: BentoApi,
    readonly name: string
  ) {}

  /** The newest lines, oldest first. */
  get lines(): readonly ILogLine[] {
    return this._lines;
  }

  /** Why nothing comes; empty while it does. */
  get problem(): string {
    return this._problem;
  }

  /** Emitted when lines have come, or the stream ended. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Follow other lines from now on. */
  follow(query: ILogQuery): void {
    this._stop();
    this._query = query;
    this._lines = [];
    this._delay = FIRST_DELAY;
    this._begin();
    this._changed.emit();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._stop();
    Signal.clearData(this);
  }

  private _begin(): void {
    let fresh = true;
    this._stream = this.api.followLogs(this.name, this._query, {
      lines: lines => {
        // A stream begins with the newest lines, which are there already after a loss.
        this._lines = (fresh ? lines : [...this._lines, ...lines]).slice(
          -MOST_LINES
        );
        fresh = false;
        this._delay = FIRST_DELAY;
        this._problem = '';
        this._changed.emit();
      },
      ended: reason => {
        this._stream = null;
        this._problem = reason;
        this._timer = setTimeout(() => this._begin(), this._delay);
        this._delay = Math.min(this._delay * 2, LONGEST_DELAY);
        this._changed.emit();
      }
    });
  }

  private _stop(): void {
    clearTimeout(this._timer);
    this._stream?.close();
    this._stream = null;
    this._problem = '';
  }

  private _changed = new Signal<this, void>(this);
  private _delay = FIRST_DELAY;
  private _isDisposed = false;
  private _lines: ILogLine[] = [];
  private _problem = '';
  private _query: ILogQuery = {};
  private _stream: ILogStream | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined = undefined;
}
