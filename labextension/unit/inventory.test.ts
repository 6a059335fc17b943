import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { BentoApi } from '../src/api';
import { InventoryModel } from '../src/inventory/model';
import { DeploymentsModel } from '../src/model';
import { deployment, overview } from './samples';
import { TestServer } from './server';

const BASE = '/user/x/bento-jupyter';
const OVERVIEW = `GET ${BASE}/overview`;
const BENTOS = `GET ${BASE}/bentos`;
const STATES = `GET ${BASE}/contexts/states`;

let server: TestServer;
let deployments: DeploymentsModel;
let model: InventoryModel;

beforeEach(async () => {
  server = new TestServer();
  const api = new BentoApi(await server.start());
  server.answer(OVERVIEW, overview(deployment('iris')));
  for (const path of ['bentos', 'models', 'contexts/states']) {
    server.answer(`GET ${BASE}/${path}`, { items: [] });
  }
  server.answer(`GET ${BASE}/images`, { images: [] });
  const remote = {
    name: 'prod',
    endpoint: 'https://cloud.example',
    embedded: false,
    current: true
  };
  server.answer(`GET ${BASE}/contexts`, { items: [remote] });
  deployments = new DeploymentsModel({ api, trafficMilliseconds: 20 });
  model = new InventoryModel(api, deployments);
});

afterEach(async () => {
  model.dispose();
  deployments.dispose();
  await server.stop();
});

/** Wait until a condition is fulfilled, at most five seconds. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `not fulfilled: ${condition.toString()}`);
    await new Promise(resolve => setImmediate(resolve));
  }
}

void test('many changes of deployments are two loads, and no question to other clouds', async () => {
  deployments.watch();
  model.watch();
  await until(() => model.inventory !== null && server.count(STATES) > 0);
  await until(() => deployments.connection === 'running');
  await model.refresh();
  const [bentos, states] = [server.count(BENTOS), server.count(STATES)];
  let release: () => void = () => undefined;
  const held = new Promise<void>(resolve => {
    release = resolve;
  });
  server.routes.set(BENTOS, async () => {
    await held;
    return { status: 200, body: { items: [] } };
  });
  for (let number = 1; number <= 20; number++) {
    const bento = `iris:v${number}`;
    server.answer(OVERVIEW, overview(deployment('iris', { bento })));
    deployments.hint();
    await until(() => deployments.find('iris')?.bento === bento);
  }
  assert.equal(server.count(BENTOS), bentos + 1);
  release();
  await until(() => server.count(BENTOS) === bentos + 2);
  await deployments.refresh();
  assert.equal(server.count(BENTOS), bentos + 2);
  assert.equal(server.count(STATES), states);
});

void test('nothing of the last cloud is shown for another one', async () => {
  const bento = {
    tag: 'iris:v1',
    digest: '',
    size_bytes: 1,
    status: 'success',
    reason: '',
    used_by: [],
    created_at: '2026-01-01T00:00:00Z',
    in_cloud: true,
    in_store: false,
    proof: null
  };
  server.answer(BENTOS, { items: [bento] });
  deployments.watch();
  model.watch();
  await until(() => model.inventory?.bentos.length === 1);
  server.routes.set(BENTOS, () => new Promise(() => undefined));
  deployments.cloud = 'prod';
  assert.deepEqual(model.inventory?.bentos, []);
  assert.deepEqual(
    model.inventory.contexts.map(({ name }) => name),
    ['prod']
  );
});
