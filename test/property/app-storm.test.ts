/**
 * Storms over the whole program in virtual time: edits, typos, restarts of both sides, lost answers. When it is calm again
 * GoBetween must serve what the services ask for, a bystander must never have been touched, and a new janitor must find
 * nothing to do (SPEC §3, §4, §5).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { conflicts, parseListen } from '../../src/model/bind.js';
import { decodeName } from '../../src/model/name.js';
import type { Listen } from '../../src/model/server.js';
import { type AppRig, openApp } from '../support/app-rig.js';
import { perform, services, step } from '../support/storms.js';

const storm = fc.array(step, { minLength: 3, maxLength: 14 });
const latency = fc.constantFrom(1, 1, 40, 400);

interface Serving {
  readonly service: string;
  readonly label: string;
  readonly listen: Listen;
}

function serving(rig: AppRig): Serving[] {
  return Object.entries(rig.served()).map(([name, bind]) => {
    const own = decodeName(name);
    const at = parseListen(bind);
    assert.ok(own?.kind === 'ours' && at !== null, name);
    return {
      service: own.key.slice('root/svc/'.length),
      label: `${own.port}/${own.proto}`,
      listen: { proto: own.proto, ...at },
    };
  });
}

/** Every word of every service is served, or waits for a port that another service really has; nothing else is there. */
function check(rig: AppRig): void {
  const all = serving(rig);
  const problems = rig.problems();
  for (const [path, { env }] of rig.source.services) {
    const mine = all.filter(({ service }) => service === path);
    const bind = (env['igw_gobtw_bind'] ?? '').split(' ').filter((word) => word !== '');
    if (bind.length === 0 || env['igw_gobtw_target_lb'] === 'n2') {
      assert.deepEqual(mine, [], `${path} asks for nothing here`);
      continue;
    }
    if (env['igw_gobtw_balance'] === 'none') continue; // it keeps what it had
    const bad = bind.some((word) => ['8o/tcp', '443/tcp-'].includes(word));
    let held = false;
    for (const word of bind.filter((each) => !['8o/tcp', '443/tcp-'].includes(each))) {
      const [label = '', at = ''] = word.split('-');
      const listen = parseListen(at.startsWith(':') ? `0.0.0.0${at}` : at);
      const wanted: Listen | null =
        listen === null ? null : { proto: label.endsWith('udp') ? 'udp' : 'tcp', ...listen };
      const served = mine.some(
        (server) =>
          server.label === label &&
          (wanted === null || (server.listen.addr === wanted.addr && server.listen.port === wanted.port)),
      );
      if (served) continue;
      assert.ok(wanted !== null, `${path} ${word} is allocated, and not served`);
      held = true;
      const winner = all.find((server) => conflicts(server.listen, wanted));
      assert.ok(winner !== undefined, `${path} ${word} waits for nobody`);
      if (winner.service !== path || !bad)
        assert.ok(problems.includes(`port-conflict ${path}`), `${path} ${word}: a silence`);
    }
    if (!bad && !held)
      assert.equal(mine.length, new Set(bind).size, `${path} has servers that no word asks for`);
  }
}

/** The problems that a new janitor has, too: it does not know how often a port was taken out of a value, and writes it again. */
function toldAgain(rig: AppRig): readonly string[] {
  return rig.problems().filter((problem) => !problem.startsWith('write-back-reverted '));
}

test('after any storm everything is as it should be, and a bystander was never touched', async () => {
  await fc.assert(
    fc.asyncProperty(storm, latency, async (steps, latencyMs) => {
      const rig = await openApp({
        latencyMs,
        given: { 'port-range': '5000-5020' },
        prepare: (r) => {
          r.put('calm', '80/tcp-:9080 53/udp-:9053 443/tcp-:9443');
          for (const each of services) r.put(each, '');
        },
      });
      let restarts = 0;
      for (const { act, ms } of steps) {
        await perform(rig, act);
        if (act.op === 'restart-gobetween' || act.op === 'down') restarts += 1;
        await rig.advance(ms);
      }
      rig.balancer.heal();
      rig.balancer.occupied.clear();
      rig.balancer.traffic.clear();
      await rig.advance(120_000);
      check(rig);
      // A new janitor did not hear the announcement: absence takes its time.
      if (!steps.some(({ act }) => act.op === 'restart-janitor'))
        for (const { service } of serving(rig))
          assert.ok(rig.source.services.has(service), `${service} is gone`);
      const touched = rig.calls().filter((call) => call.includes('.calm.'));
      assert.deepEqual(
        touched.filter((call) => call.startsWith('DELETE')),
        [],
      );
      assert.ok(
        touched.filter((call) => !/ (timeout|unreachable|exists)$/.test(call)).length <= 3 * (restarts + 1),
        String(touched),
      );
      const before = { served: rig.served(), problems: toldAgain(rig) };
      await rig.restart();
      await rig.advance(60_000);
      assert.deepEqual(rig.calls(), [], 'a new janitor finds nothing to do');
      assert.deepEqual({ served: rig.served(), problems: toldAgain(rig) }, before);
      await rig.stop();
      assert.equal(rig.clock.pending, 0);
    }),
    { numRuns: Number(process.env['STORMS'] ?? 60) },
  );
});
