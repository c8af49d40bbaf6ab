/** The real worker, whose thread ends or hangs at what a test plants in its text. */
import * as real from '../../src/worker/janitor.worker.js';

function poisoned(text: string): void {
  if (text.includes('PLANTED-EXIT')) process.exit(3);
  if (text.includes('PLANTED-HANG')) for (;;);
  if (text.includes('PLANTED-HOARD')) {
    const hoard: number[][] = [];
    for (;;) hoard.push(new Array<number>(1_000_000).fill(hoard.length));
  }
}

export function compile(job: real.CompileJob): ReturnType<typeof real.compile> {
  poisoned(job.inputs.text);
  return real.compile(job);
}

export function render(jobs: string): ReturnType<typeof real.render> {
  poisoned(jobs);
  return real.render(jobs);
}

export const readStatus = real.readStatus;

export function observe(job: real.ObserveJob): ReturnType<typeof real.observe> {
  poisoned(Buffer.from(job.list).toString());
  return real.observe(job);
}

/** A placement of so many claims ends the threads that take part. */
export const LETHAL_CLAIMS = 13;

export function claim(job: Parameters<typeof real.claim>[0]): ReturnType<typeof real.claim> {
  if (job.turns === LETHAL_CLAIMS) process.exit(3);
  return real.claim(job);
}
