import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ISignal, Signal } from '@lumino/signaling';

import type { IBentoSettings, NotificationChoice } from './tokens';

/** Which plugin the settings belong to. */
export const SETTINGS_ID = 'bento-jupyter:plugin';

/** The user's settings, or their defaults. */
export class BentoSettings implements IBentoSettings {
  /** Seconds between two looks at the cloud. */
  get pollSeconds(): number {
    return this._get('pollSeconds', 15);
  }

  /** Whether rows have one line only. */
  get compact(): boolean {
    return this._get<string>('density', 'comfortable') === 'compact';
  }

  /** What is notified of. */
  get notifications(): NotificationChoice {
    return this._get<NotificationChoice>('notifications', 'all');
  }

  /** Emitted when a setting has changed, and when they are there. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Go by these from now on. */
  take(settings: ISettingRegistry.ISettings): void {
    this._settings = settings;
    settings.changed.connect(() => this._changed.emit(), this);
    this._changed.emit();
  }

  private _get<T>(key: string, otherwise: T): T {
    return (this._settings?.get(key).composite as T | undefined) ?? otherwise;
  }

  private _changed = new Signal<this, void>(this);
  private _settings: ISettingRegistry.ISettings | null = null;
}
