import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../src/clock.js';
import type { Observed } from '../../src/model/server.js';
import type { ServiceKey } from '../../src/model/service.js';
import { listOf, type MarkedService } from '../../src/source/lsnr-status.js';
import type { CompileInput } from '../../src/worker/compile.js';
import { createInlineCompute } from '../../src/worker/compute.js';
import { createPoolCompute } from '../../src/worker/pool.js';
import { renderJob } from '../../src/worker/render.js';
import { createThreads } from '../../src/worker/threads.js';
import { hostileSet } from '../support/hostile-keywords.js';
import { placeInTurn, requestArb } from '../support/placements.js';
import { context, exposed } from '../support/service-config.js';
import { validEnv } from '../support/valid-keywords.js';

const inline = createInlineCompute();
const pool = createPoolCompute({
  threads: createThreads({ size: 2, clock: systemClock }),
  clock: systemClock,
  inlineBelow: { keys: 1, servers: 1, bytes: 1 },
});
pool.whenLost((work, { lost, detail }) => assert.fail(`${work} ${lost} ${detail}`));
after(() => pool.close());

const anyText = fc.string({ unit: 'binary' });
const config = fc.oneof(
  validEnv.map((env) => JSON.stringify({ ...exposed, env }).replaceAll('%P', '1080')),
  hostileSet.map(({ raw }) => raw),
  anyText,
);
const inputs: fc.Arbitrary<readonly CompileInput[]> = fc
  .array(
    fc.record(
      {
        raw: config,
        other: fc.constantFrom('none', 'same', 'same', 'any'),
        any: config,
        loop: fc.option(anyText, { freq: 9 }),
        slave: fc.integer({ min: 0, max: 9 }).map((share) => share === 0),
      },
      { noNullPrototype: true },
    ),
    { minLength: 1, maxLength: 40 },
  )
  .map((all) =>
    all.map(({ raw, other, any, ...each }, at) => {
      const evaluated = other === 'none' ? null : other === 'same' ? raw : any;
      return { ...each, raw, evaluated, key: `root/svc/s${at}${at % 9 === 0 ? 'é' : ''}` as ServiceKey };
    }),
  );
const allowed = fc.record(
  { allowExec: fc.boolean(), allowAcme: fc.boolean(), clusterName: fc.constantFrom('c1', 'c2.') },
  { noNullPrototype: true },
);

/** As JSON shows it: an absent field and an undefined one are the same. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** A status as an agent gives it, of services that come, go and change. */
const status = fc
  .dictionary(
    fc.constantFrom('web', 'api', 'ns1/svc/a', 'ns1/svc/b', 'ns1/vol/v', 'é'),
    fc.record(
      {
        csum: fc.constantFrom('1', '2', '3'),
        scope: fc.subarray(['n1', 'n2', 'n3']),
        scaler_slave: fc.boolean(),
        expect: fc.constantFrom('none', 'deleted'),
      },
      { noNullPrototype: true },
    ),
  )
  .map((services) => {
    const config = Object.entries(services).map(([path, { csum, scope }]) => [path, { csum, scope }]);
    const shown = Object.entries(services).map(([path, { scaler_slave, expect }]) => [
      path,
      { scaler_slave, monitor: { global_expect: expect } },
    ]);
    const node = {
      monitor: { status: 'idle' },
      services: {
        config: Object.fromEntries(config) as unknown,
        status: Object.fromEntries(shown) as unknown,
      },
    };
    return { cluster: { name: 'c1', nodes: ['n1'] }, monitor: { nodes: { n1: node }, services: {} } };
  });

describe('what threads answer is what the calling thread would', () => {
  test('compile and render', async () => {
    let rendered = 0;
    await fc.assert(
      fc.asyncProperty(inputs, allowed, async (batch, more) => {
        const here = await inline.compile(batch, { ...context, ...more });
        const there = await pool.compile(batch, { ...context, ...more });
        assert.deepEqual(plain(there), plain(here));
        const jobs = here.flatMap(({ template, words }) =>
          words.flatMap((word, at) => {
            if (template === null) return [];
            const place = { listenPort: 2000 + at, lookupServer: '10.0.0.1:53', expected: null };
            return [renderJob(template, word, place)];
          }),
        );
        const bodies = await inline.render(jobs);
        assert.deepEqual(await pool.render(jobs), bodies);
        // What is as expected comes back as the very object that was expected.
        const expecting = jobs.map((job, at) => ({ ...job, expected: bodies[at] ?? null }));
        const again = await pool.render(expecting);
        again.forEach((each, at) => assert.equal(each, bodies[at]));
        rendered += bodies.length;
      }),
      { numRuns: 150 },
    );
    assert.ok(rendered > 100, `${rendered} servers were rendered`);
  });

  test('observe: any bytes, anything known', async () => {
    const server = fc.record(
      {
        bind: fc.constantFrom('0.0.0.0:80', '[::1]:81', 'x'),
        protocol: fc.constantFrom('tcp', 'udp'),
        max_connections: fc.integer({ min: 0, max: 3 }),
      },
      { noNullPrototype: true },
    );
    const name = fc.oneof(fc.constantFrom('_80._tcp.web.root.svc', '_80_web', 'other', 'nul\0'), anyText);
    const list = fc.dictionary(name, server, { maxKeys: 12 });
    const text = fc.oneof(
      { weight: 8, arbitrary: list.map((all) => JSON.stringify(all)) },
      { weight: 1, arbitrary: anyText },
      { weight: 1, arbitrary: fc.json() },
    );
    let same = 0;
    await fc.assert(
      fc.asyncProperty(text, list, fc.boolean(), async (other, before, more) => {
        // Half of the lists are the former one and something more.
        const now = more ? other.replace(/^\{(?=")/, `${JSON.stringify(before).slice(0, -1)},`) : other;
        const known = (await inline.observe(Buffer.from(JSON.stringify(before)), [])) ?? [];
        const here = await inline.observe(Buffer.from(now), known);
        const there = await pool.observe(Buffer.from(now), known);
        const byName = (servers: readonly Observed[] | null): readonly Observed[] | null =>
          servers === null ? null : [...servers].sort((a, b) => (a.name < b.name ? -1 : 1));
        assert.deepEqual(byName(there), byName(here));
        for (const compute of [inline, pool]) {
          const read = await compute.observe(Buffer.from(now), known);
          if (read === null) continue;
          assert.equal(await compute.observe(Buffer.from(now), read), read, 'the same bytes again');
          const back = await compute.observe(Buffer.from(JSON.stringify(before)), read);
          assert.deepEqual(byName(back), byName(known), 'and back');
        }
        same += there?.filter((each) => known.includes(each)).length ?? 0;
      }),
      { numRuns: 300 },
    );
    assert.ok(same > 50, `${same} servers were the same`);
  });

  test('the status of an agent, list after list', async () => {
    const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 9, arbitrary: status }, fc.jsonValue())),
        async (lists) => {
          let known: readonly MarkedService[] = [];
          for (const list of lists) {
            const here = await inline.readStatus(bytes(list), 'n1', []);
            const there = await pool.readStatus(bytes(list), 'n1', known);
            if (!there.ok || !here.ok) {
              assert.deepEqual(there, here);
              continue;
            }
            const { head, services } = there.value;
            assert.deepEqual(listOf(head, services), listOf(here.value.head, here.value.services));
            const marks = new Map(known.map((service) => [service.mark, service]));
            for (const service of services)
              if (marks.has(service.mark)) assert.equal(service, marks.get(service.mark), 'the same object');
            known = services;
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test('ports of many claims', async () => {
    assert.equal(inline.wide, null);
    await fc.assert(
      fc.asyncProperty(requestArb, async (request) => {
        assert.deepEqual([...((await pool.wide?.place(request)) ?? [])], [...placeInTurn(request)]);
      }),
      { numRuns: 100 },
    );
  });
});
