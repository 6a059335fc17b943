import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { ApiError, BentoApi } from '../src/api';
import { TestServer } from './server';

const BASE = '/user/x/bento-jupyter';
const JOB = { id: 'a1', state: 'running', message: '', hint: '' };

let server: TestServer;
let api: BentoApi;

beforeEach(async () => {
  server = new TestServer();
  api = new BentoApi(await server.start());
});

afterEach(() => server.stop());

void test('asks after a job until it has ended', async () => {
  server.answer(`POST ${BASE}/bentos/iris/v1/push`, JOB);
  const states = ['running', 'running', 'done'];
  server.routes.set(`GET ${BASE}/jobs/a1`, () => ({
    status: 200,
    body: { ...JOB, state: states.shift() }
  }));
  await api.push('iris:v1', 'prod');
  assert.equal(server.count(`GET ${BASE}/jobs/a1`), 3);
  assert.deepEqual(server.bodies, ['{"cloud":"prod"}']);
});

void test('tells why a job failed, and what to do', async () => {
  server.answer(`POST ${BASE}/login`, JOB);
  const failed = { ...JOB, state: 'failed', message: 'no', hint: 'try again' };
  server.answer(`GET ${BASE}/jobs/a1`, failed);
  const wanted = { endpoint: 'https://cloud.example', token: 'secret' };
  await assert.rejects(api.login(wanted), (reason: ApiError) => {
    assert.equal(reason.message, 'no');
    assert.equal(reason.hint, 'try again');
    return true;
  });
  assert.equal(server.asked.join().includes('secret'), false);
});

void test('a job that is not known any more is no endless wait', async () => {
  server.answer(`POST ${BASE}/bentos/iris/v1/export`, JOB);
  server.answer(`GET ${BASE}/jobs/a1`, { message: 'gone', hint: '' }, 404);
  await assert.rejects(api.export('iris:v1', 'project'), /gone/);
});
