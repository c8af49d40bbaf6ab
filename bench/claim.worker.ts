/** The share of a placement, and which thread did it. */
import { threadId } from 'node:worker_threads';
import { type ClaimJob, claimShare } from '../src/ports/pool.js';
import type { Reply } from '../src/worker/janitor.worker.js';

export interface Done {
  readonly thread: number;
  readonly placed: number;
}

export function claim(job: ClaimJob): Reply<Done> {
  return { value: { thread: threadId, placed: claimShare(job) } };
}
