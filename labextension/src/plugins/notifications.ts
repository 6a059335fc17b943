import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commandids';
import { Turn, turnsBetween } from '../turns';
import { IBentoDeployments, IBentoSettings } from '../tokens';

/** Longest text of a notification. */
const MOST_CHARACTERS = 140;

/** Tells when a deployment has come up or failed. */
export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'bento-jupyter:notifications',
  description: 'Tells when a deployment has come up, or failed.',
  autoStart: true,
  requires: [IBentoDeployments, IBentoSettings],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IBentoDeployments,
    settings: IBentoSettings,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('bento_jupyter');
    const tell = ({ name, kind, reason }: Turn): void => {
      const { cloud } = model; // another may be shown when somebody clicks
      const actions = [
        {
          label: trans.__('Details'),
          callback: () => {
            void app.commands.execute(CommandIDs.openDetails, {
              cloud,
              name
            });
          }
        },
        {
          label: trans.__('Logs'),
          callback: () => {
            void app.commands.execute(CommandIDs.openDetails, {
              cloud,
              name,
              tab: 'logs'
            });
          }
        }
      ];
      if (kind === 'failed') {
        const text = reason
          ? trans.__('%1 failed: %2', name, reason)
          : trans.__('%1 failed', name);
        Notification.error(text.slice(0, MOST_CHARACTERS), {
          actions,
          autoClose: false
        });
      } else if (settings.notifications === 'all') {
        Notification.success(trans.__('%1 is deployed', name), {
          actions: actions.slice(0, 1),
          autoClose: 5000
        });
      }
    };
    let before = model.overview;
    model.stateChanged.connect(() => {
      const now = model.overview;
      if (now !== before) {
        const turns = turnsBetween(before, now);
        before = now;
        if (settings.notifications !== 'none') {
          turns.forEach(tell);
        }
      }
    }, app);
  }
};
