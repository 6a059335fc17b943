import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commandids';

/** A card in the launcher. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'bento-jupyter:launcher',
  description: 'A card in the launcher that shows the deployments.',
  autoStart: true,
  optional: [ILauncher, ITranslator],
  activate: (
    _: JupyterFrontEnd,
    launcher: ILauncher | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('bento_jupyter');
    launcher?.add({
      command: CommandIDs.showPanel,
      category: trans.__('Other'),
      rank: 20
    });
  }
};
