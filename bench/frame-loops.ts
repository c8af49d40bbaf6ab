/** The two ways to read an event stream that are compared: the janitor's, and JSON.parse of every frame, which is the limit of the other. */
import { createFrameSplitter } from '../src/source/frames.js';
import { readFrame } from '../src/source/lsnr-patch.js';
import { createStreamReader } from '../src/source/lsnr-stream.js';
import type { WatchHandlers } from '../src/source/source.js';

export interface FrameLoop {
  push(chunk: Buffer): void;
  frames(): number;
}

/** The quickest loop that parses all: one text for a chunk, a slice of it for a frame (a fifth quicker than a text for each). */
export function parseLoop(): FrameLoop {
  let rest = '';
  let frames = 0;
  let last: unknown;
  return {
    push(chunk) {
      const text = rest + chunk.toString('latin1');
      let from = 0;
      for (let end = text.indexOf('\0'); end !== -1; end = text.indexOf('\0', from)) {
        last = JSON.parse(text.slice(from, end));
        frames++;
        from = end + 1;
      }
      rest = text.slice(from);
    },
    frames: () => (last === undefined ? 0 : frames),
  };
}

/** As the janitor follows its agent; a gap or a defect is a failure of the bench. */
export function quickLoop(handlers: Partial<WatchHandlers> = {}): FrameLoop {
  let frames = 0;
  const fail = (reason: string): never => {
    throw new Error(`a sound stream was taken for a broken one: ${reason}`);
  };
  const reader = createStreamReader({
    onConfig: () => undefined,
    onMembership: () => undefined,
    onDeleting: () => undefined,
    onGap: fail,
    ...handlers,
    onEvent(_, count) {
      frames += count;
    },
  });
  const splitter = createFrameSplitter((run) => {
    const { defect } = reader.read(run);
    if (defect !== null) fail(defect);
  });
  return { push: (chunk) => void splitter.push(chunk), frames: () => frames };
}

/** What the handlers are told of a stream, and what they would be told if every frame were parsed; in order. */
export function toldOf(chunks: readonly Buffer[]): { readonly quick: string; readonly plain: string } {
  const quick: string[] = [];
  const loop = quickLoop({
    onConfig: (key, csum, node) => quick.push(`${key} ${csum} ${node}`),
    onMembership: () => quick.push('membership'),
    onDeleting: (key) => quick.push(`${key} deleting`),
  });
  for (const chunk of chunks) loop.push(chunk);
  const plain: string[] = [];
  for (const text of Buffer.concat(chunks).toString('utf8').split('\0')) {
    const hints = readFrame(text)?.hints ?? [];
    for (const hint of hints) {
      if (hint.kind === 'config') plain.push(`${hint.key} ${hint.csum} ${hint.node}`);
      else if (hint.kind === 'deleting') plain.push(`${hint.key} deleting`);
    }
    if (hints.some(({ kind }) => kind === 'membership')) plain.push('membership');
  }
  return { quick: quick.join('\n'), plain: plain.join('\n') };
}
