/** Clock and randomness are injected: each way around it is planted here, one a line, and must be refused (DESIGN §5.7). */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { plant } from '../support/planted.js';

interface Message {
  readonly line: number;
  readonly ruleId: string | null;
  readonly message: string;
}

interface FileReport {
  readonly filePath: string;
  readonly messages: readonly Message[];
}

/** [the line, the rule that refuses it] */
const forbidden: readonly (readonly [string, string])[] = [
  ['export const a = Date.now();', 'no-restricted-globals'],
  ['export const b = new Date();', 'no-restricted-globals'],
  ['export const c = setTimeout(() => undefined, 1);', 'no-restricted-globals'],
  ['export const d = setInterval(() => undefined, 1);', 'no-restricted-globals'],
  ['export const e = setImmediate(() => undefined);', 'no-restricted-globals'],
  ['export const f = performance.now();', 'no-restricted-globals'],
  ['export const g = crypto.randomUUID();', 'no-restricted-globals'],
  ['export const h = Math.random();', 'no-restricted-properties'],
  ['export const i = globalThis.Date.now();', 'no-restricted-properties'],
  ['export const j = globalThis.setTimeout(() => undefined, 1);', 'no-restricted-properties'],
  ['export const k = globalThis.setInterval(() => undefined, 1);', 'no-restricted-properties'],
  ['export const l = globalThis.setImmediate(() => undefined);', 'no-restricted-properties'],
  ['export const m = globalThis.performance.now();', 'no-restricted-properties'],
  ['export const n = globalThis.crypto.randomUUID();', 'no-restricted-properties'],
  ['export const o = process.hrtime();', 'no-restricted-syntax'],
  ['export const p = process.hrtime.bigint();', 'no-restricted-syntax'],
  ['export const q = AbortSignal.timeout(1);', 'no-restricted-syntax'],
  ["export * from 'node:timers';", 'no-restricted-imports'],
  ["export * as r from 'node:timers/promises';", 'no-restricted-imports'],
  ["export * as s from 'timers';", 'no-restricted-imports'],
  ["export * as t from 'timers/promises';", 'no-restricted-imports'],
  ["export * as u from 'node:perf_hooks';", 'no-restricted-imports'],
  ["export * as v from 'perf_hooks';", 'no-restricted-imports'],
  ["export { randomUUID } from 'node:crypto';", 'no-restricted-imports'],
  ["export { randomBytes } from 'node:crypto';", 'no-restricted-imports'],
  ["export { randomInt } from 'crypto';", 'no-restricted-imports'],
  ["export { webcrypto } from 'node:crypto';", 'no-restricted-imports'],
  ["import everything from 'node:crypto';", 'no-restricted-imports'],
  ['export const w = everything;', ''],
];

const plain = [
  "import { createHash } from 'node:crypto';",
  'export const hash = createHash;',
  'export const later = (clock: { after(ms: number, fn: () => void): void }): void => clock.after(1, () => undefined);',
].join('\n');

const text = `${forbidden.map(([line]) => line).join('\n')}\n`;
const exempt = ['src/clock.ts', 'src/random.ts', 'src/sim/planted.ts', 'test/planted.ts'];
const floating =
  'const work = async (): Promise<void> => undefined;\nexport function start(): void {\n  work();\n}\n';
const inexhaustive =
  "export function word(kind: 'a' | 'b'): number {\n  switch (kind) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}\n";

const copy = plant({
  'src/plan/planted.ts': text,
  'src/plan/plain.ts': `${plain}\n`,
  'src/plan/floating.ts': floating,
  'src/plan/inexhaustive.ts': inexhaustive,
  'src/plan/long.ts': 'export {};\n'.repeat(351),
  ...Object.fromEntries(exempt.map((path) => [path, text])),
});
const reports = JSON.parse(
  copy.run('eslint/bin/eslint.js', ['-c', '.eslint.config.mjs', '--format', 'json', 'src', 'test']),
) as readonly FileReport[];
const injected = (message: Message): boolean => message.message.includes('clock and randomness are injected');
const messagesOf = (path: string): readonly Message[] => {
  const report = reports.find(({ filePath }) => filePath.endsWith(`/${path}`));
  assert.ok(report, `${path} was not linted`);
  return report.messages;
};

describe('clock and randomness are injected', () => {
  after(() => copy.remove());
  for (const [index, [line, rule]] of forbidden.entries()) {
    if (rule === '') continue;
    test(`refused: ${line}`, () => {
      const rules = messagesOf('src/plan/planted.ts').filter(
        (message) => message.line === index + 1 && injected(message),
      );
      assert.deepEqual([...new Set(rules.map(({ ruleId }) => ruleId))], [rule]);
    });
  }

  test('what needs neither is not refused', () => {
    assert.deepEqual(messagesOf('src/plan/plain.ts'), []);
  });

  test('the clock, the random source, the stand-ins and tests may', () => {
    for (const path of exempt) assert.deepEqual(messagesOf(path).filter(injected), [], path);
  });
});

describe('the typed rules are on', () => {
  const rulesOf = (path: string): readonly (string | null)[] => messagesOf(path).map(({ ruleId }) => ruleId);

  test('a promise that nobody awaits', () => {
    assert.deepEqual(rulesOf('src/plan/floating.ts'), ['@typescript-eslint/no-floating-promises']);
  });

  test('a switch that misses a member', () => {
    assert.deepEqual(rulesOf('src/plan/inexhaustive.ts'), ['@typescript-eslint/switch-exhaustiveness-check']);
  });

  test('a file of more than 350 lines', () => {
    assert.ok(rulesOf('src/plan/long.ts').includes('max-lines'));
  });
});
