import type { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { IChange, IDeployment } from './payloads';

/** Asks for the number of instances. */
export class ScalingForm
  extends ReactWidget
  implements Dialog.IBodyWidget<IChange>
{
  constructor(
    deployment: Pick<IDeployment, 'mode' | 'scaling'>,
    trans: TranslationBundle
  ) {
    super();
    this._deployment = deployment;
    this._trans = trans;
    this.addClass('jp-BentoForm');
  }

  /** What is to be different. */
  getValue(): IChange {
    const value = (name: string): number | undefined => {
      const input = this.node.querySelector<HTMLInputElement>(
        `input[name='${name}']`
      );
      return input === null || input.value === ''
        ? undefined
        : Number(input.value);
    };
    const least = value('min');
    const most = value('max');
    return {
      ...(least === undefined ? {} : { min: least }),
      ...(most === undefined ? {} : { max: Math.max(most, least ?? 1) }),
      concurrency: value('concurrency') ?? 0
    };
  }

  protected override render(): React.JSX.Element {
    const { mode, scaling } = this._deployment;
    const trans = this._trans;
    return (
      <>
        {mode === 'online' && (
          <NumberField
            label={trans.__('Fewest instances')}
            name="min"
            least={1}
            value={scaling.min}
          />
        )}
        <NumberField
          label={trans.__('Most instances')}
          name="max"
          least={1}
          value={scaling.max}
        />
        <NumberField
          label={trans.__('Requests per instance at a time (empty: no limit)')}
          name="concurrency"
          least={1}
          value={scaling.concurrency}
        />
      </>
    );
  }

  private _deployment: Pick<IDeployment, 'mode' | 'scaling'>;
  private _trans: TranslationBundle;
}

function NumberField(props: {
  label: string;
  least: number;
  name: string;
  value: number | null;
}): React.JSX.Element {
  return (
    <label>
      {props.label}
      <input
        className="jp-mod-styled"
        type="number"
        name={props.name}
        min={props.least}
        max={1000}
        step={1}
        defaultValue={props.value ?? ''}
      />
    </label>
  );
}
