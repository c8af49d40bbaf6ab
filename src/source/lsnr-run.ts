/**
 * A run of frames of the event stream, read as far as needed: its bytes are looked at as one latin1 text, frames that say
 * nothing are told by their counter alone, and of the others only what may matter is parsed. Invariants: what comes out is
 * what parsing each frame would give; a frame larger than `MAX_READ_BYTES` is not parsed at all but told as large, for a list,
 * which says the same, costs this thread less (64 MiB of JSON were seen to take 18 s and 2 GB).
 */
import { isAscii } from 'node:buffer';
import { eachFrame } from './frames.js';
import { changesBegin, noiseEnd, noiseId } from './lsnr-noise.js';
import { readFrame, type FrameContent } from './lsnr-patch.js';

/** A v2.1 agent cannot send more than 208 KiB at once (§4.3); the grammar would run out of stack somewhere above 4 MiB. */
export const MAX_READ_BYTES = 1024 * 1024;

const BRACKET = '['.charCodeAt(0);

export interface RunReader {
  /** A frame without hints; its counter, or null when it has none. */
  noise(id: number | null): void;
  /** Any other frame; undefined when it is not JSON. False: the rest of the run is not wanted. */
  frame(content: FrameContent | undefined): boolean;
  /** A frame too large to be read. */
  large(): void;
}

/** `run`: whole frames, each with its NUL. Empty ones are left out. */
export function readRun(run: Buffer, reader: RunReader): void {
  if (run.length <= MAX_READ_BYTES) readText(run, reader);
  else {
    eachFrame(run, (frame) => {
      if (frame.length <= MAX_READ_BYTES) return readText(frame, reader);
      reader.large();
      return true;
    });
  }
}

function readText(run: Buffer, reader: RunReader): boolean {
  const text = run.toString('latin1');
  /** Of ASCII, which the agent keeps to, the text is at hand. */
  let ascii: boolean | undefined;
  const decode = (from: number, to: number): string => {
    ascii ??= isAscii(run);
    return ascii ? text.slice(from, to) : run.toString('utf8', from, to);
  };
  for (let at = 0; at < text.length; ) {
    const stop = noiseEnd(text, at);
    if (stop > at && text.charCodeAt(stop - 1) === 0) {
      reader.noise(noiseId(text, at));
      at = stop;
      continue;
    }
    const nul = run.indexOf(0, stop);
    const end = nul === -1 ? run.length : nul;
    if (end > at) {
      // The changes in front of the first one that may matter are left out: the rest is JSON if the frame is.
      const changes = stop > at && text.charCodeAt(stop) === BRACKET;
      const frame = changes ? decode(at, changesBegin(text, at)) + decode(stop, end) : decode(at, end);
      if (!reader.frame(readFrame(frame))) return false;
    }
    at = end + 1;
  }
  return true;
}
