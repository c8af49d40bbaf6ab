/**
 * What a worker thread runs: one function per kind of batch. Invariant: no state, no I/O and no log here; whatever a function
 * throws is an answer, so that a job that gets none means that its thread crashed or hangs.
 */
import { ok, type Result } from '../errors.js';
import { listDigest } from '../model/observed.js';
import type { CompileContext } from '../model/spec.js';
import { claimShare } from '../ports/pool.js';
import { compile as compileOne } from './compile.js';
import { observeNews } from './observe.js';
import { render as renderOne } from './render.js';
import { statusNews } from './status.js';
import {
  decodeInputs,
  decodeJobs,
  decodeKnown,
  encodeCompiled,
  encodeNews,
  type PackedNews,
  type Texts,
} from './wire.js';

export type Reply<T> = { readonly value: T } | { readonly thrown: string };

const answering =
  <Job, T>(work: (job: Job) => T) =>
  (job: Job): Reply<T> => {
    try {
      return { value: work(job) };
    } catch (error) {
      return { thrown: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };

export interface CompileJob {
  readonly inputs: Texts;
  readonly context: CompileContext;
}

export const compile = answering(({ inputs, context }: CompileJob): string =>
  encodeCompiled(decodeInputs(inputs).map((input) => compileOne(input, context))),
);

/** The digests, joined: main writes the bodies itself, from the texts it has (six strings joined cost less than one copied). */
export const render = answering((jobs: string): string =>
  decodeJobs(jobs)
    .map((job) => renderOne(job).digest)
    .join(' '),
);

export interface ObserveJob {
  readonly list: Uint8Array;
  readonly known: string;
  /** The digest of the bytes that `known` was read from. */
  readonly knownFrom: string | null;
}

export interface PackedObservation {
  readonly digest: string;
  /** same: as the bytes are. null: they are no list of servers. */
  readonly news: PackedNews | 'same' | null;
}

export const observe = answering(({ list, known, knownFrom }: ObserveJob): PackedObservation => {
  const digest = listDigest(list);
  if (digest === knownFrom) return { digest, news: 'same' };
  const news = observeNews(list, decodeKnown(known));
  return { digest, news: news === null ? null : encodeNews(news) };
});

export interface StatusJob {
  readonly status: Uint8Array;
  readonly ownNode: string | null;
  readonly known: string;
}

export interface PackedStatus {
  readonly head: string;
  readonly services: PackedNews;
}

export const readStatus = answering(({ status, ownNode, known }: StatusJob): Result<PackedStatus> => {
  const news = statusNews(status, ownNode, decodeKnown(known));
  if (!news.ok) return news;
  return ok({ head: JSON.stringify(news.value.head), services: encodeNews(news.value.services) });
});

/** How many claims the share placed; their ports are in the shared memory. */
export const claim = answering(claimShare);
