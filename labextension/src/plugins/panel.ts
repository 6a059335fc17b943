import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { BentoApi } from '../api';
import { CommandIDs } from '../commandids';
import { bentoIcon } from '../icons';
import { addInventoryCommands } from '../inventory/commands';
import { InventoryModel } from '../inventory/model';
import { BentoPanel } from '../panel';
import { IBentoDeployments, IBentoSettings } from '../tokens';

/** The sidebar. */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'bento-jupyter:panel',
  description: 'A sidebar with the deployments of a cloud.',
  autoStart: true,
  requires: [IBentoDeployments, IBentoSettings],
  optional: [ICommandPalette, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IBentoDeployments,
    settings: IBentoSettings,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('bento_jupyter');
    const api = new BentoApi(
      app.serviceManager.serverSettings,
      () => model.cloud
    );
    const inventory = new InventoryModel(api, model);
    addInventoryCommands({
      api,
      commands: app.commands,
      inventory,
      model,
      trans
    });
    const panel = new BentoPanel({
      commands: app.commands,
      inventory,
      model,
      showMenu: event => {
        app.contextMenu.open(event);
      },
      translator: translator ?? nullTranslator
    });
    const apply = (): void => {
      panel.compact = settings.compact;
    };
    settings.changed.connect(apply, panel);
    apply();
    app.shell.add(panel, 'left', { rank: 250, type: 'Bento' });
    restorer?.add(panel, panel.id);
    app.commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Bento Deployments'),
      caption: trans.__('Show the sidebar with the deployments'),
      icon: bentoIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        app.shell.activateById(panel.id);
      }
    });
    for (const command of [
      CommandIDs.showPanel,
      CommandIDs.pushBento,
      CommandIDs.exportBento,
      CommandIDs.logIn,
      CommandIDs.startCloudOn
    ]) {
      palette?.addItem({ command, category: trans.__('Bento') });
    }
  }
};
