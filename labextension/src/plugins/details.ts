import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { BentoApi } from '../api';
import { CommandIDs } from '../commandids';
import type { DetailsWidget } from '../details/widget';
import { bentoIcon } from '../icons';
import { IBentoDeployments } from '../tokens';

/** Details of a deployment in the main area, there again after a reload. */
export const detailsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'bento-jupyter:details',
  description: 'Details of a deployment in the main area.',
  autoStart: true,
  requires: [IBentoDeployments],
  optional: [ICommandPalette, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    deployments: IBentoDeployments,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('bento_jupyter');
    const { commands, shell } = app;
    const tracker = new WidgetTracker<DetailsWidget>({
      namespace: 'bento-jupyter-details'
    });
    commands.addCommand(CommandIDs.openDetails, {
      label: trans.__('Open Details'),
      caption: trans.__('Open the details of a deployment'),
      icon: bentoIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            name: {
              type: 'string',
              description: trans.__(
                'Name of the deployment; asked for if absent'
              )
            },
            current: {
              type: 'boolean',
              description: trans.__('The deployment that the sidebar is at')
            },
            cloud: {
              type: 'string',
              description: trans.__(
                'The cloud that it is in; the one that is shown if absent'
              )
            },
            tab: {
              type: 'string',
              description: trans.__('The tab to open')
            }
          }
        }
      },
      isVisible: args =>
        args.current !== true ||
        (deployments.current !== null &&
          deployments.find(deployments.current) !== null),
      execute: async args => {
        const { askName } = await import('../dialogs');
        const name =
          typeof args.name === 'string'
            ? args.name
            : args.current === true
              ? deployments.current
              : ((
                  await askName(
                    deployments,
                    trans.__('Open the details of which deployment?'),
                    () => true,
                    trans
                  )
                )?.name ?? null);
        if (name === null) {
          return;
        }
        const { DetailsModel, isTab } = await import('../details/model');
        const { DetailsWidget } = await import('../details/widget');
        const cloud =
          typeof args.cloud === 'string' ? args.cloud : deployments.cloud;
        const found = tracker.find(
          ({ model }) => model.name === name && model.cloud === cloud
        );
        const widget =
          found ??
          new DetailsWidget({
            commands,
            model: new DetailsModel({
              api: new BentoApi(app.serviceManager.serverSettings, () => cloud),
              cloud,
              deployments,
              name
            }),
            translator: translator ?? nullTranslator
          });
        if (isTab(args.tab)) {
          widget.model.tab = args.tab;
        }
        if (!found) {
          await tracker.add(widget);
          widget.model.tabChanged.connect(() => {
            void tracker.save(widget);
          }, widget);
          shell.add(widget, 'main', { type: 'Bento' });
        }
        shell.activateById(widget.id);
      }
    });
    palette?.addItem({
      command: CommandIDs.openDetails,
      category: trans.__('Bento')
    });
    void restorer?.restore(tracker, {
      command: CommandIDs.openDetails,
      args: ({ model: { cloud, name, tab } }) => ({ cloud, name, tab }),
      name: ({ model: { cloud, name } }) =>
        cloud ? `${encodeURIComponent(cloud)}:${name}` : name
    });
  }
};
