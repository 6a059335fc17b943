import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { ColdStart } from '../../components/ColdStart';
import { CopyButton } from '../../components/CopyButton';
import { StatusIcon } from '../../components/StatusIcon';
import {
  age,
  curlSnippet,
  imageWord,
  modeTitle,
  moment,
  pythonSnippet,
  isTold,
  scalingText,
  statusWord,
  toneOf
} from '../../format';
import { EXPIRES_LABEL, labelOf, ownerOf } from '../../listing/arrange';
import type { IDeployment } from '../../payloads';

/** Everything about a deployment at a glance. */
export function OverviewTab(props: {
  deployment: IDeployment;
  now: number;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { deployment, now, trans } = props;
  const told = isTold(deployment);
  const tone = toneOf(deployment.status);
  const curl = curlSnippet(deployment);
  const python = pythonSnippet(deployment);
  const owner = ownerOf(deployment);
  const expires = labelOf(deployment, EXPIRES_LABEL);
  const labels = deployment.labels.filter(
    ([key]) => !key.startsWith('bento-jupyter.')
  );
  return (
    <div className="jp-BentoOverview">
      <p className="jp-BentoOverview-status" data-tone={tone}>
        <StatusIcon tone={tone} />
        <b>{statusWord(deployment.status, trans)}</b>
        <span>
          {deployment.healthy
            ? trans.__('answers requests')
            : trans.__('does not answer')}
        </span>
      </p>
      {deployment.reason && (
        <p className="jp-BentoReason" data-tone={tone}>
          {deployment.reason}
        </p>
      )}
      <dl className="jp-BentoFacts">
        <Fact title={trans.__('URL')}>
          {deployment.url === null ? (
            '–'
          ) : (
            <>
              <a href={deployment.url} target="_blank" rel="noreferrer">
                {deployment.url}
              </a>
              <CopyButton
                label={trans.__('Copy URL of %1', deployment.name)}
                text={deployment.url}
                trans={trans}
              />
            </>
          )}
        </Fact>
        <Fact title={trans.__('Access')}>
          {deployment.protected
            ? trans.__('With a token')
            : trans.__('Without a token')}
        </Fact>
        <Fact title={trans.__('Mode')}>
          {modeTitle(deployment.mode, trans)}
          <small>{scalingText(deployment.scaling, trans)}</small>
        </Fact>
        <Fact title={trans.__('Instances')}>
          {told
            ? trans.__('%1 of %2 ready', deployment.ready, deployment.wanted)
            : scalingText(deployment.scaling, trans)}
          {deployment.instance_type && (
            <small>{deployment.instance_type}</small>
          )}
        </Fact>
        {told && (
          <Fact title={trans.__('Requests')}>
            {trans.__(
              '%1 answered, %2 failed',
              deployment.requests,
              deployment.errors
            )}
            {deployment.in_flight + deployment.queued > 0 && (
              <small>
                {trans.__(
                  '%1 in work, %2 waiting',
                  deployment.in_flight,
                  deployment.queued
                )}
              </small>
            )}
          </Fact>
        )}
        <Fact title={trans.__('Bento')}>
          <code>{deployment.bento}</code>
          <CopyButton
            label={trans.__('Copy Bento tag of %1', deployment.name)}
            text={deployment.bento}
            trans={trans}
          />
        </Fact>
        {deployment.image && (
          <Fact title={trans.__('Environment')}>
            <code>{deployment.image.key.slice(0, 12)}</code>
            <small>
              {deployment.image.reason ||
                imageWord(deployment.image.status, trans)}
            </small>
          </Fact>
        )}
        {told && (
          <Fact title={trans.__('Revision')}>
            {deployment.revision}
            {deployment.updated_at !== null && (
              <small>{moment(deployment.updated_at)}</small>
            )}
          </Fact>
        )}
        <Fact title={trans.__('Created')}>
          {trans.__('%1 ago', age(deployment.created_at, now, trans))}
          <small>{moment(deployment.created_at)}</small>
        </Fact>
        {owner && <Fact title={trans.__('From')}>{owner}</Fact>}
        {expires && <Fact title={trans.__('Expires')}>{expires}</Fact>}
        {labels.length > 0 && (
          <Fact title={trans.__('Labels')}>
            {labels.map(([key, value]) => (
              <code key={key}>
                {key}={value}
              </code>
            ))}
          </Fact>
        )}
      </dl>
      {deployment.sets.length > 1 && (
        <>
          <h3>{trans.__('Services')}</h3>
          <table className="jp-BentoTable">
            <thead>
              <tr>
                <th scope="col">{trans.__('Version')}</th>
                <th scope="col">{trans.__('Service')}</th>
                <th scope="col">{trans.__('Status')}</th>
                <th scope="col">{trans.__('Ready')}</th>
                <th scope="col">{trans.__('Share')}</th>
              </tr>
            </thead>
            <tbody>
              {deployment.sets.map(set => (
                <tr key={`${set.version}/${set.service}`}>
                  <td>{set.version}</td>
                  <th scope="row">{set.service}</th>
                  <td>{statusWord(set.status, trans)}</td>
                  <td>
                    {set.ready}/{set.wanted}
                  </td>
                  <td>{set.weight === null ? '–' : `${set.weight} %`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      {deployment.last_cold_start && (
        <>
          <h3>{trans.__('Last cold start')}</h3>
          <ColdStart
            coldStart={deployment.last_cold_start}
            now={now}
            trans={trans}
          />
        </>
      )}
      {curl !== null && (
        <Snippet
          title={trans.__('Call it from a shell')}
          copy={trans.__('Copy command that calls %1', deployment.name)}
          text={curl}
          trans={trans}
        />
      )}
      {python !== null && (
        <Snippet
          title={trans.__('Call it from Python')}
          copy={trans.__('Copy program that calls %1', deployment.name)}
          text={python}
          trans={trans}
        />
      )}
    </div>
  );
}

function Fact(props: {
  children: React.ReactNode;
  title: string;
}): React.JSX.Element {
  return (
    <div>
      <dt>{props.title}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

/** A piece of code to take elsewhere. */
export function Snippet(props: {
  copy: string;
  text: string;
  title: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  return (
    <>
      <h3>{props.title}</h3>
      <div className="jp-BentoSnippet">
        <pre tabIndex={0} aria-label={props.title}>
          {props.text}
        </pre>
        <CopyButton label={props.copy} text={props.text} trans={props.trans} />
      </div>
    </>
  );
}
