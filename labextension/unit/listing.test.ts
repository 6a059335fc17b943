import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Line, PLAIN_VIEW, arrange } from '../src/listing/arrange';
import { offsetsOf, visibleRange } from '../src/listing/range';
import { readDeployment, readOverview } from '../src/payloads';
import { leftBy } from '../src/turns';
import { deployment, overview, trans } from './samples';

const ALL = [
  deployment('b', { status: 'failed', labels: { team: 'red' } }),
  deployment('a', { mode: 'on-demand', status: 'scaled-to-zero' }),
  deployment('c', {
    requests: 9,
    labels: { 'bento-jupyter.owner': 'work/iris.ipynb' },
    created_at: '2026-02-02T03:04:00Z'
  })
].map(sent => readDeployment(sent, 'it'));

function keys(lines: Line[]): string[] {
  return lines.map(({ key }) => key);
}

void test('text finds names, owners, statuses and labels', () => {
  const found = (text: string): string[] =>
    keys(arrange(ALL, { ...PLAIN_VIEW, text }, trans));
  assert.deepEqual(found(''), ['a', 'b', 'c']);
  assert.deepEqual(found('IRIS.ipynb'), ['c']);
  assert.deepEqual(found('team=red'), ['b']);
  assert.deepEqual(found('failed b'), ['b']);
  assert.deepEqual(found('scaled'), ['a']);
  assert.deepEqual(found('failed c'), []);
});

void test('status and mode are filtered, and the order is one of four', () => {
  const shown = (change: object): string[] =>
    keys(arrange(ALL, { ...PLAIN_VIEW, ...change }, trans));
  assert.deepEqual(shown({ status: 'answering' }), ['a', 'c']);
  assert.deepEqual(shown({ mode: 'on-demand' }), ['a']);
  assert.deepEqual(shown({ sort: 'status' }), ['b', 'c', 'a']);
  assert.deepEqual(shown({ sort: 'requests' })[0], 'c');
  assert.deepEqual(shown({ sort: 'age' })[0], 'c');
});

void test('groups have their members below them unless they are closed', () => {
  const view = { ...PLAIN_VIEW, group: 'mode' as const };
  assert.deepEqual(keys(arrange(ALL, view, trans)), [
    'mode:On-Demand Function',
    'a',
    'mode:Online Service',
    'b',
    'c'
  ]);
  const closed = new Set(['mode:Online Service']);
  const lines = arrange(ALL, { ...view, closed }, trans);
  assert.deepEqual(keys(lines), [
    'mode:On-Demand Function',
    'a',
    'mode:Online Service'
  ]);
  assert.deepEqual(
    lines.map(({ position, size }) => [position, size]),
    [
      [1, 2],
      [1, 1],
      [2, 2]
    ]
  );
});

void test('of a thousand lines a screenful is drawn', () => {
  const offsets = offsetsOf(new Array<number>(1000).fill(44));
  assert.deepEqual(visibleRange(offsets, 0, 440, 2), {
    from: 0,
    to: 13,
    top: 0
  });
  const middle = visibleRange(offsets, 22_000, 440, 2);
  assert.deepEqual(middle, { from: 498, to: 513, top: 498 * 44 });
  assert.equal(visibleRange(offsets, 44_000, 440, 2).to, 1000);
  assert.deepEqual(visibleRange([0], 0, 440), { from: 0, to: 0, top: 0 });
});

void test('a notebook leaves running what it deployed and nobody terminated', () => {
  const made = readOverview(
    overview(
      deployment('a', { owner: '/notebooks/work/iris.ipynb' }),
      deployment('b', { owner: 'work/iris.ipynb', status: 'terminated' }),
      deployment('c', { owner: '/notebooks/work/other-iris.ipynb' })
    ),
    'it'
  );
  assert.deepEqual(leftBy(made, 'work/iris.ipynb'), ['a']);
  assert.deepEqual(leftBy(made, 'iris.ipynb'), ['a']);
  assert.deepEqual(leftBy(null, 'iris.ipynb'), []);
});
