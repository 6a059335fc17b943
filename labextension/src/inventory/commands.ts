import {
  Clipboard,
  InputDialog,
  Notification,
  showDialog,
  Dialog
} from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  copyIcon,
  deleteIcon,
  downloadIcon,
  fileUploadIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type {
  ReadonlyJSONObject,
  ReadonlyPartialJSONObject
} from '@lumino/coreutils';
import { DisposableSet, IDisposable } from '@lumino/disposable';

import { ApiError, BentoApi } from '../api';
import { CommandIDs } from '../commandids';
import { confirmed } from '../dialogs';
import type { IBento } from '../payloads';
import type { IBentoDeployments } from '../tokens';
import { InventoryModel } from './model';

/** JupyterLab's own command that shows a folder. */
const GO_TO = 'filebrowser:go-to-path';

/** Name of the cloud on this machine, as `--cloud` has it. */
const EMBEDDED = 'embedded';

/** What the commands work with. */
export interface IInventoryCommandsOptions {
  api: BentoApi;
  commands: CommandRegistry;
  inventory: InventoryModel;
  model: IBentoDeployments;
  trans: TranslationBundle;
}

/**
 * Add the commands that work on Bentos, models and clouds.
 *
 * @returns Takes them away again when disposed.
 */
export function addInventoryCommands(
  options: IInventoryCommandsOptions
): IDisposable {
  const { api, commands, inventory, model, trans } = options;
  const bentoOf = ({ tag }: ReadonlyPartialJSONObject): IBento | undefined =>
    inventory.inventory?.bentos.find(bento => bento.tag === tag);
  const tagOf = async (
    { tag }: ReadonlyPartialJSONObject,
    title: string
  ): Promise<string | null> =>
    typeof tag === 'string' ? tag : askTag(inventory, title, trans);
  const described = (
    properties: Record<string, string>
  ): { args: ReadonlyJSONObject } => ({
    args: {
      type: 'object',
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, description]) => [
          name,
          { type: 'string', description }
        ])
      )
    }
  });
  const tag = trans.__('Tag of the Bento; asked for if absent');
  return DisposableSet.from([
    commands.addCommand(CommandIDs.pushBento, {
      label: trans.__('Push Bento…'),
      caption: trans.__('Send a Bento with its models to a cloud'),
      icon: fileUploadIcon,
      describedBy: described({
        tag,
        cloud: trans.__('Name of the cloud; asked for if absent')
      }),
      execute: async args => {
        const pushed = await tagOf(args, trans.__('Push which Bento?'));
        if (pushed === null) {
          return false;
        }
        const cloud =
          typeof args.cloud === 'string'
            ? args.cloud
            : await askCloud(options, pushed);
        return (
          cloud !== null &&
          shown(api.push(pushed, cloud), {
            pending: trans.__('Pushing %1 to %2…', pushed, cloud),
            success: trans.__('%1 is in %2', pushed, cloud),
            failure: trans.__('%1 was not pushed', pushed)
          }).finally(() => void inventory.refresh())
        );
      }
    }),
    commands.addCommand(CommandIDs.exportBento, {
      label: trans.__('Export Project…'),
      caption: trans.__(
        'Write the readable project of a Bento into a folder; bentoml builds it from there'
      ),
      icon: downloadIcon,
      describedBy: described({ tag }),
      execute: async args => {
        const exported = await tagOf(args, trans.__('Export which Bento?'));
        if (exported === null) {
          return;
        }
        const asked = await InputDialog.getText({
          title: trans.__('Export the project of %1', exported),
          label: trans.__('New folder, as the file browser names it'),
          text: exported.replace(':', '-'),
          okLabel: trans.__('Export')
        });
        const folder = asked.value?.trim() ?? '';
        if (!asked.button.accept || folder === '') {
          return;
        }
        await shown(api.export(exported, folder), {
          pending: trans.__('Exporting %1…', exported),
          success: trans.__('The project is in %1', folder),
          failure: trans.__('%1 was not exported', exported),
          actions: commands.hasCommand(GO_TO)
            ? [
                {
                  label: trans.__('Show'),
                  callback: () => {
                    void commands.execute(GO_TO, { path: folder });
                  }
                }
              ]
            : []
        });
      }
    }),
    commands.addCommand(CommandIDs.copyTag, {
      label: trans.__('Copy Tag'),
      caption: trans.__('Copy the tag of a Bento or a model'),
      icon: copyIcon,
      describedBy: described({ tag }),
      execute: args => {
        Clipboard.copyToSystem(textOf(args.tag));
      }
    }),
    commands.addCommand(CommandIDs.deletePackage, {
      label: trans.__('Delete…'),
      caption: trans.__('Delete a Bento or a model of the cloud'),
      icon: deleteIcon,
      describedBy: described({
        tag: trans.__('Tag of the Bento or model'),
        kind: trans.__('What it is: bentos or models')
      }),
      isEnabled: args => {
        if ((model.overview?.cloud ?? null) === null) {
          return false; // BentoCloud has no call for it, nor tells what is used
        }
        const bento = bentoOf(args);
        return bento === undefined
          ? inventory.inventory?.models.find(model => model.tag === args.tag)
              ?.used_by.length === 0
          : bento.in_cloud && bento.used_by.length === 0;
      },
      execute: async args => {
        const deleted = textOf(args.tag);
        const { cloud } = model;
        const agreed = await confirmed({
          title: trans.__('Delete %1?', deleted),
          body: trans.__(
            'It goes from the cloud’s registry; the local store keeps its own.'
          ),
          accept: trans.__('Delete'),
          cloud,
          trans
        });
        if (agreed) {
          await inventory.delete(
            args.kind === 'models' ? 'models' : 'bentos',
            deleted,
            cloud
          );
        }
      }
    }),
    commands.addCommand(CommandIDs.logIn, {
      label: trans.__('Log In to a Cloud…'),
      caption: trans.__('Log in to a BentoCloud, to push Bentos to it'),
      describedBy: described({}),
      execute: async () => {
        const { askLogin } = await import('./asking');
        const name = await askLogin(api, trans);
        if (name !== null) {
          Notification.success(trans.__('Logged in to %1', name), {
            autoClose: 5000
          });
          await inventory.refresh();
        }
      }
    }),
    commands.addCommand(CommandIDs.startCloudOn, {
      label: trans.__('Start Cloud On…'),
      caption: trans.__(
        'Start the cloud on this machine, and say what runs its instances: processes, containers or a Ray cluster'
      ),
      describedBy: described({}),
      isEnabled: () =>
        model.connection === 'stopped' && model.pending('cloud') === null,
      execute: async () => {
        const { askStart } = await import('./asking');
        if (await askStart(api, trans)) {
          await Promise.all([model.refresh(), inventory.refresh()]);
        }
      }
    }),
    commands.addCommand(CommandIDs.logOut, {
      label: trans.__('Log Out…'),
      caption: trans.__('Forget a cloud and its token'),
      describedBy: described({ name: trans.__('Name of the cloud') }),
      isEnabled: args => typeof args.name === 'string',
      execute: async args => {
        const name = textOf(args.name);
        const agreed = await confirmed({
          title: trans.__('Log out of %1?', name),
          body: trans.__(
            'Its token goes from the file of the bentoml client, for notebooks and shells, too. It stays valid until it is revoked in the console of the cloud.'
          ),
          accept: trans.__('Log Out'),
          trans
        });
        if (agreed) {
          const loggedOut = await shown(api.logOut(name), {
            pending: trans.__('Logging out of %1…', name),
            success: trans.__('Logged out of %1', name),
            failure: trans.__('Still logged in to %1', name)
          });
          if (loggedOut && model.cloud === name) {
            model.cloud = '';
          }
          await inventory.refresh();
        }
      }
    }),
    commands.addCommand(CommandIDs.useCloud, {
      label: trans.__('Make Current'),
      caption: trans.__('Let plain bentoml commands use a cloud'),
      describedBy: described({ name: trans.__('Name of the cloud') }),
      isEnabled: args => typeof args.name === 'string',
      execute: async args => {
        const name = textOf(args.name);
        await shown(api.useContext(name), {
          pending: trans.__('Switching to %1…', name),
          success: trans.__('bentoml commands use %1 now', name),
          failure: trans.__('%1 is not current', name)
        });
        await inventory.refresh();
      }
    })
  ]);

  /** Tell how something goes that takes its time; true when it went well. */
  async function shown(
    job: Promise<void>,
    words: {
      actions?: Notification.IAction[];
      failure: string;
      pending: string;
      success: string;
    }
  ): Promise<boolean> {
    Notification.promise(
      job.then(() => null),
      {
        pending: { message: words.pending, options: { autoClose: false } },
        success: {
          message: () => words.success,
          options: { autoClose: 5000, actions: words.actions ?? [] }
        },
        error: {
          message: reason =>
            trans.__('%1: %2', words.failure, sentence(reason)),
          options: { autoClose: false }
        }
      }
    );
    return job.then(
      () => true,
      () => false
    );
  }
}

/** A text among the arguments of a command; empty for anything else. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The Bento that the user picks; null for none. */
async function askTag(
  inventory: InventoryModel,
  title: string,
  trans: TranslationBundle
): Promise<string | null> {
  await inventory.refresh();
  const items = (inventory.inventory?.bentos ?? []).map(({ tag }) => tag);
  if (items.length === 0) {
    await showDialog({
      title,
      body: trans.__('There is no Bento yet: %bento_build makes one.'),
      buttons: [Dialog.okButton({ label: trans.__('OK') })]
    });
    return null;
  }
  const picked = await InputDialog.getItem({ title, items });
  return picked.button.accept ? picked.value : null;
}

/** The cloud that the user picks to push to; null for none. */
async function askCloud(
  { inventory, model, trans }: IInventoryCommandsOptions,
  tag: string
): Promise<string | null> {
  await inventory.refresh();
  const bento = inventory.inventory?.bentos.find(item => item.tag === tag);
  const others = (inventory.inventory?.contexts ?? [])
    .filter(({ embedded }) => !embedded)
    .map(({ name }) => name);
  const has = bento?.in_cloud === true ? model.cloud || EMBEDDED : '';
  const items = [EMBEDDED, ...others].filter(name => name !== has);
  const title = trans.__('Push %1 to which cloud?', tag);
  if (items.length === 0) {
    await showDialog({
      title,
      body: trans.__(
        'The embedded cloud has it, and you are logged in to no other: “Log In to a Cloud…” does that.'
      ),
      buttons: [Dialog.okButton({ label: trans.__('OK') })]
    });
    return null;
  }
  const picked = await InputDialog.getItem({
    title,
    items,
    okLabel: trans.__('Push')
  });
  return picked.button.accept ? picked.value : null;
}

/** What happened, and what to do about it. */
function sentence(reason: unknown): string {
  const message = reason instanceof Error ? reason.message : String(reason);
  return reason instanceof ApiError && reason.hint
    ? `${message} (${reason.hint})`
    : message;
}
