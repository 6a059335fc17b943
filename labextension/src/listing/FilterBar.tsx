import type { TranslationBundle } from '@jupyterlab/translation';
import { filterIcon } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import {
  GroupKey,
  IView,
  ModeFilter,
  SortKey,
  StatusFilter,
  isFiltered
} from './arrange';

/** Which deployments are to be seen, and in which order. */
export function FilterBar(props: {
  onChange: (view: IView) => void;
  trans: TranslationBundle;
  view: IView;
}): React.JSX.Element {
  const { onChange, trans, view } = props;
  const [open, setOpen] = useState(false);
  return (
    <div className="jp-BentoFilter" role="search">
      <div className="jp-BentoFilter-line">
        <input
          type="search"
          className="jp-mod-styled"
          aria-label={trans.__('Filter deployments')}
          placeholder={trans.__('Filter by name, owner, key=value…')}
          spellCheck={false}
          value={view.text}
          onChange={event => onChange({ ...view, text: event.target.value })}
        />
        <button
          type="button"
          className={
            open || isFiltered({ ...view, text: '' })
              ? 'jp-BentoIconButton jp-mod-on'
              : 'jp-BentoIconButton'
          }
          aria-expanded={open}
          aria-label={trans.__('Filter, group and sort')}
          title={trans.__('Filter, group and sort')}
          onClick={() => setOpen(!open)}
        >
          <filterIcon.react tag="span" />
        </button>
      </div>
      {open && (
        <div className="jp-BentoFilter-choices">
          <Choice<StatusFilter>
            label={trans.__('Status')}
            value={view.status}
            onChange={status => onChange({ ...view, status })}
            options={[
              ['all', trans.__('All')],
              ['answering', trans.__('Answering')],
              ['busy', trans.__('In progress')],
              ['failed', trans.__('Failed')],
              ['off', trans.__('Terminated')]
            ]}
          />
          <Choice<ModeFilter>
            label={trans.__('Mode')}
            value={view.mode}
            onChange={mode => onChange({ ...view, mode })}
            options={[
              ['all', trans.__('All')],
              ['online', trans.__('Online Service')],
              ['on-demand', trans.__('On-Demand Function')]
            ]}
          />
          <Choice<GroupKey>
            label={trans.__('Group by')}
            value={view.group}
            onChange={group => onChange({ ...view, group })}
            options={[
              ['none', trans.__('Nothing')],
              ['status', trans.__('Status')],
              ['mode', trans.__('Mode')],
              ['owner', trans.__('Owner')],
              ['bento', trans.__('Bento')]
            ]}
          />
          <Choice<SortKey>
            label={trans.__('Sort by')}
            value={view.sort}
            onChange={sort => onChange({ ...view, sort })}
            options={[
              ['name', trans.__('Name')],
              ['status', trans.__('Status, problems first')],
              ['age', trans.__('Age, newest first')],
              ['requests', trans.__('Requests, most first')]
            ]}
          />
        </div>
      )}
    </div>
  );
}

function Choice<T extends string>(props: {
  label: string;
  onChange: (value: T) => void;
  options: [T, string][];
  value: T;
}): React.JSX.Element {
  return (
    <label>
      <span>{props.label}</span>
      <select
        className="jp-mod-styled"
        value={props.value}
        onChange={event => props.onChange(event.target.value as T)}
      >
        {props.options.map(([value, title]) => (
          <option key={value} value={value}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
