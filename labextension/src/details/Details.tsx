import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { Instances } from '../components/Instances';
import { ProblemNote } from '../components/ProblemNote';
import { DetailsModel, TABS, Tab } from './model';
import { ChartsTab } from './tabs/ChartsTab';
import { ConfigurationTab } from './tabs/ConfigurationTab';
import { EventsTab } from './tabs/EventsTab';
import { LogsTab } from './tabs/LogsTab';
import { OverviewTab } from './tabs/OverviewTab';
import { PlaygroundTab } from './tabs/PlaygroundTab';
import { RevisionsTab } from './tabs/RevisionsTab';

/** Everything about one deployment, in tabs. */
export function Details(props: {
  model: DetailsModel;
  onChange: () => void;
  onRollback: (revision: number) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { model, trans } = props;
  const { deployments, name } = model;
  const problem = deployments.problem({ deployment: name });
  const base = `jp-BentoDetails-${name}`;
  const go = (step: number): void => {
    const index = TABS.indexOf(model.tab) + step;
    const tab = TABS[(index + TABS.length) % TABS.length] ?? 'overview';
    model.tab = tab;
    document.getElementById(`${base}-${tab}`)?.focus();
  };
  if (!model.isShown) {
    const cloud = model.cloud || trans.__('the embedded cloud');
    return (
      <p className="jp-BentoNone" role="status">
        {trans.__('%1 is in %2, which is not shown now.', name, cloud)}{' '}
        <button
          type="button"
          className="jp-BentoLink"
          onClick={() => {
            deployments.cloud = model.cloud;
          }}
        >
          {trans.__('Show %1', cloud)}
        </button>
      </p>
    );
  }
  if (model.deployment === null) {
    return (
      <p className="jp-BentoNone" role="status">
        {deployments.connection === 'running'
          ? trans.__('There is no deployment %1 any more.', name)
          : trans.__('The cloud is not to be reached now.')}
      </p>
    );
  }
  return (
    <>
      <div
        className="jp-BentoTabs"
        role="tablist"
        aria-label={trans.__('Details of %1', name)}
        onKeyDown={event => {
          if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
            go(event.key === 'ArrowRight' ? 1 : -1);
            event.preventDefault();
          }
        }}
      >
        {TABS.map(tab => (
          <button
            key={tab}
            id={`${base}-${tab}`}
            type="button"
            role="tab"
            className="jp-BentoTab"
            aria-selected={model.tab === tab}
            aria-controls={`${base}-panel`}
            tabIndex={model.tab === tab ? 0 : -1}
            onClick={() => {
              model.tab = tab;
            }}
          >
            {tabTitle(tab, trans)}
          </button>
        ))}
      </div>
      <div
        id={`${base}-panel`}
        className="jp-BentoTabPanel"
        role="tabpanel"
        data-tab={model.tab}
        aria-labelledby={`${base}-${model.tab}`}
      >
        {problem && <ProblemNote problem={problem} />}
        <TabContent {...props} />
      </div>
    </>
  );
}

function TabContent(props: {
  model: DetailsModel;
  onChange: () => void;
  onRollback: (revision: number) => void;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { model, onChange, onRollback, trans } = props;
  const { deployment, name } = model;
  const now = Date.now();
  const busy = model.deployments.pending({ deployment: name }) !== null;
  if (deployment === null) {
    return null;
  }
  const waiting = (
    <p className="jp-BentoNone" role="status">
      {model.failure || trans.__('Loading…')}
    </p>
  );
  if (!model.isTold) {
    return (
      <p className="jp-BentoNone">
        {trans.__(
          '%1 does not tell this; its own console may show it.',
          model.cloud
        )}
      </p>
    );
  }
  switch (model.tab) {
    case 'overview':
      return <OverviewTab deployment={deployment} now={now} trans={trans} />;
    case 'playground':
      return (
        <PlaygroundTab
          api={model.api}
          name={name}
          revision={deployment.revision}
          trans={trans}
        />
      );
    case 'instances':
      return (
        <Instances instances={deployment.instances} now={now} trans={trans} />
      );
    case 'charts':
      return model.metrics === null ? (
        waiting
      ) : (
        <ChartsTab
          metrics={model.metrics}
          now={now}
          onPeriod={period => {
            model.period = period;
          }}
          period={model.period}
          trans={trans}
        />
      );
    case 'logs':
      return (
        <LogsTab
          api={model.api}
          instances={deployment.instances}
          name={name}
          trans={trans}
        />
      );
    case 'events':
      return model.events === null ? (
        waiting
      ) : (
        <EventsTab events={model.events} trans={trans} />
      );
    case 'revisions':
      return model.revisions === null ? (
        waiting
      ) : (
        <RevisionsTab
          busy={busy}
          onRollback={onRollback}
          revisions={model.revisions}
          trans={trans}
        />
      );
    case 'configuration':
      return model.configuration === null || model.form === null ? (
        waiting
      ) : (
        <ConfigurationTab
          busy={busy}
          configuration={model.configuration}
          form={model.form}
          onChange={onChange}
          trans={trans}
        />
      );
  }
}

function tabTitle(tab: Tab, trans: TranslationBundle): string {
  switch (tab) {
    case 'overview':
      return trans.__('Overview');
    case 'playground':
      return trans.__('Playground');
    case 'instances':
      return trans.__('Instances');
    case 'charts':
      return trans.__('Charts');
    case 'logs':
      return trans.__('Logs');
    case 'events':
      return trans.__('Events');
    case 'revisions':
      return trans.__('Revisions');
    case 'configuration':
      return trans.__('Configuration');
  }
}
