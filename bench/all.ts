/**
 * Every bench, one after the other, each in a process of its own, into bench/RESULTS.md, and with `--json FILE` one document
 * of all. `--runs N` (default 5), `--seed`, `--gobetween-bin`, and names to run only those: `npm run bench:all -- storm idle`.
 * Invariant: a section says what it was measured on, and stays as it is until its bench runs again.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nowMs } from './machine-clock.js';
import { type BenchReport, short } from './report.js';
import { machineLines } from './machine.js';

/** A script each; the flags it takes beside the common ones. */
const benches: readonly { readonly name: string; readonly real?: true }[] = [
  { name: 'frames' },
  { name: 'claim' },
  { name: 'crossover' },
  { name: 'sweep' },
  { name: 'noop-storm' },
  { name: 'storm' },
  { name: 'storm-same' },
  { name: 'storm-defaults' },
  { name: 'initial', real: true },
  { name: 'restart', real: true },
  { name: 'single' },
  { name: 'memory' },
  { name: 'idle' },
  { name: 'scrape' },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    'gobetween-bin': { type: 'string' },
    scale: { type: 'string', default: '1' },
    json: { type: 'string' },
    out: { type: 'string', default: fileURLToPath(new URL('../../bench', import.meta.url)) },
  },
});

type Outcome = BenchReport | { readonly bench: string; readonly failed: string };

const results = join(values.out, 'RESULTS.md');
const sections = existsSync(results) ? sectionsOf(readFileSync(results, 'utf8')) : new Map<string, string>();
const folder = mkdtempSync(join(tmpdir(), 'igw-bench-all-'));
const outcomes: Outcome[] = [];
try {
  for (const { name, real } of benches) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const outcome = await run(name, real === true);
    outcomes.push(outcome);
    sections.set(name, section(outcome).join('\n').trimEnd());
    writeFileSync(results, document());
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(outcomes, null, 2)}\n`);
const missed = outcomes.filter((each) => 'failed' in each || each.rows.some(({ ok }) => ok === false));
console.log(`${outcomes.length} benches, ${missed.length} with a figure missed or failed: ${results}`);
process.exitCode = missed.length > 0 ? 1 : 0;

async function run(name: string, real: boolean): Promise<Outcome> {
  const script = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  if (!existsSync(script)) return { bench: name, failed: 'there is no such script' };
  const json = join(folder, `${name}.json`);
  const bin = values['gobetween-bin'];
  const args = ['--runs', values.runs, '--seed', values.seed, '--json', json];
  if (values.scale !== '1') args.push('--scale', values.scale);
  if (real && bin !== undefined) args.push('--gobetween-bin', bin);
  const startedAt = nowMs();
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  console.log(`${name}: ${((nowMs() - startedAt) / 1000).toFixed(0)} s\n`);
  if (!existsSync(json)) return { bench: name, failed: `it ended with exit code ${code ?? 'none'}` };
  return JSON.parse(readFileSync(json, 'utf8')) as BenchReport;
}

function document(): string {
  const known = benches.flatMap(({ name }) => {
    const known = sections.get(name);
    return known === undefined ? [] : [known, ''];
  });
  return [
    '# Results',
    '',
    'Written by `npm run bench:all`; do not edit. Medians of the runs; each bound is that of the issue. Loop delays are taken',
    'at resolution 1, whose own timer makes about 1 ms the floor. Both stand-ins run in processes of their own on the same',
    'cores, so the load of the machine is part of every figure.',
    '',
    ...known,
  ].join('\n');
}

/** The sections of an earlier document, by bench. */
function sectionsOf(text: string): Map<string, string> {
  const parts = text.split(/^(?=## )/m).slice(1);
  return new Map(parts.map((part) => [part.slice(3, part.indexOf('\n')), part.trimEnd()]));
}

function section(outcome: Outcome): readonly string[] {
  const size = values.scale === '1' ? '' : `, scale ${values.scale}`;
  if ('failed' in outcome) return [`## ${outcome.bench}`, '', `FAILED: ${outcome.failed}`, ''];
  const rows = outcome.rows.map(
    (row) =>
      `| ${row.variant} | ${row.name} | ${`${short(row.median)} ${row.unit}`.trim()} | ${row.values.map(short).join(', ')} | ${row.bound ?? ''} | ${row.ok === null ? '' : row.ok ? 'ok' : '**MISSED**'} |`,
  );
  return [
    `## ${outcome.bench}`,
    '',
    outcome.about,
    '',
    '| variant | figure | median | runs | bound | |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    ...[
      ...outcome.notes,
      ...machineLines(outcome.machine),
      `runs     ${values.runs}, seed ${values.seed}${size}`,
    ].map((line) => `    ${line}`),
  ];
}
