import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, IDisposable } from '@lumino/disposable';

import { CommandIDs } from './commandids';
import type { IDeployment } from './payloads';
import type { IBentoDeployments } from './tokens';

const NO_ARGS = { args: { type: 'object', properties: {} } };

/**
 * Add the commands that work on the cloud and its deployments.
 *
 * @returns Takes them away again when disposed.
 */
export function addCommands(
  commands: CommandRegistry,
  model: IBentoDeployments,
  trans: TranslationBundle
): IDisposable {
  const nameArgs = {
    args: {
      type: 'object',
      properties: {
        name: {
          type: 'string',
          description: trans.__('Name of the deployment; asked for if absent')
        }
      }
    }
  };
  return DisposableSet.from([
    commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Deployments'),
      caption: trans.__('Ask the cloud again'),
      icon: refreshIcon,
      describedBy: NO_ARGS,
      execute: () => model.refresh()
    }),
    commands.addCommand(CommandIDs.startCloud, {
      label: trans.__('Start Cloud'),
      caption: trans.__('Start the cloud on this machine'),
      icon: runIcon,
      describedBy: NO_ARGS,
      isEnabled: () =>
        model.connection !== 'running' && model.pending('cloud') === null,
      execute: () => model.startCloud()
    }),
    commands.addCommand(CommandIDs.stopCloud, {
      label: trans.__('Stop Cloud…'),
      caption: trans.__('Stop the cloud and everything it runs'),
      icon: stopIcon,
      describedBy: NO_ARGS,
      isEnabled: () =>
        model.connection === 'running' && model.pending('cloud') === null,
      execute: () => stopCloud(model, trans)
    }),
    commands.addCommand(CommandIDs.start, {
      label: trans.__('Start Deployment…'),
      caption: trans.__('Start a terminated deployment again'),
      describedBy: nameArgs,
      execute: async args => {
        const name = await nameOf(
          args,
          model,
          trans,
          trans.__('Start which deployment?'),
          deployment => deployment.status === 'terminated'
        );
        if (name !== null) {
          await model.start(name);
        }
      }
    }),
    commands.addCommand(CommandIDs.terminate, {
      label: trans.__('Terminate Deployment…'),
      caption: trans.__('Stop all instances of a deployment'),
      describedBy: nameArgs,
      execute: async args => {
        const name = await nameOf(
          args,
          model,
          trans,
          trans.__('Terminate which deployment?'),
          deployment => deployment.status !== 'terminated'
        );
        if (name !== null && (await terminationConfirmed(name, trans))) {
          await model.terminate(name);
        }
      }
    })
  ]);
}

async function stopCloud(
  model: IBentoDeployments,
  trans: TranslationBundle
): Promise<void> {
  const running = (model.overview?.deployments ?? []).filter(
    ({ status }) => status !== 'terminated'
  ).length;
  const { button } = await showDialog({
    title: trans.__('Stop the cloud?'),
    body:
      running === 0
        ? trans.__('Nothing is deployed. You can start it again at any time.')
        : trans._n(
            '%1 deployment stops answering until the cloud is started again.',
            '%1 deployments stop answering until the cloud is started again.',
            running
          ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Stop Cloud') })
    ]
  });
  if (button.accept) {
    await model.stopCloud();
  }
}

async function terminationConfirmed(
  name: string,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title: trans.__('Terminate %1?', name),
    body: trans.__(
      'Its instances stop and its URL no longer answers. It can be started again.'
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Terminate') })
    ]
  });
  return button.accept;
}

/** The deployment that the arguments name, else the one that the user picks; null for none. */
async function nameOf(
  args: ReadonlyPartialJSONObject,
  model: IBentoDeployments,
  trans: TranslationBundle,
  title: string,
  fits: (deployment: IDeployment) => boolean
): Promise<string | null> {
  if (typeof args.name === 'string') {
    return args.name;
  }
  await model.refresh();
  const items = (model.overview?.deployments ?? [])
    .filter(fits)
    .map(({ name }) => name);
  if (items.length === 0) {
    await showDialog({
      title,
      body: trans.__('There is no such deployment now.'),
      buttons: [Dialog.okButton({ label: trans.__('OK') })]
    });
    return null;
  }
  const picked = await InputDialog.getItem({ title, items });
  return picked.button.accept ? picked.value : null;
}
