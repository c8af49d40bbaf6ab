/** What a figure was measured on, and how figures are summed up: printed with every result. */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';

/** Machine, versions and commit, one line each. */
export function machineLines(): readonly string[] {
  const cores = cpus();
  return [
    `commit   ${commit()}`,
    `machine  ${cores.length} x ${cores[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, load ${loadavg()[0]?.toFixed(1) ?? '?'}`,
    `node     ${process.version} ${process.platform} ${process.arch}`,
  ];
}

function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
    const dirty = git('status', '--porcelain') === '' ? '' : ' with uncommitted changes';
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

export function summary(samples: readonly number[]): string {
  const at = (p: number): string => percentile(samples, p).toFixed(1);
  return `n ${samples.length}  min ${at(0)}  p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}  max ${at(1)} ms`;
}
