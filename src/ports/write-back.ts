/**
 * Writes allocated ports into the services' own configs, where they are the user's to see and to keep (SPEC §5).
 * Invariants: one request at a time over all services; every write is based on a value read just before it; nothing but
 * allocated words changes; what another gateway has filled is left; no request in policy `observe` or when switched off.
 */
import type { Cancel, Clock } from '../clock.js';
import type { Failure, Result } from '../errors.js';
import type { Problem } from '../model/problem.js';
import type { ServiceKey } from '../model/service.js';
import type { Random } from '../random.js';
import { type Fills, notWrittenBack, writeBackFailed, writeBackReverted } from './write-back-problems.js';

/** Ports of one service that come close together make one write. */
const COALESCE_MS = 500;
/** Gateways that saw the same event do not all read, and then all write, at once. */
const APART_MS = 1_000;
/** After a write the service is left alone until every node can have the new config. */
const SETTLE_MS = 5_000;
/** The same wish about the same config is not looked at again within this time. */
const LOOK_AGAIN_MS = 60_000;
const REVERTS = 3;
const REVERT_WINDOW_MS = 600_000;
const REVERT_PAUSE_MS = 3_600_000;
const SOON_MS = 1_000;
const FIRST_BACKOFF_MS = 2_000;
const LONGEST_BACKOFF_MS = 300_000;
/** Failures in a row that make a problem: an agent that restarts is none. */
const FAILURES_TO_REPORT = 3;

export interface RawBind {
  /** `igw_gobtw_bind` as the user wrote it. */
  readonly bindText: string;
  readonly origin: 'plain' | 'reference' | 'scope';
}

export interface WriteBackDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** False in policy `observe` and with `--write-back off`. Asked before each request. */
  readonly allowed: () => boolean;
  /** A fresh read, never a cached one. */
  readonly readRaw: (key: ServiceKey) => Promise<Result<RawBind>>;
  readonly fill: (bindText: string, fills: Fills) => string;
  readonly write: (key: ServiceKey, value: string) => Promise<Result<void>>;
  /** The service's one write-back problem; null when it has none any more. Called on changes only. */
  readonly onProblem: (key: ServiceKey, problem: Problem | null) => void;
  readonly onWritten?: (key: ServiceKey, value: string) => void;
  /** What a look came to beside a write; skipped: the value needs none any more. */
  readonly onNotWritten?: (key: ServiceKey, result: 'skipped' | 'failed' | 'reverted') => void;
}

export interface WriteBack {
  /**
   * The allocated words of a served service and the ports that they listen on now; empty when none is left.
   * `csum` is the config's that said so: the same wish for the same config is one wish. `origin`: where that config has
   * the value from, as far as it is known; what is not plain is said without a request.
   */
  want(key: ServiceKey, fills: Fills, csum: string, origin?: RawBind['origin']): void;
  /** The service is gone. */
  forget(key: ServiceKey): void;
  /** Writing became allowed: looks at what waits. */
  resume(): void;
  /** Services whose ports will be written without further events. */
  pending(): number;
  /** Starts nothing more; resolves when the request under way has ended. */
  stop(): Promise<void>;
}

interface Job {
  fills: Fills;
  csum: string;
  origin: RawBind['origin'];
  /** Monotonic time from which it may run; null when it waits for a change of its wish. */
  dueMs: number | null;
  lookedAtMs: number | null;
  failures: number;
  /** Words that we wrote, and that nobody has taken back as far as we know. */
  readonly written: Set<string>;
  revertsAtMs: number[];
  notBeforeMs: number;
  problem: Problem | null;
}

export function createWriteBack(deps: WriteBackDeps): WriteBack {
  const { clock } = deps;
  const jobs = new Map<ServiceKey, Job>();
  let cancelTimer: Cancel = () => {};
  let armedMs = Infinity;
  let running: Promise<void> | null = null;
  let stopped = false;

  function want(key: ServiceKey, fills: Fills, csum: string, origin: RawBind['origin'] = 'plain'): void {
    if (stopped) return;
    const job = jobs.get(key) ?? newJob();
    if (fills.size === 0 && !jobs.has(key)) return;
    jobs.set(key, job);
    const now = clock.now();
    const looked = job.lookedAtMs !== null && now - job.lookedAtMs < LOOK_AGAIN_MS;
    if (sameFills(job.fills, fills) && job.csum === csum && (job.dueMs !== null || looked)) return;
    job.fills = fills;
    job.csum = csum;
    job.origin = origin;
    job.failures = 0;
    job.lookedAtMs = null;
    if (fills.size === 0) {
      job.dueMs = null;
      report(key, job, null);
    } else {
      const soonMs = now + COALESCE_MS + APART_MS * deps.random.next();
      job.dueMs = Math.max(Math.min(job.dueMs ?? Infinity, soonMs), job.notBeforeMs);
      if (job.notBeforeMs - now > SETTLE_MS) report(key, job, writeBackReverted(key, fills));
      arm(job.dueMs);
    }
  }

  /** One timer, for the earliest job; jobs that are due run one after the other. */
  function arm(dueMs: number): void {
    if (stopped || running !== null || !deps.allowed() || dueMs >= armedMs) return;
    cancelTimer();
    armedMs = dueMs;
    cancelTimer = clock.after(Math.max(0, dueMs - clock.now()), () => {
      armedMs = Infinity;
      if (!stopped && running === null && deps.allowed()) runNext();
    });
  }

  function runNext(): void {
    const next = earliest();
    if (next === null) return;
    if (next.dueMs > clock.now()) {
      arm(next.dueMs);
      return;
    }
    running = look(next.key, next.job).finally(() => {
      running = null;
      if (!stopped && deps.allowed()) runNext();
    });
  }

  function earliest(): { key: ServiceKey; job: Job; dueMs: number } | null {
    let first: { key: ServiceKey; job: Job; dueMs: number } | null = null;
    for (const [key, job] of jobs) {
      if (job.dueMs !== null && (first === null || job.dueMs < first.dueMs)) {
        first = { key, job, dueMs: job.dueMs };
      }
    }
    return first;
  }

  async function look(key: ServiceKey, job: Job): Promise<void> {
    job.dueMs = null;
    job.lookedAtMs = clock.now();
    if (job.origin !== 'plain') {
      report(key, job, notWrittenBack(key, job.fills, job.origin));
      return;
    }
    const asked = job.fills;
    const read = await deps.readRaw(key);
    if (isStale(key, job, asked)) return;
    if (!read.ok) {
      failed(key, job, read.failure);
      return;
    }
    const { bindText, origin } = read.value;
    // What a reference or a scope says is not in this text, so the text cannot tell that nothing is left to write.
    if (origin !== 'plain') {
      report(key, job, notWrittenBack(key, job.fills, origin));
      return;
    }
    const value = deps.fill(bindText, job.fills);
    if (value === bindText) {
      deps.onNotWritten?.(key, 'skipped');
      succeeded(key, job);
      return;
    }
    if (isReverted(job, bindText) && countRevert(key, job)) return;
    if (!deps.allowed()) {
      job.dueMs = clock.now();
      return;
    }
    const written = await deps.write(key, value);
    if (!written.ok) {
      if (!isStale(key, job, asked)) failed(key, job, written.failure);
      return;
    }
    for (const word of asked.keys()) job.written.add(word);
    job.notBeforeMs = clock.now() + SETTLE_MS;
    if (job.dueMs !== null) job.dueMs = Math.max(job.dueMs, job.notBeforeMs);
    deps.onWritten?.(key, value);
    if (!isStale(key, job, asked)) succeeded(key, job);
  }

  /** The wish changed during a request: the newer one has its own turn. */
  function isStale(key: ServiceKey, job: Job, asked: Fills): boolean {
    return stopped || jobs.get(key) !== job || job.fills !== asked;
  }

  function succeeded(key: ServiceKey, job: Job): void {
    job.failures = 0;
    report(key, job, null);
  }

  function failed(key: ServiceKey, job: Job, { retry, message }: Failure): void {
    job.failures += 1;
    deps.onNotWritten?.(key, 'failed');
    if (retry !== 'no') {
      const backoff = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (job.failures - 1));
      const wait = retry === 'soon' ? SOON_MS : backoff;
      job.dueMs = clock.now() + wait * (1 - deps.random.next() / 2);
    }
    if (retry === 'no' || job.failures >= FAILURES_TO_REPORT) {
      report(key, job, writeBackFailed(key, job.fills, message));
    }
  }

  /** A word that we had filled is allocated again in the config as it is now. */
  function isReverted(job: Job, bindText: string): boolean {
    return [...job.fills].some(
      ([word, listen]) =>
        job.written.has(word) && deps.fill(bindText, new Map([[word, listen]])) !== bindText,
    );
  }

  /** True when it was once too often. */
  function countRevert(key: ServiceKey, job: Job): boolean {
    const now = clock.now();
    deps.onNotWritten?.(key, 'reverted');
    job.revertsAtMs = [...job.revertsAtMs.filter((at) => now - at < REVERT_WINDOW_MS), now];
    if (job.revertsAtMs.length < REVERTS) return false;
    job.revertsAtMs = [];
    job.written.clear();
    job.notBeforeMs = now + REVERT_PAUSE_MS;
    job.dueMs = job.notBeforeMs;
    report(key, job, writeBackReverted(key, job.fills));
    return true;
  }

  function report(key: ServiceKey, job: Job, problem: Problem | null): void {
    if (job.problem?.code === problem?.code && job.problem?.message === problem?.message) return;
    job.problem = problem;
    deps.onProblem(key, problem);
  }

  return {
    want,
    forget(key) {
      const job = jobs.get(key);
      if (job !== undefined) report(key, job, null);
      jobs.delete(key);
    },
    resume: () => arm(earliest()?.dueMs ?? Infinity),
    pending() {
      const waiting = deps.allowed() ? [...jobs.values()].filter(({ dueMs }) => dueMs !== null).length : 0;
      return waiting + (running === null ? 0 : 1);
    },
    async stop() {
      stopped = true;
      cancelTimer();
      await running;
    },
  };
}

function newJob(): Job {
  return {
    fills: new Map(),
    csum: '',
    origin: 'plain',
    dueMs: null,
    lookedAtMs: null,
    failures: 0,
    written: new Set(),
    revertsAtMs: [],
    notBeforeMs: 0,
    problem: null,
  };
}

function sameFills(a: Fills, b: Fills): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([word, { addr, port }]) => {
    const other = b.get(word);
    return other !== undefined && other.addr === addr && other.port === port;
  });
}
