import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { moment } from '../../format';
import type { IEvent } from '../../payloads';

/** What happened to a deployment, newest first. */
export function EventsTab(props: {
  events: readonly IEvent[];
  trans: TranslationBundle;
}): React.JSX.Element {
  const { events, trans } = props;
  if (events.length === 0) {
    return <p className="jp-BentoNone">{trans.__('Nothing happened yet.')}</p>;
  }
  return (
    <table className="jp-BentoTable" aria-label={trans.__('Events')}>
      <thead>
        <tr>
          <th scope="col">{trans.__('When')}</th>
          <th scope="col">{trans.__('What')}</th>
          <th scope="col">{trans.__('Why')}</th>
          <th scope="col">{trans.__('Revision')}</th>
        </tr>
      </thead>
      <tbody>
        {events.map(event => (
          <tr key={event.id}>
            <td className="jp-mod-fixed">{moment(event.at)}</td>
            {/* The cloud's own words. */}
            <th scope="row" lang="en">
              {event.message}
            </th>
            <td lang="en">{event.reason}</td>
            <td>{event.revision}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
