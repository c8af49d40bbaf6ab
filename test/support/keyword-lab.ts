/**
 * Takes services from their config to a running GoBetween the way the janitor does: analyse, compile, name, render, client.
 * Owns the ports of one run, gives each server one, and deletes what it made once that is safe.
 */
import { systemClock } from '../../src/clock.js';
import { type DnsView, wantServers } from '../../src/desired.js';
import { createClient } from '../../src/gobetween/client.js';
import type { Answer, Balancer, BalancerStatus } from '../../src/gobetween/outcome.js';
import type { Desired } from '../../src/model/server.js';
import type { CompileContext, Compiled } from '../../src/model/spec.js';
import { type Sections, analyseReferences } from '../../src/model/reference-loop.js';
import type { ServiceKey } from '../../src/model/service.js';
import { readConfigAnswer } from '../../src/source/lsnr-answers.js';
import { createInlineCompute } from '../../src/worker/compute.js';
import { type PortRange, takePorts } from './gobetween-ports.js';
import type { NamedTarget, Target } from './gobetween-target.js';
import { context } from './service-config.js';

/** What one service's owner wrote. `%P` in the texts is a port of this run, `%B` one that another process has. */
export interface KeywordSet {
  readonly key: ServiceKey;
  readonly raw: string;
  /** What the agent would answer, should it be asked to evaluate. @default `raw`: nothing in it is a reference it knows */
  readonly evaluated?: string;
  readonly allowed?: Partial<CompileContext>;
}

export interface Posted {
  readonly set: KeywordSet;
  readonly desired: Desired;
  readonly answer: Answer<null>;
}

export interface KeywordLab {
  readonly client: Balancer;
  readonly target: Target;
  /** A port that no server of this lab listens on while its batch runs. */
  nextPort(): number;
  /** As compile and render would have it, with this run's ports. */
  want(set: KeywordSet): Promise<Wanted>;
  /** POSTs every server of these services, `concurrency` at a time. */
  post(wanted: readonly Wanted[]): Promise<readonly Posted[]>;
  /** Deletes what was made, when a udp server may go, and begins with fresh ports. */
  clear(): Promise<void>;
  status(): Promise<BalancerStatus>;
  close(): Promise<void>;
}

export interface Wanted {
  readonly set: KeywordSet;
  readonly compiled: Compiled;
  readonly desired: readonly Desired[];
  readonly compileMs: number;
}

const CONCURRENCY = 8;
/** SPEC §4: a udp server is not deleted within 300 ms of its POST. */
const UDP_AGE_MS = 320;
/** Ports are used in two halves in turn: DELETE answers before the port is free. */
const HALF = 480;
/** Nothing listens there. */
const noDns: DnsView = { preferred: () => '127.99.0.1', acceptable: () => true };

export async function openLab(named: NamedTarget): Promise<KeywordLab> {
  const ports: PortRange = await takePorts();
  const target = await named.start({ api: { enabled: true, bind: `127.0.0.1:${ports.port(998)}` } });
  const client = createClient({
    url: target.url,
    clock: systemClock,
    reqTimeoutMs: 10_000,
    concurrency: CONCURRENCY,
  });
  const compute = createInlineCompute();
  let half = 0;
  let next = 0;
  let made: string[] = [];
  let madeAt = 0;

  const nextPort = (): number => ports.port(1 + half * HALF + (next++ % HALF));

  async function want(set: KeywordSet): Promise<Wanted> {
    const fill = (text: string): string =>
      text.replaceAll('%P', () => String(nextPort())).replaceAll('%B', String(ports.port(0)));
    const filled: KeywordSet = {
      ...set,
      raw: fill(set.raw),
      ...(set.evaluated === undefined ? {} : { evaluated: fill(set.evaluated) }),
    };
    const evaluate = needsEvaluation(filled.raw);
    const startedAt = performance.now();
    const [compiled] = await compute.compile(
      [
        {
          key: set.key,
          raw: filled.raw,
          loop: evaluate.loop,
          evaluated: evaluate.needed && evaluate.loop === null ? (filled.evaluated ?? filled.raw) : null,
          slave: false,
        },
      ],
      { ...context, defaultAddr: '127.0.0.1', ...set.allowed },
    );
    const compileMs = performance.now() - startedAt;
    if (compiled === undefined) throw new Error('compile gave nothing');
    const granted = compiled.words.map((word) => ({
      word,
      addr: word.addr,
      port: word.listen ?? nextPort(),
    }));
    const service = { key: set.key, compiled, granted, existing: [], expected: () => null, kept: [] };
    const wanted = await wantServers(compiled.verdict === 'served' ? [service] : [], noDns, compute);
    return { set: filled, compiled, desired: wanted.get(set.key)?.desired ?? [], compileMs };
  }

  async function post(wanted: readonly Wanted[]): Promise<readonly Posted[]> {
    const posted: Posted[] = [];
    await inParallel(
      wanted.flatMap(({ set, desired }) => desired.map((each) => ({ set, desired: each }))),
      async ({ set, desired }) => {
        const answer = await client.create(desired.name, desired.body);
        posted.push({ set, desired, answer });
        // Only what was certainly refused needs no DELETE.
        if (answer.outcome === 'ok' || answer.outcome === 'timeout') made.push(desired.name);
      },
    );
    madeAt = performance.now();
    return posted;
  }

  return {
    client,
    target,
    nextPort,
    want,
    post,
    async clear() {
      const waitMs = madeAt + UDP_AGE_MS - performance.now();
      if (made.length > 0 && waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      await inParallel(made, async (name) => void (await client.remove(name)));
      made = [];
      half = 1 - half;
      next = 0;
    },
    async status() {
      const { value, outcome } = await client.status();
      if (value === undefined) throw new Error(`GoBetween does not answer: ${outcome}`);
      return value;
    },
    async close() {
      await client.close();
      await target.stop();
      await ports.release();
    },
  };
}

/** As the informer's reader decides it; what the source would not take for a config is not looked into. */
function needsEvaluation(raw: string): { readonly needed: boolean; readonly loop: string | null } {
  let body: unknown;
  try {
    body = JSON.parse(raw);
  } catch {
    return { needed: false, loop: null };
  }
  const answer = readConfigAnswer(body);
  if (!answer.ok) return { needed: false, loop: null };
  const { needsEvaluation: needed, loop } = analyseReferences(JSON.parse(answer.value.text) as Sections);
  return { needed, loop };
}

async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const item of queue) await act(item);
    }),
  );
}
