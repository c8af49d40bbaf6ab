/**
 * What is meant, what is posted and what GoBetween shows have one digest, whatever valid keywords a service has: the premise
 * of "no call without a semantic difference" (SPEC §4). With GOBETWEEN_BIN also against the real program, with more
 * configurations. GENERATED sets their number, SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { keywords } from '../../src/model/keywords.js';
import { observeServer } from '../../src/model/observed.js';
import type { ServiceKey } from '../../src/model/service.js';
import type { Compiled } from '../../src/model/spec.js';
import { compile } from '../../src/worker/compile.js';
import { STAND_IN, targets } from '../support/gobetween-target.js';
import { type KeywordLab, openLab } from '../support/keyword-lab.js';
import { context, exposed, renderWord } from '../support/service-config.js';
import { type EnvTexts, validEnv } from '../support/valid-keywords.js';

const seed = Number(process.env['SEED'] ?? 20260101);
const batchSize = 100;
/** Each keyword is away from its default in at least this share of the configurations. */
const leastShare = 0.05;
const allowed = { allowExec: true };

const rawOf = (env: EnvTexts): string => JSON.stringify({ DEFAULT: {}, ...exposed, env });

for (const named of targets()) {
  describe(`what is meant is what ${named.name} shows`, () => {
    let lab: KeywordLab;
    before(async () => {
      lab = await openLab(named);
    });
    after(() => lab.close());

    const total = Number(process.env['GENERATED'] ?? (named === STAND_IN ? 300 : 2000));
    test(`${total} configurations`, { timeout: 300_000 }, async () => {
      const away = new Map<string, number>(Object.keys(keywords).map((name) => [name, 0]));
      const differences: string[] = [];
      let servers = 0;
      const { pid } = await lab.status();
      for (let begun = 0; begun < total; begun += batchSize) {
        const envs = fc.sample(validEnv, { seed: seed + begun, numRuns: Math.min(batchSize, total - begun) });
        const wanted = await Promise.all(
          envs.map((env, index) =>
            lab.want({ key: `root/svc/w${begun + index}` as ServiceKey, raw: rawOf(env), allowed }),
          ),
        );
        for (const { compiled, set } of wanted) {
          const problems = compiled.problems.filter(({ severity }) => severity === 'problem');
          assert.deepEqual(problems, [], set.raw);
          assert.equal(compiled.verdict, 'served', set.raw);
        }
        for (const env of envs)
          for (const name of awayFromDefault(env)) away.set(name, (away.get(name) ?? 0) + 1);
        for (const { desired, answer } of await lab.post(wanted)) {
          assert.equal(answer.outcome, 'ok', `${answer.detail}\n${desired.body}`);
          const shown = await lab.client.get(desired.name);
          const observed = observeServer(desired.name, JSON.parse(shown.value ?? 'null'));
          servers += 1;
          if (observed.digest !== desired.digest) differences.push(`${desired.body}\n${observed.canonical}`);
        }
        await lab.clear();
      }
      const shares = [...away].map(([name, count]) => [name, count / total] as const);
      console.log(
        `# ${named.name}: seed ${seed}, ${total} configurations, ${servers} servers, ${differences.length} digest differences`,
      );
      console.log(
        `# away from default, per cent: ${shares.map(([n, s]) => `${n} ${(s * 100).toFixed(1)}`).join(', ')}`,
      );
      assert.deepEqual(differences.slice(0, 3), []);
      assert.deepEqual(
        shares.filter(([, share]) => share < leastShare),
        [],
      );
      assert.equal((await lab.status()).pid, pid, 'the same process');
    });
  });
}

/** The keywords without which the service would be served in another way, or not at all. */
function awayFromDefault(env: EnvTexts): readonly string[] {
  const meant = meaning(env);
  return Object.keys(env).filter((name) => {
    const { [name]: text = '', ...others } = env;
    // These two say the same to this gateway whatever they hold; a bind has no default but its words have.
    if (name === 'igw_gobtw_target_lb') return true;
    if (name === 'igw_gobtw_discovery_kind') return text.toLowerCase() !== 'srv';
    if (name === 'igw_gobtw_bind') return text.includes('-');
    return meaning(others) !== meant;
  });
}

function meaning(env: EnvTexts): string {
  const raw = rawOf(env).replaceAll('%P', '1');
  const compiled: Compiled = compile(
    { key: 'root/svc/w' as ServiceKey, raw, evaluated: raw, loop: null, slave: false },
    { ...context, ...allowed },
  );
  const { template } = compiled;
  if (template === null) return 'none';
  return compiled.words
    .map((word) => renderWord(template, word, 1, `127.99.0.1:${portOf(compiled)}`).body)
    .join('\n');
}

function portOf({ template }: Compiled): number {
  return template?.lookup.kind === 'cluster' ? template.lookup.port : 0;
}
