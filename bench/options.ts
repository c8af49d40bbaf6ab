/** The command line that every bench has in common. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly runs: number;
  readonly seed: number;
  /** Where the JSON document goes; null: after the table. */
  readonly json: string | null;
  /** A folder for profiles of the janitor's main thread. */
  readonly cpuProf: string | null;
  /** A real GoBetween. */
  readonly gobetweenBin: string | null;
  /** Leaves out the baselines. */
  readonly only: boolean;
  /** A share of the full size, for a quick look; the bounds are for 1. */
  readonly scale: number;
}

export function readOptions(args: readonly string[] = process.argv.slice(2)): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      'cpu-prof': { type: 'string' },
      'gobetween-bin': { type: 'string' },
      only: { type: 'boolean', default: false },
      scale: { type: 'string', default: '1' },
    },
  });
  return {
    runs: Number(values.runs),
    seed: Number(values.seed),
    json: values.json ?? null,
    cpuProf: values['cpu-prof'] ?? null,
    gobetweenBin: values['gobetween-bin'] ?? null,
    only: values.only,
    scale: Number(values.scale),
  };
}
