import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { Signal } from '@lumino/signaling';
import React from 'react';

import { ApiError, BentoApi } from '../api';
import { ProblemNote } from '../components/ProblemNote';
import { unlessFocused } from '../focus';
import type { IProblem } from '../tokens';

/** Address of BentoCloud, until another is typed. */
const BENTOCLOUD = 'https://cloud.bentoml.com';

/** What was typed or chosen, by the name of the field; a box is `on` or empty. */
type Answers = Readonly<Record<string, string>>;

/** A field to be filled in. */
interface IField {
  label: string;
  name: string;

  /** Choices: their values and what stands for them. */
  choices?: readonly (readonly [string, string])[];

  /** The choice of another field that it belongs to. */
  only?: { name: string; value: string };
  type?: 'checkbox' | 'password' | 'text' | 'url';
  value?: string;
}

/** What is asked, and what is done with the answers. */
interface IQuestion {
  accept: string;
  fields: readonly IField[];

  /** The field to begin with. */
  first: string;
  note: string;
  pending: string;
  send: (answers: Answers) => Promise<void>;
  title: string;
}

/**
 * Log in to another cloud.
 *
 * @returns The name of the cloud, or null when it was given up.
 */
export async function askLogin(
  api: BentoApi,
  trans: TranslationBundle
): Promise<string | null> {
  let name: string | null = null;
  await AskingDialog.ask(
    {
      title: trans.__('Log in to a cloud'),
      accept: trans.__('Log In'),
      fields: [
        {
          name: 'endpoint',
          label: trans.__('Address of the cloud'),
          type: 'url',
          value: BENTOCLOUD
        },
        { name: 'token', label: trans.__('API token'), type: 'password' },
        {
          name: 'context',
          label: trans.__('Name to keep it under (empty: its address)')
        }
      ],
      first: 'token',
      note: trans.__(
        'The token stays with the Jupyter server, in the file of the bentoml client; commands in notebooks and shells find it there.'
      ),
      pending: trans.__('Asking the cloud…'),
      send: async ({ context = '', endpoint = '', token = '' }) => {
        await api.login({ endpoint, context, token });
        name = context || endpoint;
      }
    },
    trans
  );
  return name;
}

/** Start the embedded cloud and say what runs its instances; false when it was given up. */
export async function askStart(
  api: BentoApi,
  trans: TranslationBundle
): Promise<boolean> {
  let started = false;
  const only = { name: 'engine', value: 'ray' };
  await AskingDialog.ask(
    {
      title: trans.__('Start the cloud on this machine'),
      accept: trans.__('Start'),
      fields: [
        {
          name: 'engine',
          label: trans.__('Instances run as'),
          choices: [
            ['processes', trans.__('processes of this machine')],
            ['containers', trans.__('containers on this machine')],
            ['ray', trans.__('processes on the nodes of a Ray cluster')]
          ]
        },
        {
          name: 'address',
          label: trans.__('Dashboard of the cluster (http://HEAD:8265)'),
          only,
          type: 'url'
        },
        {
          name: 'token',
          label: trans.__('Its token (empty: it wants none)'),
          only,
          type: 'password'
        },
        {
          name: 'tls',
          label: trans.__('TLS between this machine and the nodes'),
          only,
          type: 'checkbox'
        }
      ],
      first: 'engine',
      note: trans.__(
        'It starts like that again, whatever starts it. A token stays in the cloud’s own folder, for your eyes only.'
      ),
      pending: trans.__('Starting the cloud…'),
      send: async ({ address = '', engine = '', tls = '', token = '' }) => {
        await api.startCloudOn({
          engine: engine as 'containers' | 'processes' | 'ray',
          ray_address: address,
          ray_token: token,
          ray_tls: tls !== ''
        });
        started = true;
      }
    },
    trans
  );
  return started;
}

/**
 * Asks for something; stays open until it is done.
 *
 * #### Notes
 * A secret is in its input field and in one request, and nowhere else: not in
 * the state of a component, nor in any storage of the browser.
 */
class AskingDialog extends Dialog<unknown> {
  /** Ask, until it is done or given up. */
  static async ask(
    question: IQuestion,
    trans: TranslationBundle
  ): Promise<void> {
    await new AskingDialog(question, trans).launch();
  }

  private constructor(question: IQuestion, trans: TranslationBundle) {
    const form = new AskingForm(question);
    super({
      title: question.title,
      body: form,
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: question.accept })
      ],
      focusNodeSelector: unlessFocused(`[name='${question.first}']`)
    });
    this._form = form;
  }

  override resolve(index?: number): void {
    if (index === 0) {
      this._form.forget();
      super.resolve(index);
      return;
    }
    void this._form.submit().then(done => {
      if (done) {
        super.resolve(index);
      }
    });
  }

  private _form: AskingForm;
}

/** The fields; uncontrolled, so that React never holds a secret. */
class AskingForm extends ReactWidget {
  constructor(question: IQuestion) {
    super();
    this._question = question;
    this.addClass('jp-BentoForm');
  }

  /** Do what was asked for; false when that was refused, which is then said. */
  async submit(): Promise<boolean> {
    if (this._busy) {
      return false;
    }
    this._busy = true;
    this._tell(null);
    try {
      await this._question.send(this._answers());
      this.forget();
      return true;
    } catch (reason) {
      this._busy = false;
      this._tell({
        message: reason instanceof Error ? reason.message : String(reason),
        hint: reason instanceof ApiError ? reason.hint : ''
      });
      const first = this._field(this._question.first);
      first?.focus();
      if (first instanceof HTMLInputElement) {
        first.select();
      }
      return false;
    }
  }

  /** Leave nothing of a secret in the page. */
  forget(): void {
    for (const input of this.node.querySelectorAll<HTMLInputElement>(
      'input[type=password]'
    )) {
      input.value = '';
    }
  }

  protected override render(): React.JSX.Element {
    const { fields, first, note, pending } = this._question;
    return (
      <UseSignal signal={this._changed}>
        {() => (
          <>
            {fields
              .filter(
                ({ only }) =>
                  only === undefined || this._chosen[only.name] === only.value
              )
              .map(field => (
                <label key={field.name}>
                  {field.type !== 'checkbox' && field.label}
                  {field.choices === undefined ? (
                    <input
                      className={
                        field.type === 'checkbox' ? '' : 'jp-mod-styled'
                      }
                      type={field.type ?? 'text'}
                      name={field.name}
                      // The dialog itself waits with it until the browser is idle.
                      autoFocus={field.name === first}
                      defaultValue={
                        field.type === 'checkbox' ? 'on' : field.value
                      }
                      spellCheck={false}
                      autoComplete="off"
                    />
                  ) : (
                    <select
                      className="jp-mod-styled"
                      name={field.name}
                      autoFocus={field.name === first}
                      onChange={({ target }) => {
                        this._chosen[field.name] = target.value;
                        this._tell(null);
                      }}
                    >
                      {field.choices.map(([value, words]) => (
                        <option key={value} value={value}>
                          {words}
                        </option>
                      ))}
                    </select>
                  )}
                  {field.type === 'checkbox' && field.label}
                </label>
              ))}
            <small>{note}</small>
            {this._busy && <p role="status">{pending}</p>}
            {this._problem && <ProblemNote problem={this._problem} />}
          </>
        )}
      </UseSignal>
    );
  }

  private _tell(problem: IProblem | null): void {
    this._problem = problem;
    this._changed.emit();
  }

  private _answers(): Answers {
    return Object.fromEntries(
      this._question.fields.map(({ name }) => {
        const field = this._field(name);
        const left =
          field === null ||
          (field instanceof HTMLInputElement &&
            field.type === 'checkbox' &&
            !field.checked);
        return [name, left ? '' : field.value.trim()];
      })
    );
  }

  private _field(name: string): HTMLInputElement | HTMLSelectElement | null {
    return this.node.querySelector(`[name='${name}']`);
  }

  private _busy = false;
  private _changed = new Signal<this, void>(this);
  private _chosen: Record<string, string> = {};
  private _problem: IProblem | null = null;
  private _question: IQuestion;
}
