import type { IMetrics, IMetricsPoint } from '../payloads';

/** What a chart of a deployment shows, at even distances of time, oldest first. */
export interface ISeries {
  /** When each part begins, milliseconds since the epoch. */
  at: number[];

  /** Requests per second. */
  requests: number[];

  /** Errors per second. */
  errors: number[];

  /** The most requests in flight. */
  inFlight: number[];

  /** The most that waited. */
  queued: number[];

  /** The most instances that were ready. */
  ready: number[];

  /** Seconds within which half, 95 %, 99 % were answered; null without requests. */
  p50: (number | null)[];
  p95: (number | null)[];
  p99: (number | null)[];
}

/**
 * The points of a deployment's metrics in parts of the same length.
 *
 * #### Notes
 * Points in which nothing happened are not sent: counts are 0 there, and what
 * is a state (in flight, waiting, ready) holds until the next point.
 *
 * @param metrics - As the cloud tells them.
 * @param seconds - How far back.
 * @param parts - How many parts.
 * @param now - Milliseconds since the epoch.
 */
export function seriesOf(
  metrics: IMetrics,
  seconds: number,
  parts: number,
  now: number
): ISeries {
  const length = (seconds * 1000) / parts;
  const begin = now - seconds * 1000;
  const filled = (): number[] => new Array<number>(parts).fill(0);
  const gaps = (): (number | null)[] =>
    new Array<number | null>(parts).fill(null);
  const series: ISeries = {
    at: Array.from({ length: parts }, (_, index) => begin + index * length),
    requests: filled(),
    errors: filled(),
    inFlight: filled(),
    queued: filled(),
    ready: filled(),
    p50: gaps(),
    p95: gaps(),
    p99: gaps()
  };
  const { points } = metrics;
  const first = points.findIndex(point => point.at >= begin);
  let next = first < 0 ? points.length : first;
  let held: IMetricsPoint | null = points[next - 1] ?? null;
  for (let part = 0; part < parts; part += 1) {
    const end = begin + (part + 1) * length;
    const within: IMetricsPoint[] = held === null ? [] : [held];
    let requests = 0;
    let errors = 0;
    while (next < points.length) {
      const point = points[next];
      if (point === undefined || point.at >= end) {
        break;
      }
      requests += point.requests;
      errors += point.errors;
      series.p50[part] = larger(series.p50[part], quantile(point, 'p50'));
      series.p95[part] = larger(series.p95[part], quantile(point, 'p95'));
      series.p99[part] = larger(series.p99[part], quantile(point, 'p99'));
      within.push(point);
      held = point;
      next += 1;
    }
    series.requests[part] = (requests * 1000) / length;
    series.errors[part] = (errors * 1000) / length;
    series.inFlight[part] = most(within, point => point.in_flight);
    series.queued[part] = most(within, point => point.queued);
    series.ready[part] = most(within, point => point.ready);
  }
  return series;
}

function quantile(point: IMetricsPoint, name: string): number | null {
  return point.latency.find(([key]) => key === name)?.[1] ?? null;
}

function larger(a: number | null | undefined, b: number | null): number | null {
  return a === null || a === undefined ? b : b === null ? a : Math.max(a, b);
}

function most(
  points: readonly IMetricsPoint[],
  value: (point: IMetricsPoint) => number
): number {
  return points.reduce((found, point) => Math.max(found, value(point)), 0);
}
