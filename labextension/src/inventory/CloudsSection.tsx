import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { StatusIcon } from '../components/StatusIcon';
import { age, memory } from '../format';
import type { ICloud, IContext, IDeployment, IImage } from '../payloads';

/** The clouds that there are, and what the embedded one uses. */
export function CloudsSection(props: {
  actions: { free: () => void; start: () => void; stop: () => void };
  busy: boolean;
  cloud: ICloud | null;
  contexts: readonly IContext[];
  deployments: readonly IDeployment[];
  images: readonly IImage[];
  now: number;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { actions, busy, cloud, deployments, images, now, trans } = props;
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
        <div className="jp-BentoItem">
          <StatusIcon tone={busy ? 'busy' : cloud === null ? 'off' : 'ok'} />
          <div className="jp-BentoItem-text">
            <span className="jp-BentoItem-name">
              {trans.__('Embedded cloud')}
              {embedded?.current === true && (
                <span className="jp-BentoBadge">{trans.__('current')}</span>
              )}
            </span>
            <small>
              {cloud === null
                ? trans.__('not running')
                : trans.__(
                    '%1 · up for %2 · version %3',
                    cloud.endpoint,
                    age(cloud.started_at, now, trans),
                    cloud.version
                  )}
            </small>
          </div>
          <button
            type="button"
            className="jp-mod-styled jp-mod-minimal"
            disabled={busy}
            onClick={cloud === null ? actions.start : actions.stop}
          >
            {cloud === null ? trans.__('Start') : trans.__('Stop…')}
          </button>
        </div>
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
        {images.length > 0 && (
          <ul aria-label={trans.__('Environments')}>
            {images.map(image => (
              <li key={image.key} className="jp-BentoItem">
                <div className="jp-BentoItem-text">
                  <code>{image.key.slice(0, 12)}</code>
                  <small>
                    {[
                      image.status === 'success' ? '' : image.status,
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
      {others.length > 0 && (
        <section>
          <h4>{trans.__('Other clouds')}</h4>
          <ul aria-label={trans.__('Other clouds')}>
            {others.map(context => (
              <li key={context.name} className="jp-BentoItem">
                <div className="jp-BentoItem-text">
                  <span className="jp-BentoItem-name">
                    {context.name}
                    {context.current && (
                      <span className="jp-BentoBadge">
                        {trans.__('current')}
                      </span>
                    )}
                  </span>
                  <small>
                    <a href={context.endpoint} target="_blank" rel="noreferrer">
                      {context.endpoint}
                    </a>
                  </small>
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
