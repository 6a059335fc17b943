import type { TranslationBundle } from '@jupyterlab/translation';
import type { RJSFSchema } from '@rjsf/utils';
import React from 'react';

import { decorated } from '../../deploy/fields';
import { modeTitle } from '../../format';
import type { IConfiguration, IForm } from '../../payloads';
import { Snippet } from './OverviewTab';

/** What a deployment was asked to be: by field, as a magic and as YAML. */
export function ConfigurationTab(props: {
  busy: boolean;
  configuration: IConfiguration;
  form: IForm;
  onChange: () => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { busy, configuration, form, onChange, trans } = props;
  const { properties } = decorated(form.schema as RJSFSchema, trans);
  const data = form.data as Record<string, unknown>;
  return (
    <div className="jp-BentoOverview">
      <dl className="jp-BentoFacts" aria-label={trans.__('Configuration')}>
        {Object.entries(properties ?? {}).map(([name, property]) => (
          <div key={name}>
            <dt>
              {(typeof property === 'object' ? property.title : '') || name}
            </dt>
            <dd>{valueText(name, data[name], trans)}</dd>
          </div>
        ))}
      </dl>
      <p>
        <button
          type="button"
          className="jp-mod-styled jp-mod-minimal"
          disabled={busy}
          onClick={onChange}
        >
          {trans.__('Change…')}
        </button>
      </p>
      <Snippet
        title={trans.__('In a notebook')}
        copy={trans.__('Copy the magic')}
        text={configuration.magic}
        trans={trans}
      />
      <Snippet
        title={trans.__('As YAML')}
        copy={trans.__('Copy the YAML')}
        text={configuration.yaml}
        trans={trans}
      />
      <p className="jp-BentoNone">
        {trans.__('Values of variables are never shown.')}
      </p>
    </div>
  );
}

/** The value of a field in words. */
function valueText(
  name: string,
  value: unknown,
  trans: TranslationBundle
): string {
  if (name === 'mode') {
    return modeTitle(value === 'online' ? 'online' : 'on-demand', trans);
  }
  if (Array.isArray(value)) {
    return value.join(', ') || trans.__('none');
  }
  switch (typeof value) {
    case 'string':
    case 'number':
      return String(value);
    case 'boolean':
      return value ? trans.__('yes') : trans.__('no');
    case 'object':
      // Variables, of which the names are told.
      return Object.keys(value ?? {}).join(', ') || trans.__('none');
    default:
      return trans.__('as by default');
  }
}
