import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { BentoApi } from './api';
import type { IChange, IDeployment } from './payloads';
import { ScalingForm } from './scalingform';
import type { IBentoDeployments } from './tokens';

/** Ask before something is done. */
export async function confirmed(question: {
  accept: string;
  body: string;

  /** The cloud that it is about, if it is about one; empty for the embedded one. */
  cloud?: string;
  title: string;
  trans: TranslationBundle;

  /** Whether the button is a warning; default true. */
  warn?: boolean;
}): Promise<boolean> {
  const { accept, body, cloud, title, trans } = question;
  const button = question.warn === false ? Dialog.okButton : Dialog.warnButton;
  const answer = await showDialog({
    title,
    body: cloud ? trans.__('In %1: %2', cloud, body) : body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      button({ label: accept })
    ]
  });
  return answer.button.accept;
}

/** The deployment that the user picks; null for none. */
export async function askName(
  model: IBentoDeployments,
  title: string,
  fits: (deployment: IDeployment) => boolean,
  trans: TranslationBundle
): Promise<IDeployment | null> {
  const { cloud } = model;
  await model.refresh();
  if (model.cloud !== cloud) {
    return null;
  }
  const found = (model.overview?.deployments ?? []).filter(fits);
  const items = found.map(({ name }) => name);
  if (items.length === 0) {
    await showDialog({
      title,
      body: trans.__('There is no such deployment now.'),
      buttons: [Dialog.okButton({ label: trans.__('OK') })]
    });
    return null;
  }
  const picked = await InputDialog.getItem({ title, items });
  return picked.button.accept
    ? (found.find(({ name }) => name === picked.value) ?? null)
    : null;
}

/** The revision that the user picks to go back to; null for none. */
export async function askRevision(
  api: BentoApi,
  name: string,
  trans: TranslationBundle
): Promise<number | null> {
  const earlier = (await api.revisions(name)).filter(({ active }) => !active);
  const items = earlier.map(({ bento, number, note }) =>
    [number, bento, note].filter(Boolean).join(' · ')
  );
  if (items.length === 0) {
    return null;
  }
  const title = trans.__('Roll %1 back to which revision?', name);
  const picked = await InputDialog.getItem({ title, items });
  const index = items.indexOf(picked.value ?? '');
  return picked.button.accept ? (earlier[index]?.number ?? null) : null;
}

/** How a deployment is to be scaled; null when it is not. */
export async function askScaling(
  deployment: IDeployment,
  trans: TranslationBundle
): Promise<IChange | null> {
  const body = new ScalingForm(deployment, trans);
  const answer = await showDialog({
    title: trans.__('Scale %1', deployment.name),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Scale') })
    ]
  });
  return answer.button.accept ? answer.value : null;
}
