/**
 * From runs to a result: figures by name, the median of the runs, the bound each is held against, as a table and as one JSON
 * document. Invariant: a figure that missed its bound is shown as MISSED, and the script's exit code is 1.
 */
import { writeFileSync } from 'node:fs';
import { type Machine, machine, machineLines, median } from './machine.js';
import type { BenchOptions } from './options.js';

/** One measured value. Figures with the same variant and name in several runs are one row. */
export interface Figure {
  /** `janitor`, `janitor --workers 0`, `bare loop`, … */
  readonly variant: string;
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly bound?: Bound;
}

/** The same without a bound: a baseline is held against nothing. */
export const unbound = ({ variant, name, unit, value }: Figure): Figure => ({ variant, name, unit, value });

export type Bound = { readonly atMost: number } | { readonly atLeast: number } | { readonly exactly: number };

export interface Row {
  readonly variant: string;
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
  readonly median: number;
  readonly bound: string | null;
  readonly ok: boolean | null;
}

export interface BenchReport {
  readonly bench: string;
  readonly about: string;
  readonly seed: number;
  readonly runs: number;
  readonly scale: number;
  readonly machine: Machine;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

export interface Run {
  readonly figures: readonly Figure[];
  readonly notes?: readonly string[];
}

/** Runs a bench as often as asked, prints table and JSON, and sets the exit code. */
export async function runBench(
  bench: string,
  about: string,
  options: BenchOptions,
  once: (run: number) => Promise<Run>,
): Promise<BenchReport> {
  // so that what `exit` cleans up is cleaned up
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const seen = machine();
  const runs: Run[] = [];
  for (let run = 0; run < options.runs; run++) {
    runs.push(await once(run));
    if (options.runs > 1) process.stderr.write(`${bench}: run ${run + 1} of ${options.runs} done\n`);
  }
  const report: BenchReport = {
    bench,
    about,
    seed: options.seed,
    runs: options.runs,
    scale: options.scale,
    machine: seen,
    rows: rowsOf(runs.flatMap(({ figures }) => figures)),
    notes: [...new Set(runs.flatMap(({ notes = [] }) => notes))],
  };
  const json = JSON.stringify(report, null, 2);
  console.log(table(report));
  if (options.json === null) console.log(json);
  else writeFileSync(options.json, `${json}\n`);
  process.exitCode = report.rows.some(({ ok }) => ok === false) ? 1 : 0;
  return report;
}

export function rowsOf(figures: readonly Figure[]): readonly Row[] {
  const groups = new Map<string, Figure[]>();
  for (const figure of figures) {
    const name = `${figure.variant}\n${figure.name}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [figure]);
    else group.push(figure);
  }
  return [...groups.values()].map((group) => {
    const values = group.map(({ value }) => value);
    const middle = median(values);
    const { variant = '', name = '', unit = '' } = group[0] ?? {};
    // a bound that depends on the run is as its median
    const bounds = group.flatMap(({ bound }) => (bound === undefined ? [] : [bound]));
    const bound = bounds.length === 0 ? null : medianBound(bounds);
    return {
      variant,
      name,
      unit,
      values,
      median: middle,
      bound: bound === null ? null : boundText(bound),
      ok: bound === null ? null : isWithin(middle, bound),
    };
  });
}

function medianBound(bounds: readonly Bound[]): Bound | null {
  const limits = bounds.map(limitOf);
  const limit = median(limits);
  return bounds[limits.indexOf(limit)] ?? null;
}

const limitOf = (bound: Bound): number =>
  'atMost' in bound ? bound.atMost : 'atLeast' in bound ? bound.atLeast : bound.exactly;

export function isWithin(value: number, bound: Bound): boolean {
  if ('atMost' in bound) return value <= bound.atMost;
  return 'atLeast' in bound ? value >= bound.atLeast : value === bound.exactly;
}

function boundText(bound: Bound): string {
  const sign = 'atMost' in bound ? '≤' : 'atLeast' in bound ? '≥' : '=';
  return `${sign} ${short(limitOf(bound))}`;
}

/** Three or four figures that matter. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  return size >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(3);
}

export function table(report: BenchReport): string {
  const header = ['figure', 'median', 'runs', 'bound', ''];
  const lines = report.rows.map((row) => [
    `${row.variant}: ${row.name}`,
    `${short(row.median)} ${row.unit}`.trim(),
    row.values.length > 1 ? row.values.map(short).join(' ') : '',
    row.bound ?? '',
    row.ok === null ? '' : row.ok ? 'ok' : 'MISSED',
  ]);
  const widths = header.map((text, i) => Math.max(text.length, ...lines.map((line) => line[i]?.length ?? 0)));
  const print = (line: readonly string[]): string =>
    line
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    `${report.bench}: ${report.about}`,
    print(header),
    ...lines.map(print),
    ...machineLines(report.machine),
    `seed     ${report.seed}, runs ${report.runs}${report.scale === 1 ? '' : `, scale ${report.scale}`}`,
    ...report.notes,
    '',
  ].join('\n');
}
