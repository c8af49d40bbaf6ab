/**
 * How the process uses memory. By itself V8 lets the heap grow to several times of what lives in it before it collects, for a
 * machine with much memory; a janitor beside a load balancer shall be small, and shorter collections disturb its loop less.
 */
import { setFlagsFromString } from 'node:v8';

/** For a process that lives long; before it begins to work. Affects its worker threads too. */
export function keepHeapSmall(): void {
  // A collection of the whole heap when it has grown by so much since the last.
  setFlagsFromString('--heap-growing-percent=50');
}
