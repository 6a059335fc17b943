import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commandids';

/** Cards in the launcher. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'bento-jupyter:launcher',
  description: 'Cards in the launcher: the deployments, and a new one.',
  autoStart: true,
  optional: [ILauncher, ITranslator],
  activate: (
    _: JupyterFrontEnd,
    launcher: ILauncher | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('bento_jupyter');
    [CommandIDs.showPanel, CommandIDs.deploy].forEach((command, index) => {
      launcher?.add({
        command,
        category: trans.__('Other'),
        rank: 20 + index
      });
    });
  }
};
