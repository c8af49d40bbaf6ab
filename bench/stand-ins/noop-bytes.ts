/** Frames as an agent sends them most of the time: counters of its own, refreshed statuses, resources up and down. */
import { createRandom } from '../random.js';
import { availChanges, frame, sessionChanges, statusChanges } from './agent-stream.js';

/** Frames written at once: other frames may come between two slices, not within one. */
const SLICE = 1000;

export function noopBytes(
  { frames, seed }: { readonly frames: number; readonly seed: number },
  services: number,
): readonly Buffer[] {
  const random = createRandom(seed);
  const slices: Buffer[] = [];
  let texts: string[] = [];
  for (let i = 0; i < frames; i++) {
    const service = random.below(Math.max(1, services));
    const dice = random.next();
    if (dice < 0.5) texts.push(frame(statusChanges(service)));
    else if (dice < 0.8) texts.push(frame(availChanges(service, dice < 0.65 ? 'down' : 'up')));
    else texts.push(frame(sessionChanges(i)));
    if (texts.length === SLICE || i === frames - 1) {
      slices.push(Buffer.from(texts.join(''), 'latin1'));
      texts = [];
    }
  }
  return slices;
}
