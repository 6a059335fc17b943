import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readOverview } from '../src/payloads';
import { PayloadError } from '../src/readers';
import { deployment, overview } from './samples';

void test('times are read as numbers, phases keep their order', () => {
  const read = readOverview(overview(deployment('iris')), 'overview');
  const iris = read.deployments[0];
  assert.equal(iris?.created_at, Date.UTC(2026, 0, 2, 3, 4, 0));
  assert.deepEqual(
    iris.last_cold_start?.phases.map(([phase]) => phase),
    ['process', 'imports', 'load', 'ready']
  );
});

void test('what is not named is dropped', () => {
  const sent = overview(deployment('iris', { token: 'secret' }));
  assert.equal(
    JSON.stringify(readOverview(sent, 'overview')).includes('secret'),
    false
  );
});

void test('what is absent may be absent only where it may', () => {
  const without = deployment('iris', { url: null, last_cold_start: undefined });
  const read = readOverview(overview(without), 'overview');
  assert.equal(read.deployments[0]?.url, null);
  assert.equal(read.deployments[0].last_cold_start, null);
  assert.throws(
    () => readOverview(overview(deployment('iris', { bento: null })), 'it'),
    new PayloadError('it.deployments[0].bento', 'a string', null)
  );
});

void test('each kind of wrong value is told by its place', () => {
  const cases: [unknown, RegExp][] = [
    [null, /: it should be an object, not null/],
    [[], /: it should be an object/],
    [{ ...overview(), state: 'odd' }, /: it\.state should be one of running/],
    [{ ...overview(), deployments: {} }, /: it\.deployments should be a list/],
    [
      overview(deployment('iris', { healthy: 'yes' })),
      /healthy should be a boolean, not string/
    ],
    [overview(deployment('iris', { ready: NaN })), /ready should be a number/],
    [
      overview(deployment('iris', { created_at: 'yesterday' })),
      /created_at should be a time/
    ],
    [
      overview(deployment('iris', { mode: 'batch' })),
      /mode should be one of online, on-demand/
    ]
  ];
  for (const [sent, message] of cases) {
    assert.throws(() => readOverview(sent, 'it'), message);
  }
});
