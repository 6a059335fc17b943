import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { BentoApi } from '../src/api';
import { DeploymentsModel } from '../src/model';
import { deployment, overview } from './samples';
import { TestServer } from './server';

const BASE = '/user/x/bento-jupyter';
const OVERVIEW = `GET ${BASE}/overview`;

let server: TestServer;
let model: DeploymentsModel;

beforeEach(async () => {
  server = new TestServer();
  const settings = await server.start();
  model = new DeploymentsModel({
    api: new BentoApi(settings, () => model.cloud),
    trafficMilliseconds: 20
  });
});

afterEach(async () => {
  model.dispose();
  await server.stop();
});

/** Wait until the model fulfils a condition, at most five seconds. */
function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`not fulfilled: ${condition.toString()}`));
    }, 5000);
    const look = (): void => {
      if (condition()) {
        clearTimeout(timer);
        model.stateChanged.disconnect(look);
        resolve();
      }
    };
    model.stateChanged.connect(look);
    look();
  });
}

void test('asks nothing while nobody watches', async () => {
  server.answer(OVERVIEW, overview());
  model.hint();
  assert.equal(model.connection, 'loading');
  const watch = model.watch();
  await until(() => model.connection === 'running');
  watch.dispose();
  const asked = server.asked.length;
  model.hint();
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(server.asked.length, asked);
});

void test('shows what a hint is about', async () => {
  server.answer(OVERVIEW, overview());
  model.watch();
  await until(() => model.connection === 'running');
  server.answer(OVERVIEW, overview(deployment('iris')));
  model.hint();
  await until(() => model.find('iris') !== null);
  assert.equal(model.find('iris')?.bento, 'iris:v1');
  assert.equal(model.find('other'), null);
});

void test('a hint about a few asks for those only', async () => {
  const changes = `GET ${BASE}/changes`;
  server.answer(
    OVERVIEW,
    overview(deployment('iris'), deployment('old'), deployment('wine'))
  );
  model.watch();
  await until(() => model.connection === 'running');
  const all = server.count(OVERVIEW);
  server.answer(changes, {
    deployments: [deployment('iris', { status: 'failed' }), deployment('new')],
    gone: ['old']
  });
  model.hint({ cloud: false, names: ['iris', 'old', 'new'] });
  await until(() => model.find('new') !== null);
  assert.equal(model.find('iris')?.status, 'failed');
  assert.equal(model.find('old'), null);
  assert.deepEqual(
    model.overview?.deployments.map(({ name }) => name),
    ['iris', 'wine', 'new']
  );
  assert.equal(server.count(OVERVIEW), all);
  server.answer(changes, { message: 'no' }, 502);
  server.answer(OVERVIEW, overview(deployment('wine')));
  model.hint({ cloud: false, names: ['iris'] });
  await until(() => model.find('iris') === null);
  assert.equal(server.count(OVERVIEW), all + 1);
});

void test('changes that an overview has overtaken are dropped', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>(resolve => {
    release = resolve;
  });
  server.answer(OVERVIEW, overview(deployment('iris')));
  model.watch();
  await until(() => model.connection === 'running');
  server.routes.set(`GET ${BASE}/changes`, async () => {
    await held;
    const deployments = [deployment('iris', { status: 'deploying' })];
    return { status: 200, body: { deployments, gone: [] } };
  });
  model.hint({ cloud: false, names: ['iris'] });
  await model.refresh();
  release();
  model.hint({ cloud: false, names: ['iris'] });
  await until(() => model.find('iris')?.status === 'deploying');
  assert.equal(server.count(`GET ${BASE}/changes`), 2, 'the first was dropped');
});

void test('an answer that was overtaken changes nothing', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>(resolve => {
    release = resolve;
  });
  let asked = 0;
  server.routes.set(OVERVIEW, async () => {
    asked += 1;
    if (asked === 1) {
      await held;
      return { status: 200, body: overview(deployment('old')) };
    }
    return { status: 200, body: overview(deployment('new')) };
  });
  const first = model.refresh();
  const second = model.refresh();
  await second;
  assert.notEqual(model.find('new'), null);
  release();
  await first;
  assert.notEqual(model.find('new'), null);
  assert.equal(model.find('old'), null);
});

void test('a cloud that is not running is no error', async () => {
  server.answer(OVERVIEW, {
    ...overview(),
    context: '',
    state: 'stopped',
    message: 'it is not running',
    cloud: null
  });
  await model.refresh();
  assert.equal(model.connection, 'stopped');
  assert.equal(model.message, 'it is not running');
});

void test('a server without the extension is told from one that is away', async () => {
  await model.refresh();
  assert.equal(model.connection, 'missing');
  server.answer(OVERVIEW, overview(deployment('iris')));
  await model.refresh();
  assert.equal(model.connection, 'running');
  await server.stop();
  await model.refresh();
  assert.equal(model.connection, 'offline');
  assert.notEqual(model.find('iris'), null, 'what was known stays');
});

void test('a server that a hint finds away is asked again soon, not at the next poll', async () => {
  server.answer(OVERVIEW, overview());
  model.watch();
  await until(() => model.connection === 'running');
  server.answer(OVERVIEW, {}, 503);
  model.hint();
  await until(() => model.connection === 'offline');
  server.answer(OVERVIEW, overview(deployment('iris')));
  await until(() => model.find('iris') !== null);
});

void test('a cloud that does not take its token is asked again soon', async () => {
  server.answer(OVERVIEW, overview());
  model.watch();
  await until(() => model.connection === 'running');
  server.answer(OVERVIEW, { ...overview(), state: 'refused', cloud: null });
  model.hint();
  await until(() => model.connection === 'refused');
  server.answer(OVERVIEW, overview(deployment('iris')));
  await until(() => model.find('iris') !== null);
});

void test('another cloud is asked for itself, and nothing of the last one stays', async () => {
  const late = deployment('late');
  server.answer(OVERVIEW, overview(deployment('iris')));
  model.watch();
  await until(() => model.find('iris') !== null);
  assert.equal(server.cloud, null);
  model.current = 'iris';
  server.answer(`POST ${BASE}/deployments/iris/terminate`, {}, 500);
  await model.terminate('iris');
  assert.notEqual(model.problem({ deployment: 'iris' }), null);

  let release: () => void = () => undefined;
  const held = new Promise<void>(resolve => (release = resolve));
  server.routes.set(OVERVIEW, async () => {
    if (server.cloud === null) {
      await held;
      return { status: 200, body: overview(late) };
    }
    const body = { ...overview(deployment('iris')), context: 'a b' };
    return { status: 200, body: { ...body, cloud: null } };
  });
  const asked = model.refresh();
  model.cloud = 'a b';
  assert.equal(model.connection, 'loading');
  assert.equal(model.find('iris'), null);
  assert.equal(model.current, null);
  await until(() => model.connection === 'running');
  assert.equal(server.cloud, 'a b');
  assert.equal(model.problem({ deployment: 'iris' }), null);
  release();
  await asked;
  assert.equal(model.find('late'), null, 'an answer about the last cloud');
});

void test('what was asked about one cloud is done there, whichever is shown by then', async () => {
  server.answer(OVERVIEW, overview(deployment('iris')));
  const terminate = `POST ${BASE}/deployments/iris/terminate`;
  server.answer(terminate, deployment('iris'));
  model.cloud = 'team';
  await model.terminate('iris', '');
  assert.equal(server.cloud, null);
  assert.equal(server.count(terminate), 1);
  server.answer(terminate, { message: 'no' }, 409);
  await assert.rejects(model.terminate('iris', ''), /no/);
  assert.equal(model.problem({ deployment: 'iris' }), null);
});

void test('a hint about another cloud is none', async () => {
  server.answer(OVERVIEW, overview());
  model.watch();
  await until(() => model.connection === 'running');
  const asked = server.asked.length;
  model.hint({ context: 'team', cloud: true, names: [] });
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(server.asked.length, asked);
  server.answer(OVERVIEW, overview(deployment('iris')));
  model.hint({ context: '', cloud: true, names: [] });
  await until(() => model.find('iris') !== null);
});

void test('a cloud that gives no hints is asked often while it is on the screen', async () => {
  server.answer(OVERVIEW, { ...overview(), cloud: null });
  model.pollSeconds = 60;
  model.cloud = 'bare';
  model.watch(false);
  await until(() => model.connection === 'running');
  const asked = server.count(OVERVIEW);
  model.watch();
  await until(() => server.count(OVERVIEW) > asked);
});

void test('a cloud is restarted as one action', async () => {
  server.answer(OVERVIEW, overview());
  server.answer(`POST ${BASE}/cloud/stop`, overview());
  server.answer(`POST ${BASE}/cloud/start`, overview());
  await model.restartCloud();
  assert.deepEqual(server.asked, [
    `POST ${BASE}/cloud/stop`,
    `POST ${BASE}/cloud/start`,
    OVERVIEW
  ]);
});

void test('an answer of another shape is said, not shown', async () => {
  server.answer(OVERVIEW, overview({ ...deployment('iris'), status: 7 }));
  await model.refresh();
  assert.equal(model.connection, 'offline');
  assert.match(model.message, /deployments\[0\]\.status should be a string/);
});

void test('a refused action leaves its reason and hint until the next', async () => {
  const terminate = `POST ${BASE}/deployments/iris/terminate`;
  server.answer(OVERVIEW, overview(deployment('iris')));
  server.answer(terminate, { message: 'no', hint: 'wait' }, 409);
  await model.terminate('iris');
  assert.deepEqual(model.problem({ deployment: 'iris' }), {
    message: 'no',
    hint: 'wait'
  });
  assert.equal(model.problem('cloud'), null);
  server.answer(terminate, deployment('iris', { status: 'terminating' }));
  await model.terminate('iris');
  assert.equal(model.problem({ deployment: 'iris' }), null);
  assert.equal(model.pending({ deployment: 'iris' }), null);
});

void test('an action is not begun twice', async () => {
  server.answer(OVERVIEW, overview());
  server.answer(`POST ${BASE}/cloud/start`, overview());
  const both = [model.startCloud(), model.startCloud()];
  assert.equal(model.pending('cloud'), 'start');
  await Promise.all(both);
  assert.equal(server.count(`POST ${BASE}/cloud/start`), 1);
});

void test('the traffic of what is on the screen is kept fresh', async () => {
  const path = `GET ${BASE}/traffic`;
  server.answer(
    OVERVIEW,
    overview(deployment('iris', { requests: 3 }), deployment('idle'))
  );
  let asked = 0;
  server.routes.set(path, () => {
    asked += 1;
    const items = [{ name: 'iris', rate: asked, points: [0, asked] }];
    return { status: 200, body: { items } };
  });
  const watch = model.watch();
  await until(() => model.connection === 'running');
  assert.equal(asked, 0, 'nothing is on the screen');
  model.show(['iris', 'idle']);
  await until(() => (model.traffic('iris')?.rate ?? 0) > 2);
  assert.equal(model.traffic('idle'), null);
  server.answer(OVERVIEW, overview());
  model.hint();
  await until(() => model.find('iris') === null);
  assert.equal(model.traffic('iris'), null);
  watch.dispose();
});

void test('a change is sent as it was asked for', async () => {
  server.answer(OVERVIEW, overview(deployment('iris')));
  server.answer(`PATCH ${BASE}/deployments/iris`, deployment('iris'));
  server.answer(`DELETE ${BASE}/deployments/iris`, {});
  await model.change('iris', { max: 3 });
  await model.delete('iris');
  assert.deepEqual(server.bodies, ['{"max":3}']);
  assert.equal(model.problem({ deployment: 'iris' }), null);
});
