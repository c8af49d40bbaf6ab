/**
 * Whatever the keywords hold, GoBetween lives, answers every request, and refuses a server only for what no config can know:
 * a port, an address, a right or a file (SPEC §3 "Every value is validated before it is sent"). With GOBETWEEN_BIN also
 * against the real program, with more sets. GENERATED sets their number, SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Outcome } from '../../src/gobetween/outcome.js';
import { observeServer } from '../../src/model/observed.js';
import type { ServiceKey } from '../../src/model/service.js';
import { STAND_IN, targets } from '../support/gobetween-target.js';
import { hostileSet } from '../support/hostile-keywords.js';
import { type KeywordLab, openLab } from '../support/keyword-lab.js';

const seed = Number(process.env['SEED'] ?? 20260101);
const batchSize = 200;
/** What no keyword can know, and GoBetween's words for it: address in use, not here, not allowed, files. */
const fair: Readonly<Partial<Record<Outcome, RegExp>>> = {
  ok: /^$/,
  'port-busy': /listen (tcp|udp) .*: bind: address already in use$/,
  'no-address': /listen (tcp|udp) .*: bind: cannot assign requested address$/,
  denied: /listen (tcp|udp) .*: bind: permission denied$/,
  'no-files': /too many open files$/,
  'file-error': /^((open|read) \/|open : no such file|tls: |x509: )/,
};

for (const named of targets()) {
  describe(`no keyword can hurt: ${named.name}`, () => {
    let lab: KeywordLab;
    before(async () => {
      lab = await openLab(named);
    });
    after(() => lab.close());

    const total = Number(process.env['GENERATED'] ?? (named === STAND_IN ? 600 : 20_000));
    test(`${total} sets of keywords`, { timeout: 900_000 }, async () => {
      const before = await lab.status();
      const outcomes = new Map<string, number>();
      const count = (what: string): void => void outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
      const unfair: string[] = [];
      const different: string[] = [];
      let posting = 0;
      let slowestMs = 0;
      for (let begun = 0; begun < total; begun += batchSize) {
        const numRuns = Math.min(batchSize, total - begun);
        const sets = fc.sample(hostileSet, { seed: seed + begun, numRuns });
        const wanted = [];
        for (const [index, { namespace, name, ...set }] of sets.entries()) {
          const key = `${namespace}/svc/${name}-h${begun + index}` as ServiceKey;
          wanted.push(await lab.want({ ...set, key }));
        }
        for (const { compiled, desired, compileMs } of wanted) {
          count(`(${compiled.verdict})`);
          if (desired.length > 0) posting += 1;
          slowestMs = Math.max(slowestMs, compileMs);
        }
        const posted = await lab.post(wanted);
        for (const { desired, answer } of posted) {
          count(answer.outcome);
          if (fair[answer.outcome]?.test(answer.detail) !== true)
            unfair.push(`${answer.outcome} ${answer.detail}\n${desired.body}`);
        }
        for (const { desired, answer } of posted.slice(0, 20)) {
          if (answer.outcome !== 'ok') continue;
          const shown = await lab.client.get(desired.name);
          const observed = observeServer(desired.name, JSON.parse(shown.value ?? 'null'));
          if (observed.digest !== desired.digest) different.push(`${desired.body}\n${observed.canonical}`);
        }
        await lab.clear();
        if (unfair.some((text) => /^(closed|unreachable|timeout)/.test(text))) break;
      }
      const figures = [...outcomes].map(([what, times]) => `${what} ${times}`).join(', ');
      console.log(
        `# ${named.name}: seed ${seed}, ${total} sets, ${posting} led to a POST; ${figures}; ${outcomes.get('closed') ?? 0} closed without an answer; slowest compile ${slowestMs.toFixed(0)} ms`,
      );
      assert.deepEqual(unfair.slice(0, 3), [], `${unfair.length} unfair answers`);
      assert.deepEqual(different.slice(0, 3), []);
      assert.ok(posting >= total / 3, `${posting} of ${total} sets led to a POST`);
      assert.ok(slowestMs < 2000, `a compile took ${slowestMs} ms`);
      assert.equal(await lab.target.exited(0), null, 'it ended');
      const now = await lab.status();
      assert.deepEqual([now.pid, now.startTime], [before.pid, before.startTime], 'the same process');
    });
  });
}
