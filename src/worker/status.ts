/** From the bytes of an agent's status to what is news in them. Pure; runs on any thread. */
import { ok, type Result } from '../errors.js';
import { scanStatus, type StatusHead, type StatusService } from '../source/lsnr-status.js';
import { createNewsFinder, type Known, type News } from './news.js';

export interface StatusNews {
  readonly head: StatusHead;
  readonly services: News<StatusService>;
}

/** Failures: those of scanStatus. */
export function statusNews(
  bytes: Uint8Array,
  ownNode: string | null,
  known: readonly Known[],
): Result<StatusNews> {
  const finder = createNewsFinder<StatusService>(known, ({ key, mark }) => ({ name: key, digest: mark }));
  const head = scanStatus(bytes, ownNode, finder.see);
  return head.ok ? ok({ head: head.value, services: finder.found() }) : head;
}
