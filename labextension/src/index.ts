import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { BentoApi } from './api';
import { CommandIDs } from './commandids';
import { addCommands } from './commands';
import { DeploymentsModel, EVENT_SCHEMA_ID } from './model';
import { BentoPanel } from './panel';
import { IBentoDeployments } from './tokens';

export { IBentoDeployments } from './tokens';

const MODEL_ID = 'bento-jupyter:plugin';

/** Knows the deployments. Only what JupyterLab and Notebook 7 both have is required here and below. */
const modelPlugin: JupyterFrontEndPlugin<IBentoDeployments> = {
  id: MODEL_ID,
  description:
    'Provides the deployments of the embedded cloud, as the server extension tells them.',
  autoStart: true,
  provides: IBentoDeployments,
  optional: [ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    settingRegistry: ISettingRegistry | null
  ): IBentoDeployments => {
    const { events, serverSettings } = app.serviceManager;
    const model = new DeploymentsModel({ api: new BentoApi(serverSettings) });
    events.stream.connect((_, event) => {
      if (event.schema_id === EVENT_SCHEMA_ID) {
        model.hint();
      }
    }, model);
    settingRegistry?.load(MODEL_ID).then(
      settings => {
        const apply = (): void => {
          model.logLines = settings.get('logLines').composite as number;
          model.pollSeconds = settings.get('pollSeconds').composite as number;
        };
        settings.changed.connect(apply, model);
        apply();
      },
      (reason: unknown) => {
        console.warn('bento-jupyter: defaults are used for settings', reason);
      }
    );
    return model;
  }
};

/** Commands on the cloud and its deployments. */
const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'bento-jupyter:commands',
  description:
    'Commands that start and stop the embedded cloud and its deployments.',
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
    addCommands(app.commands, model, trans);
    for (const command of [
      CommandIDs.refresh,
      CommandIDs.startCloud,
      CommandIDs.stopCloud,
      CommandIDs.start,
      CommandIDs.terminate
    ]) {
      palette?.addItem({ command, category: trans.__('Bento') });
    }
    model.stateChanged.connect(() => {
      app.commands.notifyCommandChanged(CommandIDs.startCloud);
      app.commands.notifyCommandChanged(CommandIDs.stopCloud);
    }, app);
  }
};

/** The sidebar. */
const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'bento-jupyter:panel',
  description: 'A sidebar with the deployments of the embedded cloud.',
  autoStart: true,
  requires: [IBentoDeployments],
  optional: [ICommandPalette, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IBentoDeployments,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('bento_jupyter');
    const panel = new BentoPanel({
      commands: app.commands,
      model,
      translator: translator ?? nullTranslator
    });
    app.shell.add(panel, 'left', { rank: 250, type: 'Bento' });
    restorer?.add(panel, panel.id);
    app.commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Bento Deployments'),
      caption: trans.__('Show the sidebar with the deployments'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        app.shell.activateById(panel.id);
      }
    });
    palette?.addItem({
      command: CommandIDs.showPanel,
      category: trans.__('Bento')
    });
  }
};

export default [modelPlugin, commandsPlugin, panelPlugin];
