/** An agent that knows nothing but bind values, and a write-back that talks to it. */
import { fail, ok, type Result, type Retry } from '../../src/errors.js';
import type { Problem } from '../../src/model/problem.js';
import type { ServiceKey } from '../../src/model/service.js';
import { createWriteBack, type RawBind, type WriteBack } from '../../src/ports/write-back.js';
import { keyOf } from './claims.js';
import { createFakeClock, type FakeClock } from './fake-clock.js';

export interface BindAgent {
  readonly clock: FakeClock;
  readonly writeBack: WriteBack;
  /** `read web`, `write web VALUE`. */
  readonly calls: string[];
  readonly values: Map<string, string>;
  readonly origin: Map<string, RawBind['origin']>;
  /** Retry classes of the next reads, or writes, that fail. */
  readonly failures: Retry[];
  readonly writeFailures: Retry[];
  readonly problems: (Problem | null)[];
  readonly writtenBack: string[];
  readonly key: (name: string) => ServiceKey;
  readonly allow: (yes: boolean) => void;
  readonly mostAtOnce: () => number;
}

export function createAgent(values: Record<string, string>, options: { delayMs?: number } = {}): BindAgent {
  const clock = createFakeClock();
  const known = new Map(Object.entries(values));
  const calls: string[] = [];
  const origin = new Map<string, RawBind['origin']>();
  const failures: Retry[] = [];
  const writeFailures: Retry[] = [];
  const problems: (Problem | null)[] = [];
  const writtenBack: string[] = [];
  let allowed = true;
  let atOnce = 0;
  let mostAtOnce = 0;

  async function answer<T>(call: string, failing: Retry[], value: () => T): Promise<Result<T>> {
    calls.push(call);
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    if (options.delayMs !== undefined) {
      await new Promise<void>((resolve) => clock.after(options.delayMs ?? 0, resolve));
    }
    atOnce -= 1;
    const retry = failing.shift();
    if (retry !== undefined) return fail({ code: 'agent', retry, message: 'the agent says no' });
    return ok(value());
  }

  const nameOf = (key: ServiceKey): string => key.slice('root/svc/'.length);
  const writeBack = createWriteBack({
    clock,
    random: { next: () => 0 },
    allowed: () => allowed,
    readRaw: (key) =>
      answer(`read ${nameOf(key)}`, failures, () => ({
        bindText: known.get(nameOf(key)) ?? '',
        origin: origin.get(nameOf(key)) ?? 'plain',
      })),
    fill: (text, fills) =>
      text.replace(/[^ ]+/g, (word) => {
        const fill = fills.get(word);
        return fill === undefined ? word : `${word}-${fill.addr}:${fill.port}`;
      }),
    write: (key, value) =>
      answer(`write ${nameOf(key)} ${value}`, writeFailures, () => void known.set(nameOf(key), value)),
    onProblem: (_key, problem) => problems.push(problem),
    onWritten: (key) => writtenBack.push(nameOf(key)),
  });
  return {
    clock,
    writeBack,
    calls,
    values: known,
    origin,
    failures,
    writeFailures,
    problems,
    writtenBack,
    key: keyOf,
    allow: (yes) => {
      allowed = yes;
    },
    mostAtOnce: () => mostAtOnce,
  };
}
