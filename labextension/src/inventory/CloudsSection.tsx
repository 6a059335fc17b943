import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { StatusIcon } from '../components/StatusIcon';
import {
  Tone,
  age,
  imageWord,
  isThere,
  memory,
  toneOfConnection
} from '../format';
import type {
  ICloud,
  IContext,
  IContextState,
  IDeployment,
  IImage
} from '../payloads';
import type { Connection } from '../tokens';

/** What can be done with clouds. */
export interface ICloudActions {
  free: () => void;
  logIn: () => void;
  logOut: (name: string) => void;

  /** Show the deployments of a cloud; empty for the embedded one. */
  show: (name: string) => void;
  start: () => void;
  startOn: () => void;
  stop: () => void;

  /** Make one the cloud that plain `bentoml` commands use. */
  use: (name: string) => void;
}

/** The clouds that there are, and what the embedded one uses. */
export function CloudsSection(props: {
  actions: ICloudActions;
  busy: boolean;
  cloud: ICloud | null;
  connection: Connection;
  contexts: readonly IContext[];
  deployments: readonly IDeployment[];
  images: readonly IImage[];
  now: number;

  /** The cloud that is shown; empty for the embedded one. */
  shown: string;
  states: readonly IContextState[];
  trans: TranslationBundle;
}): React.JSX.Element {
  const { actions, busy, cloud, connection, deployments, images, now, trans } =
    props;
  const isOn = isThere(connection);
  const isShown = props.shown === '';
  const others = props.contexts.filter(({ embedded }) => !embedded);
  const embedded = props.contexts.find(context => context.embedded);
  const instances = deployments.flatMap(deployment => deployment.instances);
  const used = sum(instances.map(({ memory_bytes }) => memory_bytes ?? 0));
  const zygotes = cloud?.zygotes ?? [];
  const warm = sum(zygotes.map(({ memory_bytes }) => memory_bytes));
  const disk = sum(images.map(({ size_bytes }) => size_bytes ?? 0));
  return (
    <div className="jp-BentoInventory">
      <section aria-label={trans.__('Embedded cloud')}>
        <div className="jp-BentoItem" tabIndex={-1}>
          <StatusIcon
            tone={busy ? 'busy' : isShown ? toneOfConnection(connection) : null}
          />
          <div className="jp-BentoItem-text">
            <span className="jp-BentoItem-name">
              <span>{trans.__('Embedded cloud')}</span>
              {embedded?.current === true && <CurrentBadge trans={trans} />}
            </span>
            <small>
              {!isShown
                ? trans.__('on this machine')
                : cloud === null
                  ? connectionWord(connection, trans)
                  : trans.__(
                      '%1 · up for %2 · version %3',
                      cloud.endpoint,
                      age(cloud.started_at, now, trans),
                      cloud.version
                    )}
            </small>
            {embedded?.current === false && (
              <small>
                <UseButton
                  name={embedded.name}
                  onUse={actions.use}
                  trans={trans}
                />
              </small>
            )}
          </div>
          {isShown ? (
            <button
              type="button"
              className="jp-mod-styled jp-mod-minimal"
              disabled={busy || !(isOn || connection === 'stopped')}
              onClick={isOn ? actions.stop : actions.start}
            >
              {isOn ? trans.__('Stop…') : trans.__('Start')}
            </button>
          ) : (
            <ShowButton name="" onShow={actions.show} trans={trans} />
          )}
        </div>
        {isShown && connection === 'stopped' && (
          <p className="jp-BentoNone">
            <button
              type="button"
              className="jp-BentoLink"
              disabled={busy}
              onClick={actions.startOn}
            >
              {trans.__('Start on containers or a cluster…')}
            </button>
          </p>
        )}
        {cloud !== null && (
          <dl className="jp-BentoNumbers">
            <div>
              <dt>{trans.__('Instances')}</dt>
              <dd>
                {trans.__('%1 · %2', instances.length, memory(used, trans))}
              </dd>
            </div>
            <div>
              <dt>{trans.__('Kept warm')}</dt>
              <dd>
                {trans.__('%1 · %2', zygotes.length, memory(warm, trans))}
              </dd>
            </div>
            <div>
              <dt>{trans.__('Run by')}</dt>
              <dd>{cloud.engine}</dd>
            </div>
            <div>
              <dt>{trans.__('Environments')}</dt>
              <dd>
                {trans.__('%1 · %2', images.length, memory(disk, trans))}{' '}
                <button
                  type="button"
                  className="jp-BentoLink"
                  onClick={actions.free}
                >
                  {trans.__('Free…')}
                </button>
              </dd>
            </div>
          </dl>
        )}
        {cloud !== null && cloud.engine !== 'processes' && (
          <ul aria-label={trans.__('Machines')}>
            {cloud.nodes.map(node => (
              <li
                key={node.name}
                className="jp-BentoItem"
                title={node.instances.join('\n')}
              >
                <div className="jp-BentoItem-text">
                  <span>{node.name}</span>
                  <small>
                    {[
                      trans.__('%1 CPU', node.cpus),
                      memory(node.memory_bytes, trans),
                      node.gpus > 0
                        ? trans.__(
                            '%1 of %2 GPUs free',
                            node.free_gpus,
                            node.gpus
                          )
                        : '',
                      trans._n(
                        '%1 instance',
                        '%1 instances',
                        node.instances.length
                      )
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </small>
                </div>
              </li>
            ))}
          </ul>
        )}
        {images.length > 0 && (
          <ul aria-label={trans.__('Environments')}>
            {images.map(image => (
              <li key={image.key} className="jp-BentoItem">
                <div className="jp-BentoItem-text">
                  <code>{image.key.slice(0, 12)}</code>
                  <small>
                    {[
                      image.status === 'success'
                        ? ''
                        : imageWord(image.status, trans),
                      image.reason,
                      image.size_bytes === null
                        ? ''
                        : memory(image.size_bytes, trans),
                      image.used_by.length > 0
                        ? trans.__('used by %1', image.used_by.join(', '))
                        : trans.__('unused')
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </small>
                </div>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section>
        <h4>{trans.__('Other clouds')}</h4>
        {others.length > 0 && (
          <ul aria-label={trans.__('Other clouds')}>
            {others.map(context => (
              <OtherCloud
                key={context.name}
                context={context}
                onLogOut={actions.logOut}
                onShow={actions.show}
                onUse={actions.use}
                shown={props.shown === context.name}
                state={props.states.find(({ name }) => name === context.name)}
                trans={trans}
              />
            ))}
          </ul>
        )}
        <p className="jp-BentoNone">
          <button
            type="button"
            className="jp-BentoLink"
            onClick={actions.logIn}
          >
            {trans.__('Log in to a cloud…')}
          </button>
        </p>
      </section>
    </div>
  );
}

/** A cloud that one is logged in to. */
function OtherCloud(props: {
  context: IContext;
  onLogOut: (name: string) => void;
  onShow: (name: string) => void;
  onUse: (name: string) => void;
  shown: boolean;
  state: IContextState | undefined;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { context, onLogOut, onShow, onUse, shown, state, trans } = props;
  return (
    <li className="jp-BentoItem" tabIndex={-1}>
      <StatusIcon tone={toneOfCloud(state)} />
      <div className="jp-BentoItem-text">
        <span className="jp-BentoItem-name">
          <span title={context.name}>{context.name}</span>
          {context.current && <CurrentBadge trans={trans} />}
          {shown && (
            <span
              className="jp-BentoBadge"
              title={trans.__('The sidebar shows its deployments')}
            >
              {trans.__('shown')}
            </span>
          )}
        </span>
        <small>
          <a href={context.endpoint} target="_blank" rel="noreferrer">
            {context.endpoint}
          </a>
        </small>
        <small title={state?.message}>{stateWord(state, trans)}</small>
        <small>
          {!context.current && (
            <>
              <UseButton name={context.name} onUse={onUse} trans={trans} />
              {' · '}
            </>
          )}
          <button
            type="button"
            className="jp-BentoLink"
            aria-label={trans.__('Log out of %1', context.name)}
            onClick={() => onLogOut(context.name)}
          >
            {trans.__('Log out…')}
          </button>
        </small>
      </div>
      {!shown && (
        <ShowButton name={context.name} onShow={onShow} trans={trans} />
      )}
    </li>
  );
}

/** Says which cloud plain `bentoml` commands use. */
function CurrentBadge(props: { trans: TranslationBundle }): React.JSX.Element {
  const { trans } = props;
  return (
    <span
      className="jp-BentoBadge"
      title={trans.__('Plain bentoml commands use it')}
    >
      {trans.__('current')}
    </span>
  );
}

/** Lets the sidebar show the deployments of a cloud; an empty name is the embedded one. */
function ShowButton(props: {
  name: string;
  onShow: (name: string) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { name, onShow, trans } = props;
  const title = trans.__(
    'Show the deployments of %1',
    name || trans.__('the embedded cloud')
  );
  return (
    <button
      type="button"
      className="jp-mod-styled jp-mod-minimal"
      title={title}
      aria-label={title}
      onClick={({ currentTarget }) => {
        // The button goes, its row stays.
        currentTarget.closest<HTMLElement>('.jp-BentoItem')?.focus();
        onShow(name);
      }}
    >
      {trans.__('Show')}
    </button>
  );
}

/** Makes a cloud the one that plain `bentoml` commands use. */
function UseButton(props: {
  name: string;
  onUse: (name: string) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { name, onUse, trans } = props;
  return (
    <button
      type="button"
      className="jp-BentoLink"
      title={trans.__('Let plain bentoml commands use %1', name)}
      aria-label={trans.__('Make %1 current', name)}
      onClick={() => onUse(name)}
    >
      {trans.__('Make current')}
    </button>
  );
}

/** How the embedded cloud is, when it does not tell itself. */
function connectionWord(
  connection: Connection,
  trans: TranslationBundle
): string {
  switch (connection) {
    case 'stopped':
      return trans.__('not running');
    case 'unreachable':
      return trans.__('does not answer');
    case 'refused':
      return trans.__('refuses the token');
    default:
      return trans.__('not known yet');
  }
}

function toneOfCloud(state: IContextState | undefined): Tone {
  switch (state?.state) {
    case 'ready':
      return 'ok';
    case 'refused':
      return 'failed';
    case 'unreachable':
      return 'off';
    default:
      return 'busy';
  }
}

function stateWord(
  state: IContextState | undefined,
  trans: TranslationBundle
): string {
  switch (state?.state) {
    case 'ready':
      return state.message
        ? trans.__('logged in as %1', state.message)
        : trans.__('logged in');
    case 'refused':
      return trans.__('does not accept the token: log in again');
    case 'unreachable':
      return trans.__('does not answer');
    default:
      return trans.__('asking…');
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
