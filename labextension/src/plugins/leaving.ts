import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { BentoApi } from '../api';
import { CommandIDs } from '../commandids';
import { leftBy } from '../turns';
import { IBentoDeployments, IBentoSettings } from '../tokens';

/** Tells what a notebook leaves running when its kernel is shut down. */
export const leavingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'bento-jupyter:leaving',
  description: 'Tells what a notebook leaves running when its kernel ends.',
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
    const { serverSettings, sessions } = app.serviceManager;
    // Whichever cloud is shown: what others have deployed from a notebook of the same path is theirs.
    const embedded = new BentoApi(serverSettings);
    let before = new Set<string>();
    const tell = async (path: string): Promise<void> => {
      if (settings.notifications === 'none') {
        return;
      }
      const overview = await embedded.overview().catch(() => null);
      const names = leftBy(overview, path);
      if (names.length === 0) {
        return;
      }
      Notification.info(
        trans._n(
          '%2 leaves %3 running',
          '%2 leaves %1 deployments running: %3',
          names.length,
          path.split('/').pop() ?? path,
          names.join(', ')
        ),
        {
          autoClose: false,
          actions: [
            {
              label: trans.__('Show'),
              callback: () => {
                model.cloud = '';
                void app.commands.execute(CommandIDs.showPanel);
              }
            },
            {
              label: trans.__('Terminate'),
              displayType: 'warn',
              callback: () => {
                model.cloud = '';
                names.forEach(name => void model.terminate(name));
              }
            }
          ]
        }
      );
    };
    sessions.runningChanged.connect((_, running) => {
      const now = new Set(
        running
          .filter(({ type }) => type === 'notebook')
          .map(({ path }) => path)
      );
      const ended = [...before].filter(path => !now.has(path));
      // A notebook that was renamed ends under one name and goes on under another.
      const renamed = [...now].some(path => !before.has(path));
      before = now;
      if (!renamed) {
        ended.forEach(path => void tell(path));
      }
    }, app);
  }
};
