import assert from 'node:assert/strict';
import { test } from 'node:test';

import { linePath, ticks } from '../src/charts/scale';
import { seriesOf } from '../src/charts/series';
import { readMetrics } from '../src/payloads';

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);

function at(secondsAgo: number): string {
  return new Date(NOW - secondsAgo * 1000).toISOString();
}

const METRICS = readMetrics(
  {
    requests: 3,
    errors: 1,
    in_flight: 0,
    queued: 0,
    ready: 1,
    latency: {},
    cold_starts: [],
    step: 1,
    points: [
      point(100, { ready: 2 }),
      point(35, { requests: 2, errors: 1, ready: 1, latency: { p50: 0.1 } }),
      point(34, { requests: 1, in_flight: 4, latency: { p50: 0.3 } }),
      point(5, { requests: 10, ready: 0 })
    ]
  },
  'it'
);

function point(
  secondsAgo: number,
  said: Record<string, unknown>
): Record<string, unknown> {
  return {
    at: at(secondsAgo),
    requests: 0,
    errors: 0,
    in_flight: 0,
    queued: 0,
    ready: 0,
    latency: {},
    ...said
  };
}

void test('counts become rates, states hold until the next point', () => {
  const series = seriesOf(METRICS, 40, 4, NOW);
  assert.deepEqual(series.requests, [0.3, 0, 0, 1]);
  assert.deepEqual(series.errors, [0.1, 0, 0, 0]);
  assert.deepEqual(series.p50, [0.3, null, null, null]);
  assert.deepEqual(series.inFlight, [4, 4, 4, 4]);
  assert.deepEqual(series.ready, [2, 0, 0, 0]);
  assert.equal(series.at[0], NOW - 40_000);
});

void test('axes have round numbers up to the largest value', () => {
  assert.deepEqual(ticks(0), [0, 1]);
  assert.deepEqual(ticks(7), [0, 5, 10]);
  assert.deepEqual(ticks(0.3), [0, 0.1, 0.2, 0.3]);
  assert.deepEqual(ticks(1000), [0, 500, 1000]);
  for (const most of [0.0003, 1, 13, 99, 12345]) {
    const marks = ticks(most);
    assert.ok((marks[marks.length - 1] ?? 0) >= most);
    assert.ok(marks.length <= 5);
  }
});

void test('a line has gaps where there is no value', () => {
  assert.equal(
    linePath([0, 5, null, 10], 10, 30, 10),
    'M0.0,10.0L10.0,5.0M30.0,0.0h0'
  );
  assert.equal(linePath([], 10, 30, 10), '');
});
