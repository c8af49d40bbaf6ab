/**
 * A run of frames of the event stream, read as far as needed: its bytes are looked at as one latin1 text, frames that say
 * nothing are told by their counter alone, and only the others are decoded and parsed. Invariants: what comes out is what
 * parsing each frame would give; a frame larger than `MAX_READ_BYTES` is not parsed at all but told as large, for a list,
 * which says the same, costs this thread less (64 MiB of JSON were seen to take 18 s and 2 GB).
 */
import { isAscii } from 'node:buffer';
import { eachFrame } from './frames.js';
import { noiseEnd, noiseId } from './lsnr-noise.js';
import { readFrame, type FrameContent } from './lsnr-patch.js';

/** A v2.1 agent cannot send more than 208 KiB at once (§4.3); the grammar would run out of stack somewhere above 4 MiB. */
export const MAX_READ_BYTES = 1024 * 1024;

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
  for (let at = 0; at < text.length; ) {
    const end = noiseEnd(text, at);
    if (end !== -1) {
      reader.noise(noiseId(text, at));
      at = end;
      continue;
    }
    const nul = run.indexOf(0, at);
    const upTo = nul === -1 ? run.length : nul;
    if (upTo > at) {
      ascii ??= isAscii(run);
      const frame = ascii ? text.slice(at, upTo) : run.toString('utf8', at, upTo);
      if (!reader.frame(readFrame(frame))) return false;
    }
    at = upTo + 1;
  }
  return true;
}
