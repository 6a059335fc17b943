import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commandids';
import { statusWord, toneOf } from '../format';
import { statusIcons } from '../icons';
import { IBentoDeployments } from '../tokens';

/** Deployments among what runs: shutting down is terminating. */
export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: 'bento-jupyter:running',
  description: 'Lists deployments among the running sessions.',
  autoStart: true,
  requires: [IBentoDeployments],
  optional: [IRunningSessionManagers, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IBentoDeployments,
    managers: IRunningSessionManagers | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('bento_jupyter');
    const up = (): string[] =>
      model.connection === 'running'
        ? (model.overview?.deployments ?? [])
            .filter(({ status }) => status !== 'terminated')
            .map(({ name }) => name)
        : [];
    managers?.add({
      name: trans.__('Deployments'),
      supportsMultipleViews: false,
      running: () =>
        up().map(name => ({
          context: name,
          icon: () =>
            statusIcons[toneOf(model.find(name)?.status ?? 'unknown')],
          label: () => name,
          labelTitle: () => model.find(name)?.url ?? name,
          detail: () =>
            statusWord(model.find(name)?.status ?? 'unknown', trans),
          open: () =>
            void app.commands.execute(CommandIDs.openDetails, { name }),
          shutdown: () => void model.terminate(name)
        })),
      shutdownAll: () => {
        for (const name of up()) {
          void model.terminate(name);
        }
      },
      refreshRunning: () => void model.refresh(),
      runningChanged: model.stateChanged,
      shutdownLabel: trans.__('Terminate'),
      shutdownAllLabel: trans.__('Terminate All'),
      // Read when somebody asks for it: another cloud may be shown by then.
      get shutdownAllConfirmationText() {
        return model.cloud === ''
          ? trans.__(
              'Terminate all deployments? Their URLs no longer answer; they can be started again.'
            )
          : trans.__(
              'Terminate all deployments of %1? Their URLs no longer answer; they can be started again.',
              model.cloud
            );
      }
    });
  }
};
