import { Dialog } from '@jupyterlab/apputils';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import React from 'react';

import type { BentoApi } from '../api';
import { unlessFocused } from '../focus';
import { DeployForm } from './DeployForm';
import { Draft } from './draft';

/**
 * Ask for a deployment and deploy it.
 *
 * @returns Its name; null when it was given up.
 */
export async function askDeployment(options: {
  api: BentoApi;

  /** The Bento that is chosen at first; empty for the newest. */
  bento?: string;

  /** The deployment to update; empty for a new one. */
  name?: string;

  /** Path of the notebook that deploys. */
  owner?: string;
  trans: TranslationBundle;
  translator: ITranslator;
}): Promise<string | null> {
  const { api, trans, translator } = options;
  const form = await api.form(options.name ?? '', options.bento ?? '');
  const draft = new Draft({ api, form, owner: options.owner ?? '' });
  const dialog = new DeployDialog(draft, trans, translator);
  const { button } = await dialog.launch();
  const { name } = draft;
  draft.dispose();
  return button.accept ? name : null;
}

/** Stays open until the cloud has taken what it says. */
class DeployDialog extends Dialog<unknown> {
  constructor(draft: Draft, trans: TranslationBundle, translator: ITranslator) {
    super({
      title: draft.isNew
        ? trans.__('Deploy a Bento')
        : trans.__('Update %1', draft.name),
      body: ReactWidget.create(
        <UseSignal signal={draft.changed}>
          {() => (
            <DeployForm draft={draft} trans={trans} translator={translator} />
          )}
        </UseSignal>
      ),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({
          label: draft.isNew ? trans.__('Deploy') : trans.__('Update')
        })
      ],
      focusNodeSelector: unlessFocused('input', 'select')
    });
    this.addClass('jp-BentoDeployDialog');
    this._draft = draft;
  }

  override resolve(index?: number): void {
    if (index === 0) {
      super.resolve(index);
      return;
    }
    void this._draft.deploy().then(done => {
      if (done) {
        super.resolve(index);
      }
    });
  }

  private _draft: Draft;
}
