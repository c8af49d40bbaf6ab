/** Each job that the program gives to a thread gets lost once, in a run of its own: nothing of it may be seen from outside. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type AppRig, openApp } from '../../support/app-rig.js';
import { type Loss, onThreads, openThreads } from '../../support/lossy-threads.js';

const threads = openThreads();
after(() => threads.close());

/** A replacement takes two requests of 1 ms each. */
const REPLACED_MS = 20;

interface Played {
  readonly worlds: Readonly<Record<string, unknown>>;
  readonly jobs: readonly string[];
  /** How many jobs there were by the end of each phase. */
  readonly ends: Readonly<Record<string, number>>;
}

const phases: readonly (readonly [name: string, act: (rig: AppRig) => Promise<void> | void])[] = [
  ['first plan', () => undefined],
  [
    'sweep',
    ({ balancer }) => {
      for (const [name, body] of balancer.servers)
        if (name.includes('.b.'))
          balancer.servers.set(name, JSON.stringify({ ...(JSON.parse(body) as object), max_connections: 7 }));
    },
  ],
  [
    'edit',
    ({ put }) => {
      put('a', '80/tcp-:1080 443/tcp-:1443', { balance: 'iphash' });
      put('b', '80/tcp-:2080');
      put('new', '80/tcp 8080/tcp-:3080');
    },
  ],
  ['restart of GoBetween', ({ balancer }) => balancer.restart()],
  ['restart of the janitor', (rig) => rig.restart()],
];

async function play(loss: Loss | null): Promise<Played> {
  const { clock, compute, jobs } = onThreads(threads, loss);
  const vanished: string[] = [];
  const rig = await openApp({
    clock,
    compute,
    given: { listen: '127.0.0.1:0', 'port-range': '5000-5100' },
    prepare(r) {
      r.put('a', '80/tcp-:1080 443/tcp-:1443');
      r.put('b', '80/tcp-:1081');
      r.put('c', '80/tcp 53/udp');
      watchAbsence(r, vanished);
    },
  });
  const worlds: Record<string, unknown> = {};
  const ends: Record<string, number> = {};
  for (const [name, act] of phases) {
    await act(rig);
    await rig.advance(45_000);
    worlds[name] = { served: rig.served(), problems: rig.problems() };
    ends[name] = jobs.length;
    assert.equal((await rig.page('/healthz')).status, 200, `alive after ${name}`);
    assert.equal((await rig.page('/readyz')).status, 200, `ready after ${name}`);
  }
  const told = rig.log.filter(({ level }) => level === 'error');
  assert.deepEqual(
    told.map(({ msg, work, lost }) => ({ msg, work, lost })),
    loss === null
      ? []
      : [{ msg: 'a worker thread was lost and replaced', work: jobs[loss.nth - 1], lost: loss.how }],
  );
  await rig.stop();
  assert.equal(clock.pending, 0);
  assert.deepEqual(vanished, [], 'each server that was taken away came back at once');
  return { worlds, jobs, ends };
}

/** Notes servers that a DELETE took away and that are not there again as soon as a replacement takes. */
function watchAbsence({ balancer: { servers }, clock }: AppRig, vanished: string[]): void {
  const since = new Map<string, number>();
  const { set, delete: remove } = servers;
  servers.set = (name, body) => {
    const ms = clock.now() - (since.get(name) ?? clock.now());
    since.delete(name);
    if (ms > REPLACED_MS) vanished.push(`${name} for ${ms} ms`);
    return set.call(servers, name, body);
  };
  servers.delete = (name) => {
    since.set(name, clock.now());
    clock.after(REPLACED_MS + 1, () => {
      if (since.has(name)) vanished.push(name);
    });
    return remove.call(servers, name);
  };
}

describe('a lost job', async () => {
  const calm = await play(null);
  for (const [name] of phases) {
    const from = Math.max(0, ...Object.values(calm.ends).filter((end) => end < (calm.ends[name] ?? 0)));
    const to = calm.ends[name] ?? 0;
    for (const how of ['crashed', 'hung'] as const) {
      test(`in phase ${name}: each of ${to - from} jobs ${how}, and the world is the same`, async () => {
        assert.ok(to > from, 'threads had work to do');
        for (let nth = from + 1; nth <= to; nth++) {
          const { worlds } = await play({ nth, how });
          assert.deepEqual(worlds, calm.worlds, `job ${nth}, ${calm.jobs[nth - 1]}`);
        }
      });
    }
  }
  test('every kind of job was among them', () =>
    assert.deepEqual(new Set(calm.jobs), new Set(['compile', 'claim', 'render', 'observe'])));
});
