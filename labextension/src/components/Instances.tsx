import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { age, duration, instanceWord, memory } from '../format';
import type { IInstance } from '../payloads';

/** The instances of a deployment: state and why, age, memory, CPU. */
export function Instances(props: {
  instances: readonly IInstance[];
  now: number;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { instances, now, trans } = props;
  if (instances.length === 0) {
    return <p className="jp-BentoNone">{trans.__('No instance is up.')}</p>;
  }
  return (
    <table className="jp-BentoTable" aria-label={trans.__('Instances')}>
      <thead>
        <tr>
          <th scope="col">{trans.__('Instance')}</th>
          <th scope="col">{trans.__('State')}</th>
          <th scope="col">{trans.__('Age')}</th>
          <th scope="col">{trans.__('Started in')}</th>
          <th scope="col">{trans.__('In work')}</th>
          <th scope="col">{trans.__('Memory')}</th>
          <th scope="col">{trans.__('CPU')}</th>
          <th scope="col">{trans.__('Failed before')}</th>
        </tr>
      </thead>
      <tbody>
        {instances.map(instance => (
          <tr key={instance.id}>
            <th scope="row">
              <code>{instance.id}</code>
            </th>
            <td>
              {instanceWord(instance.state, trans)}
              {instance.reason && <small>{instance.reason}</small>}
            </td>
            <td>{age(instance.started_at, now, trans)}</td>
            <td>
              {instance.cold_start === null
                ? '–'
                : duration(instance.cold_start.seconds, trans)}
            </td>
            <td>{instance.in_flight}</td>
            <td>
              {instance.memory_bytes === null
                ? '–'
                : memory(instance.memory_bytes, trans)}
            </td>
            <td>
              {instance.cpu === null
                ? '–'
                : trans.__('%1 %', Math.round(instance.cpu * 100))}
            </td>
            <td>{instance.restarts}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
