import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { FormComponent } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type {
  ErrorSchema,
  FieldTemplateProps,
  ObjectFieldTemplateProps,
  RJSFSchema,
  UiSchema,
  ValidatorType
} from '@rjsf/utils';
import React, { useMemo } from 'react';

import { CopyButton } from '../components/CopyButton';
import { ProblemNote } from '../components/ProblemNote';
import type { IPlan } from '../payloads';
import type { Draft } from './draft';
import { decorated } from './fields';

/** Fields that few need. */
const RARE = new Set([
  'concurrency',
  'idle_seconds',
  'timeout',
  'cold_start_timeout',
  'queue',
  'strategy',
  'image'
]);

/** The server checks, see `Draft`. */
const VALIDATOR: ValidatorType<ReadonlyJSONObject> = {
  isValid: () => true,
  rawValidation: () => ({ errors: [] }),
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the type still asks for it
  toErrorList: () => [],
  validateFormData: () => ({ errors: [], errorSchema: {} })
};

/** The fields of a deployment, and what they come to. */
export function DeployForm(props: {
  draft: Draft;
  trans: TranslationBundle;
  translator: ITranslator;
}): React.JSX.Element {
  const { draft, trans } = props;
  const { data, plan, problems, refusal } = draft;
  const schema = useMemo(
    () => decorated(draft.schema as RJSFSchema, trans),
    [draft.schema, trans]
  );
  const uiSchema: UiSchema<ReadonlyJSONObject> = {
    bento: { 'ui:placeholder': trans.__('Choose a Bento') },
    mode: { 'ui:widget': 'radio' },
    min: { 'ui:widget': data.mode === 'on-demand' ? 'hidden' : 'updown' },
    envs: { 'ui:widget': 'textarea', 'ui:options': { rows: 3 } },
    secrets: { 'ui:widget': 'checkboxes' }
  };
  const extraErrors: ErrorSchema<ReadonlyJSONObject> = Object.fromEntries(
    [...problems].map(([field, message]) => [field, { __errors: [message] }])
  );
  const placed = [...problems.values()];
  const templates = useMemo(
    () => ({
      FieldTemplate: Field,
      ObjectFieldTemplate: (
        given: ObjectFieldTemplateProps<ReadonlyJSONObject>
      ) => <Fields {...given} more={trans.__('More settings')} />
    }),
    [trans]
  );
  return (
    <div className="jp-BentoDeploy" aria-busy={draft.busy}>
      {refusal !== null && !placed.includes(refusal.message) && (
        <ProblemNote problem={refusal} />
      )}
      <FormComponent
        schema={schema}
        uiSchema={uiSchema}
        validator={VALIDATOR}
        formData={data as ReadonlyJSONObject}
        formContext={{}}
        extraErrors={extraErrors}
        disabled={draft.busy}
        noHtml5Validate={true}
        showErrorList={false}
        idPrefix="jp-BentoDeploy"
        tagName="div"
        templates={templates}
        translator={props.translator}
        onChange={event => {
          draft.data = event.formData as Draft['data'];
        }}
      />
      {plan !== null && <Outcome plan={plan} trans={trans} />}
    </div>
  );
}

/** What the fields come to: the differences, and the line that does the same. */
function Outcome(props: {
  plan: IPlan;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { plan, trans } = props;
  return (
    <div className="jp-BentoDeploy-plan">
      {plan.changes.length > 0 && (
        <table aria-label={trans.__('What will change')}>
          <thead>
            <tr>
              <th scope="col">{trans.__('What will change')}</th>
              <th scope="col">{trans.__('Now')}</th>
              <th scope="col">{trans.__('Then')}</th>
            </tr>
          </thead>
          <tbody>
            {plan.changes.map(({ after, before, field }) => (
              <tr key={field}>
                <td>{field}</td>
                <td>{before}</td>
                <td>{after}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {plan.line !== '' && (
        <div className="jp-BentoSnippet">
          <pre aria-label={trans.__('The same as a line of a notebook')}>
            {plan.line}
          </pre>
          <CopyButton
            label={trans.__('Copy the line')}
            text={plan.line}
            trans={trans}
          />
        </div>
      )}
    </div>
  );
}

/** All fields, those that few need last, behind a word. */
function Fields(
  props: ObjectFieldTemplateProps<ReadonlyJSONObject> & { more: string }
): React.JSX.Element {
  const rare = props.properties.filter(({ name }) => RARE.has(name));
  const wrong = rare.some(
    ({ name }) => props.errorSchema?.[name] !== undefined
  );
  return (
    <>
      {props.properties
        .filter(({ name }) => !RARE.has(name))
        .map(({ content }) => content)}
      {rare.length > 0 && (
        <details open={wrong || undefined}>
          <summary>{props.more}</summary>
          {rare.map(({ content }) => content)}
        </details>
      )}
    </>
  );
}

/** One field with its label, what it means, and what is wrong with it. */
function Field(
  props: FieldTemplateProps<ReadonlyJSONObject>
): React.JSX.Element {
  const { children, hidden, id, label, rawErrors, schema } = props;
  if (hidden || schema.type === 'object') {
    return <div hidden={hidden}>{children}</div>;
  }
  const isRadio = props.uiSchema?.['ui:widget'] === 'radio';
  const group = isRadio || schema.type === 'array';
  return (
    <div
      className="jp-BentoDeploy-field"
      role={group ? 'group' : undefined}
      aria-labelledby={group ? `${id}__label` : undefined}
      data-invalid={rawErrors && rawErrors.length > 0 ? true : undefined}
    >
      {schema.type !== 'boolean' &&
        (group ? (
          <span id={`${id}__label`} className="jp-BentoDeploy-label">
            {label}
          </span>
        ) : (
          <label
            id={`${id}__label`}
            htmlFor={id}
            className="jp-BentoDeploy-label"
          >
            {label}
          </label>
        ))}
      {children}
      {schema['x-help'] !== undefined && (
        <small id={`${id}__help`}>{String(schema['x-help'])}</small>
      )}
      {rawErrors?.map(message => (
        <p key={message} role="alert" className="jp-BentoProblem">
          {message}
        </p>
      ))}
    </div>
  );
}
