import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { BentoApi } from '../api';
import { CommandIDs } from '../commandids';
import { addCloudCommands, addDeploymentCommands } from '../commands';
import { IBentoDeployments } from '../tokens';

/** In the palette, in this order. */
const IN_PALETTE = [
  CommandIDs.deploy,
  CommandIDs.refresh,
  CommandIDs.startCloud,
  CommandIDs.stopCloud,
  CommandIDs.collectGarbage,
  CommandIDs.openPages,
  CommandIDs.copyUrl,
  CommandIDs.copyCurl,
  CommandIDs.copyPython,
  CommandIDs.insertCall,
  CommandIDs.scale,
  CommandIDs.switchMode,
  CommandIDs.update,
  CommandIDs.rollback,
  CommandIDs.restart,
  CommandIDs.start,
  CommandIDs.terminate,
  CommandIDs.remove
];

/** Commands on the cloud and its deployments. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'bento-jupyter:commands',
  description: 'Commands on the cloud that is shown and its deployments.',
  autoStart: true,
  requires: [IBentoDeployments],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IBentoDeployments,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('bento_jupyter');
    const { commands } = app;
    const api = new BentoApi(
      app.serviceManager.serverSettings,
      () => model.cloud
    );
    const askDeployment = async (
      cloud: string,
      meant: { bento?: string; name?: string }
    ): Promise<void> => {
      if (model.connection !== 'running' && model.cloud === '') {
        // A cloud that is asked for something is started, as by the magics.
        await model.startCloud();
      }
      const { askDeployment } = await import('../deploy/dialog');
      const name = await askDeployment({
        ...meant,
        api: api.of(cloud),
        owner: activeNotebook(app),
        trans,
        translator: translator ?? nullTranslator
      });
      if (name !== null && model.cloud === cloud) {
        await model.refresh();
        model.current = name;
        await commands.execute(CommandIDs.showPanel);
      }
    };
    const options = { api, askDeployment, commands, model, trans };
    addCloudCommands(options);
    addDeploymentCommands(options);
    for (const command of IN_PALETTE) {
      palette?.addItem({ command, category: trans.__('Bento') });
    }
    model.stateChanged.connect(() => {
      commands.notifyCommandChanged();
    }, app);
  }
};

/** Path of the notebook in front; empty when there is none. */
function activeNotebook(app: JupyterFrontEnd): string {
  // Of JupyterLab and Notebook 7 alike; their trackers are not needed for a path.
  const widget = app.shell.currentWidget as {
    context?: { path?: unknown };
  } | null;
  const path = widget?.context?.path;
  return typeof path === 'string' && path.endsWith('.ipynb') ? path : '';
}
