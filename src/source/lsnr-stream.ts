/**
 * What the frames of one event stream after the other tell the watcher's handlers. Pure but for the handlers. Invariants:
 * told in the order of the stream, frames without hints as a count; a patch whose counter does not follow the last one is
 * a gap, whatever it holds; a defect ends the reading, and nothing behind it is told.
 * Source: reference/opensvc-v2-protocol.md §4.
 */
import type { Hint } from './lsnr-patch.js';
import { readRun, type RunReader } from './lsnr-run.js';
import type { GapReason, WatchHandlers } from './source.js';

export interface StreamReader {
  /** Another connection: its first patch may have any counter above the last one heard. */
  begin(): void;
  /** Reads whole frames. What ends the stream, or null; `heard`: at least one frame was sound. */
  read(run: Buffer): { readonly defect: GapReason | null; readonly heard: boolean };
}

export function createStreamReader(
  handlers: Pick<WatchHandlers, 'onConfig' | 'onDeleting' | 'onMembership' | 'onGap' | 'onEvent'>,
): StreamReader {
  /** Of the last patch heard, over connections: a smaller one means another daemon. */
  let lastId: number | null = null;
  /** Counters are contiguous within a connection; null before its first patch. */
  let expectedId: number | null = null;
  let untold = 0;
  let heard = false;
  let defect: GapReason | null = null;

  function tellNoise(): void {
    if (untold > 0) handlers.onEvent('irrelevant', untold);
    untold = 0;
  }

  function follow(id: number): void {
    const restarted = expectedId === null ? lastId !== null && id <= lastId : id < expectedId;
    const missed = expectedId !== null && id > expectedId;
    lastId = id;
    expectedId = id + 1;
    if (!restarted && !missed) return;
    tellNoise();
    handlers.onGap(restarted ? 'restarted' : 'id-gap');
  }

  const reader: RunReader = {
    noise(id) {
      heard = true;
      untold += 1;
      if (id !== null) follow(id);
    },
    frame(content) {
      if (content === undefined || content.refused) {
        defect = content === undefined ? 'not-json' : 'refused';
        return false;
      }
      const { id, hints } = content;
      if (hints.length === 0) reader.noise(id);
      else {
        heard = true;
        tellNoise();
        handlers.onEvent('relevant', 1);
        if (id !== null) follow(id);
        tellHints(handlers, hints);
      }
      return true;
    },
    large() {
      heard = true;
      tellNoise();
      handlers.onEvent('relevant', 1);
      handlers.onGap('over-cap');
    },
  };

  return {
    begin() {
      expectedId = null;
    },
    read(run) {
      heard = false;
      defect = null;
      readRun(run, reader);
      tellNoise();
      return { defect, heard };
    },
  };
}

function tellHints(
  handlers: Pick<WatchHandlers, 'onConfig' | 'onDeleting' | 'onMembership'>,
  hints: readonly Hint[],
): void {
  let listAgain = false;
  for (const hint of hints) {
    if (hint.kind === 'config') handlers.onConfig(hint.key, hint.csum, hint.node);
    else if (hint.kind === 'deleting') handlers.onDeleting(hint.key);
    else listAgain = true;
  }
  if (listAgain) handlers.onMembership();
}
