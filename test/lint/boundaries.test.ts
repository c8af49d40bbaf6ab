/** Each layer boundary has a planted violation here, for a rule with a wrong pattern passes silently (DESIGN §3). */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { plant } from '../support/planted.js';

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
  /** A cycle is reported once, from any of its files. */
  readonly cycle?: readonly { readonly name: string }[];
}

const config = createRequire(import.meta.url)(
  fileURLToPath(new URL('../../../.dependency-cruiser.cjs', import.meta.url)),
) as {
  readonly forbidden: readonly {
    readonly name: string;
    readonly severity: string;
    readonly comment: string;
  }[];
};

/** Files that others import; they break nothing themselves. */
const targets = {
  'src/errors.ts': 'export const target = 1;',
  'src/clock.ts': 'export const target = 1;',
  'src/settings/target.ts': 'export const target = 1;',
  'src/app.ts': 'export const target = 1;',
  'src/main.ts': "import { target } from './app.js';\nexport const main = target;",
  'src/model/target.ts': 'export interface Target { readonly a: 1 }\nexport const target = 1;',
  'src/plan/target.ts': "import { target as other } from '../model/target.js';\nexport const target = other;",
  'src/ports/pool.ts': "import { target as other } from '../model/target.js';\nexport const target = other;",
  'src/source/target.ts':
    "import { target as other } from '../model/target.js';\nexport const target = other;",
  'src/gobetween/target.ts':
    "import { target as other } from '../model/target.js';\nexport interface Target { readonly a: 1 }\nexport const target = other;",
  'src/telemetry/target.ts':
    "import { target as other } from '../model/target.js';\nexport const target = other;",
  'src/cli/target.ts': "import { target as other } from '../model/target.js';\nexport const target = other;",
  'src/sim/target.ts': 'export const target = 1;',
  'test/support/target.ts': 'export const target = 1;',
};

const importing = (specifier: string): string =>
  `import { target } from '${specifier}';\nexport const planted = target;\n`;
const requiring = (name: string): string => `import * as all from '${name}';\nexport const planted = all;\n`;

/** Planted file by rule, `<rule> <n>` where a rule has several sides: [path, text]. */
const planted: Readonly<Record<string, readonly [string, string]>> = {
  'model-is-pure': ['src/model/planted.ts', importing('../errors.js')],
  'model-is-pure 2': ['src/model/planted-fs.ts', requiring('node:fs')],
  'core-is-pure': ['src/plan/planted.ts', requiring('node:crypto')],
  'core-is-pure 2': ['src/queue/planted.ts', importing('../telemetry/target.js')],
  'operator-looks-through-interfaces': ['src/operator/planted.ts', importing('../gobetween/target.js')],
  'page-client-is-alone': ['src/page/client/planted.ts', importing('../../model/target.js')],
  'core-is-pure 3': ['src/ports/planted.ts', importing('../settings/target.js')],
  'worker-is-pure': ['src/worker/planted.ts', importing('../plan/target.js')],
  'state-is-one-file': ['src/state/planted.ts', importing('../source/target.js')],
  'settings-are-values': ['src/settings/planted.ts', importing('../source/target.js')],
  'adapters-do-not-meet': ['src/source/planted.ts', importing('../gobetween/target.js')],
  'adapters-do-not-meet 2': [
    'src/telemetry/planted.ts',
    "import type { Target } from '../gobetween/target.js';\nexport type Planted = Target;\n",
  ],
  'reconciler-sees-types-of-adapters': ['src/reconciler.ts', importing('./gobetween/target.js')],
  'only-cli-composes': ['src/source/planted-app.ts', importing('../app.js')],
  'pipeline-does-not-import-the-edges': ['src/gobetween/planted.ts', importing('../cli/target.js')],
  'pipeline-does-not-import-the-edges 2': ['src/peers.ts', importing('./sim/target.js')],
  'sim-is-independent': ['src/sim/planted.ts', importing('../model/target.js')],
  'only-home-of-piscina': ['src/worker/planted-threads.ts', requiring('piscina')],
  'only-home-of-p-queue': ['src/gobetween/planted-queue.ts', requiring('p-queue')],
  'only-home-of-undici': ['src/gobetween/planted-undici.ts', requiring('undici')],
  'only-home-of-prom-client': ['src/telemetry/planted-metrics.ts', requiring('prom-client')],
  'only-home-of-pino': ['src/telemetry/planted-log.ts', requiring('pino')],
  'only-home-of-pino-pretty': ['src/telemetry/planted-pretty.ts', requiring('pino-pretty')],
  'only-home-of-lru-cache': ['src/source/planted-cache.ts', requiring('lru-cache')],
  'only-home-of-commander': ['src/telemetry/planted-commander.ts', requiring('commander')],
  'only-home-of-dns-packet': ['src/source/planted-dns.ts', requiring('dns-packet')],
  'no-circular': [
    'src/gobetween/circle.ts',
    "import { planted as other } from './circle-back.js';\nexport const planted = () => other;\n",
  ],
  'no-orphans': ['src/gobetween/orphan.ts', 'export const planted = 1;\n'],
  'src-has-no-dev-code': ['src/telemetry/planted-test.ts', importing('../../test/support/target.js')],
  'src-has-no-dev-dependency': ['src/telemetry/planted-dev.ts', requiring('fast-check')],
};

/** Imports that the rules allow: [path, text]. */
const allowed: readonly (readonly [string, string])[] = [
  [
    'src/model/allowed.ts',
    "import { createHash } from 'node:crypto';\nimport { target } from './target.js';\nexport const allowed = [createHash, target];\n",
  ],
  [
    'src/plan/allowed.ts',
    "import { target } from '../model/target.js';\nimport { target as clock } from '../clock.js';\nexport const allowed = [target, clock];\n",
  ],
  ['src/worker/allowed.ts', importing('../ports/pool.js')],
  ['src/gobetween/tickets.ts', requiring('p-queue')],
  ['src/gobetween/client.ts', requiring('undici')],
  ['src/telemetry/registrar.ts', requiring('prom-client')],
  ['src/telemetry/log.ts', requiring('pino')],
  [
    'src/cli/allowed.ts',
    "import { Command } from 'commander';\nimport { target } from '../app.js';\nimport { target as sim } from '../sim/target.js';\nexport const allowed = [Command, target, sim];\n",
  ],
  [
    'src/sim/allowed.ts',
    "import * as dns from 'dns-packet';\nimport { target } from './target.js';\nexport const allowed = [dns, target];\n",
  ],
];

const circleBack = {
  'src/gobetween/circle-back.ts':
    "import { planted as other } from './circle.js';\nexport const planted = () => other;\n",
};
const copy = plant({
  ...targets,
  ...circleBack,
  ...Object.fromEntries([...Object.values(planted), ...allowed]),
});
const { summary } = JSON.parse(
  copy.run('dependency-cruiser/bin/dependency-cruise.mjs', [
    '-c',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json',
    'src',
    'test',
  ]),
) as { readonly summary: { readonly violations: readonly Violation[] } };
const broken = (path: string): readonly string[] =>
  summary.violations
    .filter(({ from, cycle }) => from === path || cycle?.some(({ name }) => name === path) === true)
    .map(({ rule }) => rule.name);

describe('each boundary fires on its planted violation', () => {
  after(() => copy.remove());
  for (const [name, [path]] of Object.entries(planted)) {
    const rule = name.replace(/ \d+$/, '');
    test(`${name}: ${path}`, () =>
      assert.ok(broken(path).includes(rule), `fired instead: ${broken(path).join(', ') || 'nothing'}`));
  }

  test('every rule of the configuration is planted, is an error and says what to do instead', () => {
    const names = new Set(Object.keys(planted).map((name) => name.replace(/ \d+$/, '')));
    assert.deepEqual(
      config.forbidden.map(({ name }) => name).filter((name) => !names.has(name)),
      [],
    );
    for (const { name, severity, comment } of config.forbidden) {
      assert.equal(severity, 'error', name);
      assert.ok(comment.length > 30, name);
    }
  });

  test('what the rules allow does not fire', () => {
    for (const [path] of allowed) assert.deepEqual(broken(path), [], path);
  });
});
