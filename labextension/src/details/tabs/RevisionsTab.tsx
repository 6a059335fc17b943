import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { moment } from '../../format';
import type { IRevision, IRevisionChange } from '../../payloads';

/** What a deployment was asked to be, with what changed, newest first. */
export function RevisionsTab(props: {
  busy: boolean;
  onRollback: (revision: number) => void;
  revisions: readonly IRevision[];
  trans: TranslationBundle;
}): React.JSX.Element {
  const { busy, onRollback, revisions, trans } = props;
  return (
    <ul className="jp-BentoRevisions" aria-label={trans.__('Revisions')}>
      {revisions.map(revision => (
        <li key={revision.number}>
          <p className="jp-BentoRevisions-head">
            <b>{trans.__('Revision %1', revision.number)}</b>
            {revision.active && (
              <span className="jp-BentoBadge">{trans.__('active')}</span>
            )}
            <code>{revision.bento}</code>
            <span>{moment(revision.created_at)}</span>
            {!revision.active && (
              <button
                type="button"
                className="jp-mod-styled jp-mod-minimal"
                disabled={busy}
                aria-label={trans.__('Roll back to %1', revision.number)}
                onClick={() => onRollback(revision.number)}
              >
                {trans.__('Roll back…')}
              </button>
            )}
          </p>
          {revision.note && <p>{revision.note}</p>}
          {revision.changes.length > 0 && (
            <table className="jp-BentoTable">
              <tbody>
                {revision.changes.map(change => (
                  <tr key={change.field}>
                    <th scope="row">
                      <code>{change.field}</code>
                    </th>
                    <td>
                      <Difference change={change} trans={trans} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </li>
      ))}
    </ul>
  );
}

/** From what to what. */
function Difference(props: {
  change: IRevisionChange;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { change, trans } = props;
  if (change.before === null && change.after === null) {
    return <>{changeWord(change.change, trans)}</>;
  }
  return (
    <>
      {change.before !== null && <del>{JSON.stringify(change.before)}</del>}{' '}
      {change.after !== null && <ins>{JSON.stringify(change.after)}</ins>}
    </>
  );
}

function changeWord(change: string, trans: TranslationBundle): string {
  switch (change) {
    case 'added':
      return trans.__('added');
    case 'removed':
      return trans.__('removed');
    default:
      return trans.__('changed');
  }
}
