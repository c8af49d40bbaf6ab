/**
 * The queues under client-go's names, so that the dashboards of its mixins work unchanged. Invariant: every queue has all of
 * its series from the start.
 */
import { type QueueName, queueNames } from './labels.js';
import type { Registrar } from './registrar.js';

export interface QueueMetrics {
  added(): void;
  depth(keys: number): void;
  queued(ms: number): void;
  worked(ms: number): void;
  retried(): void;
  /** Work in progress: the sum of its ages, and the oldest; to be told once a second or so. */
  unfinished(sumMs: number, longestMs: number): void;
}

export function declareQueueMetrics(
  { gauge, counter, histogram }: Registrar,
  seconds: number[],
): (name: QueueName) => QueueMetrics {
  const labels = ['name'] as const;
  const depth = gauge('workqueue_depth', 'Services waiting in the queue', labels);
  const adds = counter('workqueue_adds_total', 'Services added to the queue', labels);
  const queued = histogram(
    'workqueue_queue_duration_seconds',
    'Time that services waited in the queue',
    seconds,
    labels,
  );
  const worked = histogram(
    'workqueue_work_duration_seconds',
    'Time that services were worked on',
    seconds,
    labels,
  );
  const unfinished = gauge(
    'workqueue_unfinished_work_seconds',
    'Sum of the ages of work in progress',
    labels,
  );
  const longest = gauge(
    'workqueue_longest_running_processor_seconds',
    'Age of the oldest work in progress',
    labels,
  );
  const retries = counter('workqueue_retries_total', 'Services put back after a failure', labels);
  for (const name of queueNames) {
    for (const metric of [depth, unfinished, longest]) metric.set({ name }, 0);
    for (const metric of [adds, retries]) metric.inc({ name }, 0);
    for (const metric of [queued, worked]) metric.zero({ name });
  }
  return (name) => ({
    added: () => adds.inc({ name }),
    depth: (keys) => depth.set({ name }, keys),
    queued: (ms) => queued.observe({ name }, ms / 1000),
    worked: (ms) => worked.observe({ name }, ms / 1000),
    retried: () => retries.inc({ name }),
    unfinished(sumMs, longestMs) {
      unfinished.set({ name }, sumMs / 1000);
      longest.set({ name }, longestMs / 1000);
    },
  });
}
