import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  age,
  curlSnippet,
  duration,
  logLine,
  memory,
  modeTitle,
  scalingText,
  statusWord,
  toneOf
} from '../src/format';
import { trans } from './samples';

const MINUTE = 60_000;

void test('ages are coarse', () => {
  const cases: [number, string][] = [
    [-5, '< 1 min'],
    [59_999, '< 1 min'],
    [MINUTE, '1 min'],
    [59 * MINUTE, '59 min'],
    [60 * MINUTE, '1 h'],
    [47 * 60 * MINUTE, '1 day'],
    [48 * 60 * MINUTE, '2 days']
  ];
  for (const [passed, words] of cases) {
    assert.equal(age(1e12, 1e12 + passed, trans), words);
  }
});

void test('durations have the digits worth reading', () => {
  const cases: [number, string][] = [
    [0, '0 ms'],
    [0.0284, '28 ms'],
    [0.9994, '999 ms'],
    [0.9996, '1.00 s'],
    [1.499, '1.50 s'],
    [12.34, '12.3 s'],
    [59.96, '1 min 0 s'],
    [61.4, '1 min 1 s']
  ];
  for (const [seconds, words] of cases) {
    assert.equal(duration(seconds, trans), words);
  }
});

void test('memory is in MB until it is a thousand of them', () => {
  assert.equal(memory(102_387_712, trans), '98 MB');
  assert.equal(memory(2 * 2 ** 30, trans), '2.0 GB');
});

void test('every status of the cloud has a word and a tone of its own kind', () => {
  const tones: Record<string, string> = {
    running: 'ok',
    'scaled-to-zero': 'idle',
    deploying: 'busy',
    'image-building': 'busy',
    'image-build-succeeded': 'busy',
    terminating: 'busy',
    failed: 'failed',
    unhealthy: 'failed',
    'image-build-failed': 'failed',
    terminated: 'off',
    'non-deployed': 'off'
  };
  const words = new Set<string>();
  for (const [status, tone] of Object.entries(tones)) {
    assert.equal(toneOf(status), tone);
    words.add(statusWord(status, trans));
  }
  assert.equal(words.size, Object.keys(tones).length);
  assert.equal(words.has('Unknown'), false);
  assert.equal(statusWord('something-new', trans), 'Unknown');
  assert.equal(toneOf('something-new'), 'off');
});

void test('modes have the names that BentoCloud gives them', () => {
  assert.equal(modeTitle('online', trans), 'Online Service');
  assert.equal(modeTitle('on-demand', trans), 'On-Demand Function');
});

void test('scaling is one line', () => {
  const scaling = {
    min: 1,
    max: 1,
    concurrency: null,
    idle_seconds: null,
    scale_up_seconds: 0
  };
  assert.equal(scalingText(scaling, trans), '1 instance');
  assert.equal(
    scalingText({ ...scaling, min: 0, max: 3, concurrency: 8 }, trans),
    '0 to 3 instances, 8 requests at a time each'
  );
});

void test('a log line tells its time once', () => {
  const at = new Date(2026, 0, 2, 3, 4, 5).getTime();
  const text = '2026-01-02T03:04:05+0000 [INFO] ready';
  assert.deepEqual(logLine({ at, source: 'a', text }), {
    time: '03:04:05',
    text: '[INFO] ready'
  });
  assert.deepEqual(logLine({ at: null, source: 'a', text: 'printed' }), {
    time: '',
    text: 'printed'
  });
});

void test('the snippet names a variable where a token goes, never a token', () => {
  assert.equal(
    curlSnippet({ url: null, protected: true, endpoints: [] }),
    null
  );
  assert.equal(
    curlSnippet({
      url: 'http://127.0.0.1:20000/',
      protected: false,
      endpoints: []
    }),
    "curl -i 'http://127.0.0.1:20000/readyz'"
  );
  assert.equal(
    curlSnippet({
      url: 'http://127.0.0.1:20000',
      protected: true,
      endpoints: [
        { name: 'predict', route: '/predict', example: '{"X": [[0]]}' }
      ]
    }),
    [
      "curl -i 'http://127.0.0.1:20000/predict'",
      '-H "Authorization: Bearer $BENTO_TOKEN"',
      '-H "Content-Type: application/json"',
      '-d \'{"X": [[0]]}\''
    ].join(' \\\n  ')
  );
});

void test('a URL cannot break out of the snippet', () => {
  const snippet = curlSnippet({
    url: "http://x/';rm -rf '",
    protected: false,
    endpoints: []
  });
  assert.equal(snippet, "curl -i 'http://x/'\\'';rm -rf '\\''/readyz'");
});
