import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { age, instanceWord, memory } from '../format';
import type { IInstance } from '../payloads';

/** The instances of a deployment: state, age, memory. */
export function Instances(props: {
  instances: IInstance[];
  now: number;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { instances, now, trans } = props;
  if (instances.length === 0) {
    return (
      <p className="jp-BentoDetail-none">{trans.__('No instance is up.')}</p>
    );
  }
  return (
    <table className="jp-BentoInstances">
      <thead>
        <tr>
          <th scope="col">{trans.__('Instance')}</th>
          <th scope="col">{trans.__('State')}</th>
          <th scope="col">{trans.__('Age')}</th>
          <th scope="col">{trans.__('Memory')}</th>
        </tr>
      </thead>
      <tbody>
        {instances.map(instance => (
          <tr key={instance.id} title={instance.reason || instance.id}>
            <th scope="row">{instance.id.split('-').pop()}</th>
            <td>{instanceWord(instance.state, trans)}</td>
            <td>{age(instance.started_at, now, trans)}</td>
            <td>
              {instance.memory_bytes === null
                ? '–'
                : memory(instance.memory_bytes, trans)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
