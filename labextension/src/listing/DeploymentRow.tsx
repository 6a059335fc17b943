import type { TranslationBundle } from '@jupyterlab/translation';
import { copyIcon, ellipsesIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { Sparkline } from '../charts/Sparkline';
import { StatusIcon } from '../components/StatusIcon';
import { age, isTold, perSecond, statusWord, toneOf } from '../format';
import { detailsIcon } from '../icons';
import type { IDeployment, ITrafficItem } from '../payloads';
import type { Action } from '../tokens';
import { OWNER_LABEL, labelOf, ownerOf } from './arrange';

/** What can be done with a row by the mouse. */
export interface IRowActions {
  copyUrl: (name: string) => void;

  /** Show everything that can be done. */
  menu: (name: string, event: React.MouseEvent) => void;
  open: (name: string) => void;
}

/** Properties of a row. */
export interface IRowProps {
  actions: IRowActions;
  compact: boolean;
  deployment: IDeployment;
  now: number;
  pending: Action | null;
  traffic: ITrafficItem | null;
  trans: TranslationBundle;
}

/** One deployment in the list. */
export function DeploymentRow(props: IRowProps): React.JSX.Element {
  const { actions, compact, deployment, now, traffic, trans } = props;
  const { name } = deployment;
  const tone = props.pending === null ? toneOf(deployment.status) : 'busy';
  const notebook = labelOf(deployment, OWNER_LABEL).split('/').pop();
  return (
    <div
      className={compact ? 'jp-BentoRow jp-mod-compact' : 'jp-BentoRow'}
      title={tooltip(deployment, trans)}
    >
      <div className="jp-BentoRow-line">
        <StatusIcon tone={tone} />
        <span className="jp-BentoRow-name">{name}</span>
        {traffic !== null && traffic.points.some(point => point > 0) && (
          <span className="jp-BentoRow-traffic">
            <Sparkline points={traffic.points} />
            {perSecond(traffic.rate, trans)}
          </span>
        )}
      </div>
      {!compact && (
        <div className="jp-BentoRow-line jp-mod-dim">
          <span className="jp-BentoRow-status">
            {statusWord(deployment.status, trans)} ·{' '}
            {deployment.mode === 'online'
              ? trans.__('online')
              : trans.__('on demand')}
            {deployment.ready + deployment.wanted > 0 &&
              ` · ${readyText(deployment)}`}
          </span>
          <span className="jp-BentoRow-owner">
            {notebook} {age(deployment.created_at, now, trans)}
          </span>
        </div>
      )}
      <div className="jp-BentoRow-actions">
        <button
          type="button"
          tabIndex={-1}
          className="jp-BentoIconButton"
          title={trans.__('Details of %1', name)}
          aria-label={trans.__('Details of %1', name)}
          onClick={() => actions.open(name)}
        >
          <detailsIcon.react tag="span" />
        </button>
        {deployment.url !== null && (
          <button
            type="button"
            tabIndex={-1}
            className="jp-BentoIconButton"
            title={trans.__('Copy URL of %1', name)}
            aria-label={trans.__('Copy URL of %1', name)}
            onClick={() => actions.copyUrl(name)}
          >
            <copyIcon.react tag="span" />
          </button>
        )}
        <button
          type="button"
          tabIndex={-1}
          className="jp-BentoIconButton"
          title={trans.__('More about %1', name)}
          aria-label={trans.__('More about %1', name)}
          aria-haspopup="menu"
          onClick={event => actions.menu(name, event)}
        >
          <ellipsesIcon.react tag="span" />
        </button>
      </div>
    </div>
  );
}

/** A row as it is read out. */
export function rowLabel(
  deployment: IDeployment,
  trans: TranslationBundle
): string {
  const { name, status } = deployment;
  const word = statusWord(status, trans);
  return isTold(deployment)
    ? trans.__('%1, %2, %3 ready', name, word, readyText(deployment))
    : trans.__('%1, %2', name, word);
}

function readyText(deployment: IDeployment): string {
  return `${deployment.ready}/${Math.max(deployment.wanted, deployment.ready)}`;
}

function tooltip(deployment: IDeployment, trans: TranslationBundle): string {
  const lines = [
    deployment.name,
    trans.__('Bento: %1', deployment.bento),
    deployment.url ?? '',
    deployment.reason,
    ownerOf(deployment) && trans.__('From: %1', ownerOf(deployment))
  ];
  return lines.filter(Boolean).join('\n');
}
