/**
 * The applier's tickets in p-queue. As many run at a time as requests to GoBetween are worth having in flight, and as many
 * again wait for their place; whoever else is ready stays in its lane, where the next may overtake. Invariants: a ticket
 * that rests between two requests gives up its place meanwhile, so a limit of one blocks nobody; at least one can run.
 */
import PQueue from 'p-queue';
import { createAlarm } from '../alarm.js';
import { type Clock, sleep } from '../clock.js';
import { createConcurrency } from './concurrency.js';
import type { GuardedBalancer } from './guard.js';
import type { Answer } from './outcome.js';

const ticketsPerRequest = 2;

export interface Tickets {
  /** Given and not over. */
  count(): number;
  /** No more are to be given now. */
  isFull(): boolean;
  /**
   * `run` when its turn comes, the higher priority first; then `over`, when it does not count any more: at once, or, where
   * nobody waits for what it came to (`isRoutine`), when the places are taken again.
   */
  give<T>(
    priority: number,
    run: () => Promise<T>,
    over: (came: T) => void,
    isRoutine?: (came: T) => boolean,
  ): void;
  /** What has not begun waits until `start`. */
  pause(): void;
  start(): void;
  /** For a ticket that runs: a pause without a request. */
  rest(ms: number): Promise<void>;
  /** Requests that are worth having in flight now, 1 to the setting. */
  limit(): number;
  /** The same balancer, whose answers are what `limit` goes by. */
  watched(balancer: GuardedBalancer): GuardedBalancer;
}

export function createTickets(clock: Clock, setting: number): Tickets {
  const queue = new PQueue({ concurrency: setting });
  const concurrency = createConcurrency(clock, setting, admit);
  let count = 0;
  let resting = 0;
  /**
   * Tickets that ran, and whose books are kept when their places are taken again: with eight answers at once GoBetween would
   * else be idle while we keep the books, and we while it works.
   */
  let ran: (() => void)[] = [];
  const settle = createAlarm(clock, () => {
    const due = ran;
    ran = [];
    for (const end of due) end();
  });

  function admit(): void {
    queue.concurrency = concurrency.limit() + resting;
  }

  async function watch<T>(isCreation: boolean, request: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const ended = concurrency.begin(isCreation);
    const answer = await request();
    ended(answer.outcome, queue.size > 0);
    return answer;
  }

  return {
    count: () => count,
    isFull: () => count - resting >= ticketsPerRequest * concurrency.limit(),
    give(priority, run, over, isRoutine = () => false) {
      count += 1;
      const ticket = async (): Promise<void> => {
        const came = await run();
        const end = (): void => {
          count -= 1;
          over(came);
        };
        if (!isRoutine(came)) return end();
        ran.push(end);
        settle.within(0);
      };
      void queue.add(ticket, { priority });
    },
    pause: () => queue.pause(),
    start: () => void queue.start(),
    async rest(ms) {
      resting += 1;
      admit();
      await sleep(clock, ms);
      resting -= 1;
      admit();
    },
    limit: concurrency.limit,
    watched: (balancer) => ({
      ...balancer,
      create: (name, body) => watch(true, () => balancer.create(name, body)),
      remove: (...args) => watch(false, () => balancer.remove(...args)),
      get: (name) => watch(false, () => balancer.get(name)),
      stats: (name) => watch(false, () => balancer.stats(name)),
    }),
  };
}
