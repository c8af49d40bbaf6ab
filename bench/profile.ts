/** The functions of a CPU profile that the time went to themselves. */
import { readFileSync } from 'node:fs';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The first `count`, one line each: share of the busy time, function, place. */
export function topFunctions(file: string, count = 25): readonly string[] {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFunction = new Map<string, number>();
  let busy = 0;
  for (const [i, id] of profile.samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || isNone(frame)) continue;
    const us = profile.timeDeltas[i] ?? 0;
    const place = frame.url.replace(/^.*\/(dist|node_modules)\//, '');
    const name = `${frame.functionName || '(anonymous)'} ${place}${place === '' ? '' : `:${frame.lineNumber + 1}`}`;
    busy += us;
    byFunction.set(name, (byFunction.get(name) ?? 0) + us);
  }
  const total = profile.timeDeltas.reduce((sum, us) => sum + us, 0);
  const top = [...byFunction].sort(([, a], [, b]) => b - a).slice(0, count);
  return [
    `busy ${((100 * busy) / total).toFixed(0)} % of ${(total / 1e6).toFixed(1)} s; self time:`,
    ...top.map(([name, us]) => `${((100 * us) / busy).toFixed(1).padStart(5)} %  ${name.trim()}`),
  ];
}

/** Idle time, and the profiler's own (`dispatch` is its native entry). */
function isNone({ functionName, url }: { readonly functionName: string; readonly url: string }): boolean {
  return (
    ['(idle)', '(root)', '(program)'].includes(functionName) || (functionName === 'dispatch' && url === '')
  );
}
