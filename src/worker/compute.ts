/**
 * The seam to the worker threads: batches of pure jobs in, plain data out (DESIGN §5.2). Here they run on the calling thread;
 * worker/pool.ts sends them to others and gives the same answers, because the functions keep no state.
 */
import { ok } from '../errors.js';
import { listDigest } from '../model/observed.js';
import type { Observed } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import type { CompileContext, Compiled } from '../model/spec.js';
import type { Wide } from '../ports/pool.js';
import { markedService, type MarkedService, type ReadStatus } from '../source/lsnr-status.js';
import { type CompileInput, compile } from './compile.js';
import { createIntern } from './intern.js';
import { applyNews, type Known } from './news.js';
import { createReadFrom, observeNews } from './observe.js';
import { type RenderJob, type Rendered, render } from './render.js';
import { statusNews } from './status.js';
import type { ThreadStats } from './threads.js';

/** A job whose thread crashed or hung; `key` when it is known whose config did it. */
export type OnLost = (
  work: string,
  why: { readonly lost: string; readonly detail: string },
  key: ServiceKey | null,
) => void;

/** How its threads are. */
export interface ComputeStats extends ThreadStats {
  /** Jobs lost since the last one that was not, those apart whose loss is known to be one service's. */
  readonly lostInRow: number;
}

export interface Compute {
  compile(inputs: readonly CompileInput[], context: CompileContext): Promise<readonly Compiled[]>;
  render(jobs: readonly RenderJob[]): Promise<readonly Rendered[]>;
  /**
   * The servers in the body of GET /servers, in which those of `known` that did not change are the same objects; null when
   * it is no list of servers.
   */
  observe(list: Uint8Array, known: readonly Observed[]): Promise<readonly Observed[] | null>;
  /** The same for the services in an agent's status. Failures: those of scanStatus, and agent-not-json for a lost thread. */
  readStatus: ReadStatus;
  /** For the arbiter; null: it does well alone. */
  readonly wide: Wide | null;
  /** One listener for lost jobs. */
  whenLost(tell: OnLost): void;
  stats(): ComputeStats;
  close(): Promise<void>;
}

const noThreads: ComputeStats = {
  jobs: 0,
  replaced: 0,
  done: 0,
  waitedMs: 0,
  utilisation: 0,
  overdueMs: 0,
  lostInRow: 0,
};

const lostTooOften = 3;

/** Why the threads are no use any more, for liveness (SPEC §8); null: they are. */
export function threadTrouble({ lostInRow, overdueMs }: ComputeStats): string | null {
  if (lostInRow >= lostTooOften) return `the last ${lostInRow} jobs for worker threads were lost`;
  return overdueMs > 0 ? `no worker thread takes a job, ${Math.ceil(overdueMs)} ms beyond its limit` : null;
}

export function createInlineCompute(): Compute {
  const intern = createIntern();
  const readFrom = createReadFrom();
  return {
    compile: async (inputs, context) => inputs.map((input) => intern(compile(input, context))),
    render: async (jobs) => jobs.map(render),
    async observe(list, known) {
      const digest = listDigest(list);
      if (digest === readFrom.digest(known)) return known;
      const news = observeNews(list, known);
      return news === null ? null : readFrom.note(applyNews(known, news), digest);
    },
    async readStatus(status, ownNode, known) {
      const news = statusNews(status, ownNode, known.map(knownService));
      if (!news.ok) return news;
      const { head, services } = news.value;
      const changed = services.changed.map(markedService);
      return ok({ head, services: applyNews(known, { same: services.same, changed }) });
    },
    wide: null,
    whenLost: () => undefined,
    stats: () => noThreads,
    close: async () => undefined,
  };
}

export function knownService({ key, mark }: MarkedService): Known {
  return { name: key, digest: mark };
}
