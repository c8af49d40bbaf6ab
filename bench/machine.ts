/** What a figure was measured on, and how figures are summed up: printed with every result. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, totalmem } from 'node:os';

export interface Machine {
  readonly commit: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly load: number;
  readonly node: string;
  readonly platform: string;
  /** Of the packages that the figures depend on; null: not installed. */
  readonly packages: Readonly<Record<string, string | null>>;
}

export function machine(): Machine {
  const cores = cpus();
  return {
    commit: commit(),
    cores: cores.length,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    packages: { piscina: versionOf('piscina'), undici: versionOf('undici') },
  };
}

/** Machine, versions and commit, one line each. */
export function machineLines(seen: Machine = machine()): readonly string[] {
  const packages = Object.entries(seen.packages).map(([name, version]) => `${name} ${version ?? 'absent'}`);
  return [
    `commit   ${seen.commit}`,
    `machine  ${seen.cores} x ${seen.cpu}, ${seen.memoryGiB} GiB, load ${seen.load}`,
    `node     ${seen.node} ${seen.platform}, ${packages.join(', ')}`,
  ];
}

function versionOf(name: string): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const root = entry.slice(0, entry.lastIndexOf(`node_modules/${name}/`) + `node_modules/${name}/`.length);
    return (JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }).version;
  } catch {
    return null;
  }
}

function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
    // What this run writes is no change of what it measures.
    const changed = git('status', '--porcelain', '--', ':/', ':(top,exclude)bench/RESULTS.md');
    const dirty = changed === '' ? '' : ' with uncommitted changes';
    return `${git('rev-parse', '--short', 'HEAD')}${dirty}`;
  } catch {
    return 'unknown (no git)';
  }
}

/** The value below which a share `p` (0 to 1) of the samples lies. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}

/** The middle one; of an even number the lower of the two, so that it was measured. */
export const median = (samples: readonly number[]): number =>
  [...samples].sort((a, b) => a - b)[Math.floor((samples.length - 1) / 2)] ?? Number.NaN;

export function summary(samples: readonly number[]): string {
  const at = (p: number): string => percentile(samples, p).toFixed(1);
  return `n ${samples.length}  min ${at(0)}  p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}  max ${at(1)} ms`;
}
