import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ok } from '../../../src/errors.js';
import { keyOf } from '../../support/cluster-lists.js';
import { type AppRig, openApp } from '../../support/app-rig.js';

const web = '_80._tcp.web.root.svc';
const minutes = (count: number): number => count * 60_000;

/** Moves a server in GoBetween behind the janitor's back. */
function mutate(rig: AppRig, name: string, bind: string): void {
  const body = rig.balancer.servers.get(name);
  assert.ok(body !== undefined);
  rig.balancer.servers.set(name, JSON.stringify({ ...(JSON.parse(body) as object), bind }));
}

function deletes(rig: AppRig): readonly string[] {
  return rig.calls().filter((call) => call.startsWith('DELETE'));
}

const two = ({ put }: AppRig): void => {
  put('web', '80/tcp-:8080');
  put('web2', '80/tcp-:8081');
};

describe('a service MUST NOT lose its servers', () => {
  test('because it is in the list again and its config is not read yet', async () => {
    const rig = await openApp({ prepare: two });
    rig.source.hidden.add('web');
    await rig.restart();
    rig.source.hidden.delete('web');
    rig.source.latencyMs.config = 100_000;
    await rig.advance(5_000);
    rig.calls();
    mutate(rig, web, '0.0.0.0:9999');
    await rig.advance(60_000);
    assert.ok(web in rig.served(), 'the server was taken away from a service that is in the list');
    await rig.advance(120_000);
    assert.equal(rig.served()[web], '0.0.0.0:8080');
    await rig.stop();
  });

  test('because its node is not alive, in maintenance, or starting, however long that takes', async () => {
    for (const status of ['', 'init', 'rejoin', 'maintenance', 'shutting', null]) {
      const rig = await openApp({
        prepare(each) {
          each.source.members = ['n1', 'n2'];
          each.source.nodes = { n1: 'idle', n2: 'idle' };
          each.source.put('web', { igw_gobtw_bind: '80/tcp-:8080' }, { csums: { n2: 'v' }, scope: ['n2'] });
        },
      });
      assert.deepEqual(Object.keys(rig.served()), [web]);
      rig.source.nodes = status === null ? { n1: 'idle' } : { n1: 'idle', n2: status };
      rig.source.hidden.add('web');
      await rig.advance(minutes(120));
      assert.deepEqual(Object.keys(rig.served()), [web], String(status));
      await rig.stop();
    }
  });

  test('because the agent is away, or starts slowly with a list that grows', async () => {
    const rig = await openApp({ prepare: two });
    rig.calls();
    rig.source.failing.set('list', { code: 'agent-unreachable', retry: 'backoff', message: 'ECONNREFUSED' });
    await rig.advance(minutes(60));
    rig.source.failing.clear();
    rig.source.hidden.add('web').add('web2');
    rig.source.nodes = { n1: 'init' };
    await rig.advance(minutes(20));
    rig.source.nodes = { n1: 'idle' };
    rig.source.hidden.delete('web2');
    await rig.advance(minutes(4));
    rig.source.hidden.delete('web');
    await rig.advance(minutes(10));
    assert.deepEqual(deletes(rig), []);
    await rig.stop();
  });

  test('because the janitor itself has just started and the list lacks it', async () => {
    const rig = await openApp({ prepare: two });
    rig.source.hidden.add('web');
    await rig.restart();
    rig.calls();
    await rig.advance(minutes(4));
    assert.deepEqual(deletes(rig), []);
    await rig.advance(minutes(8));
    assert.deepEqual(deletes(rig), [`DELETE ${web}`], 'absent for a whole grace, and nothing could hide it');
    await rig.stop();
  });

  test('because more than half of the list is gone: ten graces, and a message meanwhile', async () => {
    const rig = await openApp({
      prepare({ put }) {
        for (let i = 0; i < 30; i++) put(`s${i}`, `80/tcp-:${2000 + i}`);
      },
    });
    await rig.advance(minutes(10));
    rig.calls();
    for (let i = 0; i < 20; i++) rig.source.hidden.add(`s${i}`);
    await rig.advance(minutes(45));
    assert.deepEqual(deletes(rig), []);
    assert.deepEqual(rig.problems(), ['list-shrunk']);
    await rig.advance(minutes(10));
    assert.equal(deletes(rig).length, 20);
    assert.deepEqual(rig.problems(), []);
    await rig.stop();
  });

  test('of an empty list at the first start: seeds of servers in GoBetween count as known', async () => {
    const rig = await openApp({
      prepare({ put }) {
        for (let i = 0; i < 30; i++) put(`s${i}`, `80/tcp-:${2000 + i}`);
      },
    });
    for (let i = 0; i < 30; i++) rig.source.hidden.add(`s${i}`);
    await rig.restart();
    rig.calls();
    await rig.advance(minutes(45));
    assert.deepEqual(deletes(rig), []);
    assert.deepEqual(rig.problems(), ['list-shrunk']);
    await rig.stop();
  });

  test('because its config is an empty file for a while', async () => {
    const rig = await openApp({ prepare: two });
    rig.calls();
    const { config } = rig.source;
    rig.source.config = async () => ok({ text: '{}' });
    rig.put('web', '80/tcp-:8080');
    await rig.advance(30_000);
    assert.deepEqual(rig.problems(), ['config-unreadable web']);
    rig.source.config = config;
    await rig.advance(60_000);
    assert.deepEqual([rig.calls(), rig.problems()], [[], []]);
    await rig.stop();
  });

  test('because a status lacks the name of the cluster', async () => {
    const rig = await openApp({ prepare: two });
    rig.calls();
    const { list } = rig.source;
    rig.source.list = async () => {
      const answer = await list();
      return answer.ok ? ok({ ...answer.value, clusterName: '' }) : answer;
    };
    await rig.advance(20_000);
    await rig.restart();
    await rig.advance(minutes(5));
    assert.deepEqual(rig.calls(), [], 'without the name nothing can be rendered');
    rig.source.list = list;
    await rig.advance(20_000);
    rig.put('new', '80/tcp-:8082');
    await rig.advance(5_000);
    assert.deepEqual(rig.calls(), ['POST _80._tcp.new.root.svc']);
    await rig.stop();
  });

  test('because the agent says late which node it is, and the service names that node', async () => {
    const rig = await openApp({
      given: { hostname: 'igw' },
      prepare: ({ put }) => put('web', '80/tcp-:8080', { target_lb: 'n1' }),
    });
    rig.calls();
    rig.source.failing.set('nodeName', { code: 'agent-timeout', retry: 'backoff', message: 'busy' });
    await rig.restart();
    await rig.advance(10_000);
    rig.source.failing.clear();
    await rig.advance(30_000);
    assert.deepEqual(rig.calls(), []);
    assert.deepEqual(Object.keys(rig.served()), [web]);
    rig.source.failing.set('nodeName', { code: 'agent-timeout', retry: 'backoff', message: 'busy' });
    await rig.restart();
    rig.put('new', '80/tcp-:8081');
    await rig.advance(minutes(3));
    assert.ok('_80._tcp.new.root.svc' in rig.served(), 'a name that never comes holds nothing back for ever');
    await rig.stop();
  });

  test('because the gateway does not know its own name', async () => {
    const rig = await openApp({
      hostname: 'nobody',
      prepare(each) {
        each.source.ownName = null;
        each.put('web', '80/tcp-:8080');
      },
    });
    assert.deepEqual(rig.problems(), ['identity-unknown']);
    rig.put('web', '80/tcp-:8080', { target_lb: 'elsewhere' });
    await rig.advance(minutes(60));
    assert.deepEqual(deletes(rig), []);
    await rig.stop();
  });
});

describe('what is known positively acts at once', () => {
  test('an announced deletion, once the object is gone', async () => {
    const rig = await openApp({ prepare: two });
    rig.calls();
    rig.source.handlers?.onDeleting(keyOf('web'));
    await rig.advance(3_000);
    assert.deepEqual(deletes(rig), [], 'it is still there');
    rig.source.remove('web');
    await rig.advance(3_000);
    assert.deepEqual(deletes(rig), [`DELETE ${web}`]);
    await rig.stop();
  });

  test('a word removed, a target that names another gateway, a slave', async () => {
    for (const edit of [
      (rig: AppRig) => rig.put('web', ''),
      (rig: AppRig) => rig.put('web', '80/tcp-:8080', { target_lb: 'n9' }),
      (rig: AppRig) => rig.source.put('web', { igw_gobtw_bind: '80/tcp-:8080' }, { slave: true }),
    ]) {
      const rig = await openApp({ prepare: two });
      edit(rig);
      await rig.advance(3_000);
      assert.deepEqual(Object.keys(rig.served()), ['_80._tcp.web2.root.svc']);
      await rig.stop();
    }
  });
});

test('nothing is left of a service that is gone: no problem, no state, no known key', async () => {
  const rig = await openApp({ prepare: two });
  rig.put('web', '80/tcp-:8080 81/what');
  await rig.advance(2_000);
  assert.deepEqual(rig.problems(), ['bad-word web']);
  rig.source.handlers?.onDeleting(keyOf('web'));
  rig.source.remove('web');
  await rig.advance(10_000);
  assert.deepEqual(Object.keys(rig.served()), ['_80._tcp.web2.root.svc']);
  assert.deepEqual(rig.problems(), []);
  assert.deepEqual([...new Set(rig.app.exposure().map(({ service }) => service))], ['web2']);
  await rig.stop();
});
