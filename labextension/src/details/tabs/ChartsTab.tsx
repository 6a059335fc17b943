import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { TimeChart } from '../../charts/TimeChart';
import { seriesOf } from '../../charts/series';
import { ColdStart } from '../../components/ColdStart';
import { duration, perSecond, rounded } from '../../format';
import type { IMetrics } from '../../payloads';
import type { Period } from '../model';

/** Parts that a chart has. */
const PARTS = 90;

/** Seconds that charts go back. */
const SECONDS: Record<Period, number> = { quarter: 900, day: 86_400 };

/** Cold starts that are shown. */
const MOST_COLD_STARTS = 8;

/** How a deployment has met its requests. */
export function ChartsTab(props: {
  metrics: IMetrics;
  now: number;
  onPeriod: (period: Period) => void;
  period: Period;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { metrics, now, period, trans } = props;
  const series = seriesOf(metrics, SECONDS[period], PARTS, now);
  const rate = (value: number): string => perSecond(value, trans);
  const seconds = (value: number): string => duration(value, trans);
  const starts = [...metrics.cold_starts].reverse().slice(0, MOST_COLD_STARTS);
  return (
    <div className="jp-BentoCharts">
      <div
        className="jp-BentoCharts-period"
        role="group"
        aria-label={trans.__('Period')}
      >
        {(['quarter', 'day'] as const).map(one => (
          <button
            key={one}
            type="button"
            className="jp-BentoChip"
            aria-pressed={period === one}
            onClick={() => props.onPeriod(one)}
          >
            {one === 'quarter' ? trans.__('15 minutes') : trans.__('24 hours')}
          </button>
        ))}
      </div>
      <div className="jp-BentoCharts-all">
        <TimeChart
          title={trans.__('Requests')}
          at={series.at}
          format={rate}
          lines={[
            {
              name: trans.__('answered'),
              colour: 1,
              values: series.requests
            },
            { name: trans.__('errors'), colour: 4, values: series.errors }
          ]}
        />
        <TimeChart
          title={trans.__('Latency')}
          at={series.at}
          format={seconds}
          lines={[
            { name: trans.__('p50'), colour: 1, values: series.p50 },
            { name: trans.__('p95'), colour: 2, values: series.p95 },
            { name: trans.__('p99'), colour: 3, values: series.p99 }
          ]}
        />
        <TimeChart
          title={trans.__('At a time')}
          at={series.at}
          format={rounded}
          lines={[
            { name: trans.__('in work'), colour: 1, values: series.inFlight },
            { name: trans.__('waiting'), colour: 3, values: series.queued }
          ]}
        />
        <TimeChart
          title={trans.__('Instances')}
          at={series.at}
          format={rounded}
          lines={[{ name: trans.__('ready'), colour: 2, values: series.ready }]}
        />
      </div>
      <h3>{trans.__('Cold starts')}</h3>
      {starts.length === 0 ? (
        <p className="jp-BentoNone">{trans.__('There was none.')}</p>
      ) : (
        <ul className="jp-BentoColdStarts">
          {starts.map(start => (
            <li key={`${start.instance}-${start.at}`}>
              <code>{start.instance}</code>
              <ColdStart coldStart={start} now={now} trans={trans} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
