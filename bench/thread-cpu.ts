/**
 * The CPU time of the calling thread, which other processes and other threads do not add to, and the longest turn of its loop.
 * From /proc (Linux); the main thread only.
 */
import { openSync, readSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { nowMs, pause } from './machine-clock.js';

const fd = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
const buffer = Buffer.alloc(64);

/** Milliseconds since the process began. */
export function threadCpuMs(): number {
  process.cpuUsage(); // the kernel brings the account of the running thread up to date
  const length = readSync(fd, buffer, 0, buffer.length, 0);
  return Number(buffer.toString('latin1', 0, length).split(' ')[0]) / 1e6;
}

/** What `work` costs this thread, without looking at its turns, which costs some. */
export async function costOf(work: () => Promise<unknown>): Promise<{ cpuMs: number; wallMs: number }> {
  const [cpu, wall] = [threadCpuMs(), nowMs()];
  await work();
  return { cpuMs: threadCpuMs() - cpu, wallMs: nowMs() - wall };
}

/** The longest delay of the loop until `work` resolves, at resolution 1, whose own timer makes about 1 ms the floor. */
export async function delayOf(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await pause(20); // it counts from its second tick on
  await work();
  await pause(5);
  delay.disable();
  return delay.max / 1e6;
}

/** The CPU time of the longest turn until `work` resolves. Never lets the thread sleep. */
export async function longestTurnOf(work: () => Promise<unknown>): Promise<number> {
  let isWatching = true;
  let longestMs = 0;
  let last = threadCpuMs();
  const turn = (): void => {
    const now = threadCpuMs();
    longestMs = Math.max(longestMs, now - last);
    last = now;
    if (isWatching) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isWatching = false;
  turn();
  return longestMs;
}
