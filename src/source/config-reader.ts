/**
 * Reads configs from the agent: raw first, evaluated only where a keyword of ours needs it and no loop forbids it. Owns the
 * `reads` queue. Invariants: one read per key at a time, at most `concurrency` of them (reads without an answer for 5 s do not
 * count, or a few would hold back all others); a failed raw read is repeated with back-off;
 * an evaluation that the agent never answered is not asked for again for the same checksum, because each one may leave a
 * thread of the agent spinning; one that it refused left none, and is asked for again after ten minutes. Source: SPEC §6, reference/opensvc-v2-protocol.md §6, §9.
 */
import { type Cancel, type Clock, sleep } from '../clock.js';
import { fail, ok, type Failure, type Result } from '../errors.js';
import { analyseReferences, type Sections } from '../model/reference-loop.js';
import type { ServiceKey } from '../model/service.js';
import { createBackoff } from '../queue/backoff.js';
import { createRecently } from '../queue/recently.js';
import { createWorkqueue, type WorkqueueMetrics } from '../queue/workqueue.js';
import type { Random } from '../random.js';
import type { ConfigCache, EvaluationContext, RawConfig } from './config-cache.js';
import type { ReadConfig, Source } from './source.js';

export interface ConfigReader {
  /**
   * Reads the config that the agent shows under `csum`. `fresh`: not from the cache (hints may come late). `first`: none of
   * this service is known.
   */
  want(key: ServiceKey, csum: string, options: { fresh: boolean; first?: boolean }): void;
  /** The key left the list: what is wanted of it is forgotten. */
  drop(key: ServiceKey): void;
  /** The operator asked: failed reads are repeated now, refused evaluations too. */
  retryAll(): void;
  /** When the oldest change of `key` that is not delivered yet was noticed. */
  firstDirtyAt(key: ServiceKey): number | undefined;
  /** When the oldest change that is not delivered yet was noticed, those apart that the agent does not give; null: none. */
  oldestDirtyMs(): number | null;
  /** Its config changed at least twice within the last seconds. */
  restless(key: ServiceKey): boolean;
  /** Reads in progress. */
  unfinished(): { readonly sumMs: number; readonly longestMs: number };
  start(): void;
  stop(): void;
}

export interface ConfigReaderOptions {
  readonly source: Pick<Source, 'config'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly cache: ConfigCache;
  /** Fixed coalescing window. @default 20 */
  readonly windowMs?: number;
  /** @default 4 */
  readonly concurrency?: number;
  readonly metrics?: WorkqueueMetrics;
  /** A text that was wanted came from there. */
  readonly onOrigin?: (origin: 'agent' | 'cache') => void;
  /** What evaluated text depends on beside the service's own config. */
  context(): EvaluationContext;
  onRead(key: ServiceKey, config: ReadConfig): void;
  onUnreadable(key: ServiceKey, csum: string, failure: Failure): void;
}

interface Wanted {
  readonly csum: string;
  readonly fresh: boolean;
}

/** More than any cluster has of configs that cannot be evaluated. */
const MAX_BARRED = 10_000;

/** A refusal may have been the agent's own trouble (an error of its own, a start, a lock). */
const REFUSED_MS = 600_000;

/** A read that has no answer after this gives its place to another. Under load a 95th percentile of 4.7 s was measured. */
const STUCK_MS = 5000;
/** So many places are given away at most. */
const MAX_STUCK = 12;

/** What the cache answers is answered in one turn of the loop, so many at most: a warm start finds all of them there. */
const CACHED_AT_ONCE = 250;

/** A service whose config changes twice within this is one that flaps. */
const RESTLESS_MS = 5000;

/** The request was not understood as an evaluation, or not delivered: repeating it does no harm. */
const harmless = new Set(['agent-unreachable', 'agent-closed', 'unknown-object']);

/** No object is without a section: the file was cut, or is being written. It must not count as every keyword removed. */
const empty = fail({ code: 'agent-not-config', retry: 'backoff', message: 'the config is empty' });

export function createConfigReader(options: ConfigReaderOptions): ConfigReader {
  const { source, clock, random, cache, windowMs = 20, concurrency = 4, metrics } = options;
  /** A service that flaps must not make one wait that changed once: agents serve 75 to 300 reads a second. */
  const once = createRecently<ServiceKey>(clock, RESTLESS_MS);
  const again = createRecently<ServiceKey>(clock, RESTLESS_MS);
  const queue = createWorkqueue<ServiceKey>({
    clock,
    backoff: createBackoff({ random, baseMs: 200, capMs: 30_000 }),
    restless: again.has,
    ...(metrics === undefined ? {} : { metrics }),
  });
  const wanted = new Map<ServiceKey, Wanted>();
  /** Evaluations not to be repeated, by key and checksum; the oldest go when there are too many. */
  const barred = new Map<string, { readonly failure: Failure; readonly untilMs: number }>();
  /** Refused evaluations that will be asked for again. */
  const later = new Map<ServiceKey, Cancel>();

  /** Their last read failed: that is a problem of its own, and no delay. */
  const failing = new Set<ServiceKey>();
  let stuck = 0;
  /** From the cache, since somebody else had a turn; and their turn. */
  let cachedInRow = 0;
  let turn: Promise<void> | null = null;

  async function work(): Promise<void> {
    for (;;) {
      const [key] = await queue.take(1);
      if (key === undefined) return;
      let replaced = false;
      const cancel = clock.after(STUCK_MS, () => {
        if (stuck >= MAX_STUCK) return;
        stuck += 1;
        replaced = true;
        void work();
      });
      const want = wanted.get(key);
      if (want !== undefined) await read(key, want);
      else queue.forget(key);
      cancel();
      queue.done(key);
      if (cachedInRow >= CACHED_AT_ONCE) turn ??= yieldOnce();
      if (turn !== null) await turn;
      if (!replaced) continue;
      stuck -= 1;
      return;
    }
  }

  async function yieldOnce(): Promise<void> {
    await sleep(clock, 0);
    cachedInRow = 0;
    turn = null;
  }

  async function read(key: ServiceKey, want: Wanted): Promise<void> {
    const config = await fetch(key, want);
    if (!wanted.has(key)) {
      queue.forget(key);
      return;
    }
    if (config.ok) failing.delete(key);
    else failing.add(key);
    if (config.ok) options.onRead(key, config.value);
    else options.onUnreadable(key, want.csum, config.failure);
    if (!config.ok && config.failure.retry !== 'no') {
      queue.retry(key);
      return;
    }
    if (wanted.get(key) === want && config.ok) wanted.delete(key);
    queue.forget(key);
  }

  async function fetch(key: ServiceKey, { csum, fresh }: Wanted): Promise<Result<ReadConfig>> {
    const cached = fresh ? undefined : cache.raw(key, csum);
    if (cached === undefined) cachedInRow = 0;
    else {
      cachedInRow += 1;
      options.onOrigin?.('cache');
    }
    const raw = cached === undefined ? await readRaw(key, csum) : ok(cached);
    if (!raw.ok) return raw;
    const { raw: text, loop, needsEvaluation } = raw.value;
    const done: ReadConfig = { csum, raw: text, loop, evaluated: null };
    if (!needsEvaluation || loop !== null) return ok(done);
    const evaluated = await readEvaluated(key, csum, fresh);
    return evaluated.ok ? ok({ ...done, evaluated: evaluated.value }) : evaluated;
  }

  async function readRaw(key: ServiceKey, csum: string): Promise<Result<RawConfig>> {
    options.onOrigin?.('agent');
    const answer = await source.config(key, { evaluate: false, node: options.context().node });
    if (!answer.ok) return answer;
    const { text } = answer.value;
    let sections: Sections;
    try {
      sections = JSON.parse(text) as Sections;
    } catch {
      return fail({ code: 'agent-not-config', retry: 'backoff', message: 'the config is no JSON' });
    }
    if (Object.keys(sections).length === 0) return empty;
    const config: RawConfig = { raw: text, ...analyseReferences(sections) };
    if (isOneChecksum(csum)) cache.setRaw(key, csum, config, clock.now());
    return ok(config);
  }

  async function readEvaluated(key: ServiceKey, csum: string, fresh: boolean): Promise<Result<string>> {
    const context = options.context();
    const cached = fresh ? undefined : cache.evaluated(key, csum, context);
    if (cached !== undefined) {
      options.onOrigin?.('cache');
      return ok(cached);
    }
    const name = `${key} ${csum}`;
    const bar = barred.get(name);
    if (bar !== undefined && clock.now() < bar.untilMs) return fail(bar.failure);
    options.onOrigin?.('agent');
    const answer = await source.config(key, { evaluate: true, node: context.node });
    if (answer.ok && answer.value.text === '{}') return empty;
    if (answer.ok) {
      if (isOneChecksum(csum)) cache.setEvaluated(key, csum, context, answer.value.text, clock.now());
      return ok(answer.value.text);
    }
    if (harmless.has(answer.failure.code)) return answer;
    const message = `the agent does not evaluate it: ${answer.failure.message}`;
    const failure: Failure = { ...answer.failure, retry: 'no', message };
    const refused = answer.failure.code === 'agent-error';
    if (refused) askLater(key);
    barred.set(name, { failure, untilMs: refused ? clock.now() + REFUSED_MS : Infinity });
    const [oldest] = barred.keys();
    if (barred.size > MAX_BARRED && oldest !== undefined) barred.delete(oldest);
    return fail(failure);
  }

  function askLater(key: ServiceKey): void {
    later.get(key)?.();
    const wait = REFUSED_MS * (1 + random.next());
    later.set(
      key,
      clock.after(wait, () => {
        later.delete(key);
        if (wanted.has(key)) queue.add(key);
      }),
    );
  }

  return {
    want(key, csum, { fresh, first = false }) {
      wanted.set(key, { csum, fresh });
      if (once.has(key)) again.note(key);
      once.note(key);
      // Of a warm start nothing more is to come, and nobody is asked.
      const isAtHand = first && !fresh && cache.raw(key, csum) !== undefined;
      queue.addAfter(key, isAtHand ? 0 : windowMs);
    },
    drop(key) {
      wanted.delete(key);
      failing.delete(key);
      later.get(key)?.();
      later.delete(key);
    },
    retryAll() {
      barred.clear();
      for (const key of wanted.keys()) queue.add(key);
    },
    firstDirtyAt: (key) => queue.firstDirtyAt(key),
    oldestDirtyMs() {
      let oldest: number | null = null;
      for (const [key, sinceMs] of queue.unserved())
        if (!failing.has(key)) oldest = Math.min(oldest ?? sinceMs, sinceMs);
      return oldest;
    },
    restless: again.has,
    unfinished: () => queue.unfinished(),
    start() {
      for (let i = 0; i < concurrency; i++) void work();
    },
    stop() {
      for (const cancel of later.values()) cancel();
      queue.shutdown();
    },
  };
}

/** While nodes disagree the checksum is made of several, and nobody knows which of them the text belongs to. */
function isOneChecksum(csum: string): boolean {
  return !csum.includes('+');
}
