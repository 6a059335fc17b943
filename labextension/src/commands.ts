import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  LabIcon,
  copyIcon,
  refreshIcon,
  runIcon,
  stopIcon,
  deleteIcon,
  launchIcon,
  undoIcon,
  addIcon,
  editIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, IDisposable } from '@lumino/disposable';

import type { BentoApi } from './api';
import { CommandIDs } from './commandids';
import { askName, askRevision, askScaling, confirmed } from './dialogs';
import { callCell, curlSnippet, isThere, pythonSnippet } from './format';
import { bentoIcon, restartIcon, scaleIcon, switchIcon } from './icons';
import type { IDeployment } from './payloads';
import type { IBentoDeployments } from './tokens';

/** JupyterLab's own commands that write into the active notebook. */
const INSERT_CELL = 'notebook:insert-cell-below';
const WRITE_CELL = 'notebook:replace-selection';

/** What a command about a deployment is made of. */
interface IDeploymentCommand {
  label: string;
  caption: string;
  icon?: LabIcon;

  /** What is asked when no deployment is named. */
  question: string;

  /** Which deployments it can be run on; absent = all. */
  fits?: (deployment: IDeployment) => boolean;

  /** `cloud` is the one that the deployment is in: another may be shown once a question is answered. */
  run: (
    deployment: IDeployment,
    args: ReadonlyPartialJSONObject,
    cloud: string
  ) => unknown;
}

/** What the commands work with. */
export interface ICommandsOptions {
  api: BentoApi;

  /** Opens the dialog that deploys in a cloud: a new one, of `bento` if given, or an update of `name`. */
  askDeployment: (
    cloud: string,
    meant: { bento?: string; name?: string }
  ) => Promise<void>;
  commands: CommandRegistry;
  model: IBentoDeployments;
  trans: TranslationBundle;
}

const isOff = ({ status }: IDeployment): boolean => status === 'terminated';
const isOn = (deployment: IDeployment): boolean => !isOff(deployment);
const hasUrl = ({ url }: IDeployment): boolean => url !== null;

/**
 * Add the commands that work on deployments.
 *
 * @returns Takes them away again when disposed.
 */
export function addDeploymentCommands(options: ICommandsOptions): IDisposable {
  const { api, commands, model, trans } = options;
  const copied = (what: string, text: string | null): void => {
    if (text !== null) {
      Clipboard.copyToSystem(text);
      Notification.info(what, { autoClose: 2000 });
    }
  };
  const add = (id: string, command: IDeploymentCommand): IDisposable =>
    addOne(options, id, command);
  return DisposableSet.from([
    add(CommandIDs.copyUrl, {
      label: trans.__('Copy URL'),
      caption: trans.__('Copy the address of a deployment'),
      icon: copyIcon,
      question: trans.__('Copy the URL of which deployment?'),
      fits: hasUrl,
      run: ({ name, url }) => copied(trans.__('URL of %1 copied', name), url)
    }),
    add(CommandIDs.copyCurl, {
      label: trans.__('Copy curl Command'),
      caption: trans.__('Copy a shell command that calls a deployment'),
      question: trans.__('Copy a command that calls which deployment?'),
      fits: hasUrl,
      run: deployment =>
        copied(
          trans.__('Command that calls %1 copied', deployment.name),
          curlSnippet(deployment)
        )
    }),
    add(CommandIDs.copyPython, {
      label: trans.__('Copy Python Program'),
      caption: trans.__('Copy a Python program that calls a deployment'),
      question: trans.__('Copy a program that calls which deployment?'),
      fits: hasUrl,
      run: deployment =>
        copied(
          trans.__('Program that calls %1 copied', deployment.name),
          pythonSnippet(deployment)
        )
    }),
    add(CommandIDs.insertCall, {
      label: trans.__('Insert Call into Notebook'),
      caption: trans.__(
        'Insert a cell that calls a deployment into the active notebook'
      ),
      icon: addIcon,
      question: trans.__('Insert a call of which deployment?'),
      fits: deployment =>
        isOn(deployment) &&
        commands.hasCommand(INSERT_CELL) &&
        commands.isEnabled(INSERT_CELL),
      run: async (deployment, _, cloud) => {
        await commands.execute(INSERT_CELL);
        await commands.execute(WRITE_CELL, {
          text: callCell(deployment, cloud)
        });
      }
    }),
    add(CommandIDs.openPages, {
      label: trans.__('Open Swagger Page'),
      caption: trans.__('Open the page where a deployment can be tried'),
      icon: launchIcon,
      question: trans.__('Open the page of which deployment?'),
      fits: deployment => isOn(deployment) && hasUrl(deployment),
      run: ({ name }, _, cloud) => {
        window.open(api.of(cloud).pagesUrl(name), '_blank', 'noopener');
      }
    }),
    add(CommandIDs.scale, {
      label: trans.__('Scale…'),
      caption: trans.__('Change the number of instances of a deployment'),
      icon: scaleIcon,
      question: trans.__('Scale which deployment?'),
      fits: isOn,
      run: async (deployment, _, cloud) => {
        const change = await askScaling(deployment, trans);
        if (change !== null) {
          await model.change(deployment.name, change, cloud);
        }
      }
    }),
    add(CommandIDs.switchMode, {
      label: trans.__('Switch Mode…'),
      caption: trans.__(
        'Make an Online Service an On-Demand Function, or the other way round'
      ),
      icon: switchIcon,
      question: trans.__('Switch the mode of which deployment?'),
      fits: isOn,
      run: async ({ mode, name }, _, cloud) => {
        const online = mode === 'online';
        const agreed = await confirmed({
          title: online
            ? trans.__('Make %1 an On-Demand Function?', name)
            : trans.__('Make %1 an Online Service?', name),
          body: online
            ? trans.__(
                'Instances start when requests come, which wait meanwhile; nothing runs while it is idle.'
              )
            : trans.__(
                'At least one instance is always up: the lowest latency, but it uses memory all the time.'
              ),
          accept: trans.__('Switch'),
          cloud,
          warn: false,
          trans
        });
        if (agreed) {
          const mode = online ? 'on-demand' : 'online';
          await model.change(name, { mode }, cloud);
        }
      }
    }),
    add(CommandIDs.update, {
      label: trans.__('Update…'),
      caption: trans.__(
        'Change the Bento, the instances or the settings of a deployment'
      ),
      icon: editIcon,
      question: trans.__('Update which deployment?'),
      run: ({ name }, _, cloud) => options.askDeployment(cloud, { name })
    }),
    add(CommandIDs.rollback, {
      label: trans.__('Roll Back…'),
      caption: trans.__('Go back to an earlier revision of a deployment'),
      icon: undoIcon,
      question: trans.__('Roll back which deployment?'),
      fits: ({ revision }) => revision > 1,
      run: async ({ name }, args, cloud) => {
        const revision =
          typeof args.revision === 'number'
            ? args.revision
            : await askRevision(api.of(cloud), name, trans);
        if (revision === null) {
          return;
        }
        const agreed = await confirmed({
          title: trans.__('Roll %1 back to revision %2?', name, revision),
          body: trans.__(
            'It gets a new revision that asks for what that one asked for. What runs now answers until the new instances are ready.'
          ),
          accept: trans.__('Roll Back'),
          cloud,
          warn: false,
          trans
        });
        if (agreed) {
          await model.rollback(name, revision, cloud);
        }
      }
    }),
    add(CommandIDs.restart, {
      label: trans.__('Restart'),
      caption: trans.__('Replace all instances of a deployment by new ones'),
      icon: restartIcon,
      question: trans.__('Restart which deployment?'),
      fits: isOn,
      run: ({ name }, _, cloud) => model.restart(name, cloud)
    }),
    add(CommandIDs.start, {
      label: trans.__('Start'),
      caption: trans.__('Start a terminated deployment again'),
      icon: runIcon,
      question: trans.__('Start which deployment?'),
      fits: isOff,
      run: ({ name }, _, cloud) => model.start(name, cloud)
    }),
    add(CommandIDs.terminate, {
      label: trans.__('Terminate…'),
      caption: trans.__('Stop all instances of a deployment'),
      icon: stopIcon,
      question: trans.__('Terminate which deployment?'),
      fits: isOn,
      run: async ({ name }, _, cloud) => {
        const agreed = await confirmed({
          title: trans.__('Terminate %1?', name),
          body: trans.__(
            'Its instances stop and its URL no longer answers. It can be started again.'
          ),
          accept: trans.__('Terminate'),
          cloud,
          trans
        });
        if (agreed) {
          await model.terminate(name, cloud);
        }
      }
    }),
    add(CommandIDs.remove, {
      label: trans.__('Delete…'),
      caption: trans.__('Delete a deployment for good'),
      icon: deleteIcon,
      question: trans.__('Delete which deployment?'),
      run: async ({ name }, _, cloud) => {
        const agreed = await confirmed({
          title: trans.__('Delete %1?', name),
          body: trans.__(
            'Its revisions, logs and address go with it. This cannot be undone.'
          ),
          accept: trans.__('Delete'),
          cloud,
          trans
        });
        if (agreed) {
          await model.delete(name, cloud);
        }
      }
    })
  ]);
}

/** Add one command about a deployment. */
function addOne(
  options: ICommandsOptions,
  id: string,
  command: IDeploymentCommand
): IDisposable {
  const { commands, model, trans } = options;
  const fits = command.fits ?? (() => true);
  const meant = (args: ReadonlyPartialJSONObject): IDeployment | null => {
    if (typeof args.cloud === 'string' && args.cloud !== model.cloud) {
      return null; // there may be another one of this name
    }
    const name =
      typeof args.name === 'string'
        ? args.name
        : args.current === true
          ? model.current
          : null;
    return name === null ? null : model.find(name);
  };
  return commands.addCommand(id, {
    label: args => (args.toolbar === true ? '' : command.label),
    caption: command.caption,
    icon: command.icon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          name: {
            type: 'string',
            description: trans.__('Name of the deployment; asked for if absent')
          },
          current: {
            type: 'boolean',
            description: trans.__('The deployment that the sidebar is at')
          },
          revision: {
            type: 'number',
            description: trans.__('Number of a revision')
          },
          toolbar: {
            type: 'boolean',
            description: trans.__('Without a label')
          }
        }
      }
    },
    isEnabled: args => {
      const deployment = meant(args);
      if (deployment === null) {
        // One that is to be asked for: there must be one.
        return args.current !== true && typeof args.name !== 'string';
      }
      return (
        fits(deployment) &&
        model.connection === 'running' &&
        model.pending({ deployment: deployment.name }) === null
      );
    },
    isVisible: args => {
      const deployment = meant(args);
      // Of two that exclude each other the menu shows one.
      return (
        args.current !== true ||
        (deployment !== null &&
          (id === CommandIDs.start ? isOff(deployment) : true) &&
          (id === CommandIDs.terminate ? isOn(deployment) : true))
      );
    },
    execute: async args => {
      const { cloud } = model;
      const found =
        meant(args) ?? (await askName(model, command.question, fits, trans));
      if (found !== null) {
        await command.run(found, args, cloud);
      }
    }
  });
}

/**
 * Add the commands that work on the cloud.
 *
 * @returns Takes them away again when disposed.
 */
export function addCloudCommands(options: ICommandsOptions): IDisposable {
  const { api, commands, model, trans } = options;
  const describedBy = { args: { type: 'object', properties: {} } };
  return DisposableSet.from([
    commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Deployments'),
      caption: trans.__('Ask the cloud again'),
      icon: refreshIcon,
      describedBy,
      execute: () => model.refresh()
    }),
    commands.addCommand(CommandIDs.deploy, {
      label: args => (args.toolbar === true ? '' : trans.__('Deploy a Bento…')),
      caption: trans.__('Deploy a Bento of the cloud'),
      icon: bentoIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            bento: {
              type: 'string',
              description: trans.__('Tag of the Bento; the newest if absent')
            },
            cloud: {
              type: 'string',
              description: trans.__(
                'The cloud to deploy in; the one that is shown if absent'
              )
            },
            toolbar: {
              type: 'boolean',
              description: trans.__('Without a label')
            }
          }
        }
      },
      isEnabled: () => model.pending('cloud') === null,
      execute: args =>
        options.askDeployment(
          typeof args.cloud === 'string' ? args.cloud : model.cloud,
          typeof args.bento === 'string' ? { bento: args.bento } : {}
        )
    }),
    commands.addCommand(CommandIDs.startCloud, {
      label: trans.__('Start Cloud'),
      caption: trans.__('Start the cloud on this machine'),
      icon: runIcon,
      describedBy,
      isEnabled: () =>
        model.cloud === '' &&
        model.connection !== 'running' &&
        model.pending('cloud') === null,
      execute: () => model.startCloud()
    }),
    commands.addCommand(CommandIDs.stopCloud, {
      label: trans.__('Stop Cloud…'),
      caption: trans.__('Stop the cloud and everything it runs'),
      icon: stopIcon,
      describedBy,
      isEnabled: () =>
        model.cloud === '' &&
        isThere(model.connection) &&
        model.pending('cloud') === null,
      execute: async () => {
        const running = (model.overview?.deployments ?? []).filter(isOn).length;
        const agreed = await confirmed({
          title: trans.__('Stop the cloud?'),
          body:
            model.connection !== 'running'
              ? trans.__(
                  'Deployments stop answering until the cloud is started again.'
                )
              : running === 0
                ? trans.__(
                    'Nothing is deployed. You can start it again at any time.'
                  )
                : trans._n(
                    '%1 deployment stops answering until the cloud is started again.',
                    '%1 deployments stop answering until the cloud is started again.',
                    running
                  ),
          accept: trans.__('Stop Cloud'),
          trans
        });
        if (agreed) {
          await model.stopCloud();
        }
      }
    }),
    commands.addCommand(CommandIDs.collectGarbage, {
      label: trans.__('Free Disk Space…'),
      caption: trans.__('Delete what the cloud keeps and nobody needs'),
      describedBy,
      isEnabled: () => (model.overview?.cloud ?? null) !== null,
      execute: async () => {
        const { cloud } = model;
        const shown = api.of(cloud);
        const found = await shown.garbage();
        const megabytes = Math.round(found.bytes / 2 ** 20);
        const agreed = await confirmed({
          title: trans.__('Free disk space?'),
          body: trans._n(
            '%1 thing that nobody needs goes: %2 MB.',
            '%1 things that nobody needs go: %2 MB.',
            found.items.length,
            megabytes
          ),
          accept: trans.__('Delete'),
          cloud,
          trans
        });
        if (agreed) {
          await shown.collectGarbage();
        }
      }
    })
  ]);
}
