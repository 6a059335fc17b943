import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError } from '../src/api';
import { Draft } from '../src/deploy/draft';
import { isJson, timingsOf } from '../src/details/asking';
import type { IDeployment, IPlan, IWanted } from '../src/payloads';

const PLAN: IPlan = { action: 'create', line: '', changes: [], problems: [] };

function draft(deploy: () => Promise<IDeployment>, sent: IWanted[]): Draft {
  return new Draft({
    api: {
      plan: wanted => {
        sent.push(wanted);
        return Promise.resolve(PLAN);
      },
      deploy
    },
    form: {
      name: '',
      schema: {},
      data: { name: 'iris', mode: 'online', min: 2, envs: { A: null } }
    },
    owner: 'a.ipynb'
  });
}

void test('variables are lines, and lines are variables', () => {
  const variables = { A: null, B: 'x=y', C: '' };
  const lines = Draft.linesOf(variables);
  assert.equal(lines, 'A\nB=x=y\nC=');
  assert.deepEqual(Draft.variables(`${lines}\n\n`), variables);
});

void test('another mode drops what was meant for the old one', () => {
  const made = draft(() => Promise.reject(new Error('no')), []);
  made.data = { ...made.data, mode: 'on-demand' };
  assert.equal(made.data.min, undefined);
  assert.deepEqual(made.wanted, {
    update: '',
    owner: 'a.ipynb',
    fields: { name: 'iris', mode: 'on-demand', envs: { A: null } }
  });
  made.dispose();
});

void test('a refusal is kept with the fields that it is about', async () => {
  const problems = [{ field: 'name', message: 'taken' }];
  const made = draft(
    () =>
      Promise.reject(new ApiError('taken', 409, 'choose another', problems)),
    []
  );
  assert.equal(await made.deploy(), false);
  assert.deepEqual(made.refusal, { message: 'taken', hint: 'choose another' });
  assert.deepEqual([...made.problems], [['name', 'taken']]);
  made.data = { ...made.data, name: 'other' };
  assert.equal(made.refusal, null);
  assert.equal(made.busy, false);
  made.dispose();
});

void test('where time went is read of its header', () => {
  assert.deepEqual(
    timingsOf('queue;dur=0.5, cold;dur=12, imports;dur=8, upstream;dur=1.25'),
    [
      { name: 'queue', milliseconds: 0.5 },
      { name: 'cold', milliseconds: 12 },
      { name: 'upstream', milliseconds: 1.25 }
    ]
  );
  assert.deepEqual(timingsOf(''), []);
  assert.equal(isJson('[1'), false);
});
