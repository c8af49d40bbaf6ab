/** A state directory in memory: what `createStateFile` is on disk. */
import { fail, ok, type Failure } from '../../src/errors.js';
import type { StateFile } from '../../src/state/state-file.js';

export interface MemoryState extends StateFile {
  /** What is in the file; null: there is none. */
  bytes: Buffer | null;
  aside: Buffer | null;
  writes: number;
  /** The disk's answer, when it fails. */
  failing: Failure | null;
}

export function createMemoryState(): MemoryState {
  const state: MemoryState = {
    path: '/state/state.ndjson',
    bytes: null,
    aside: null,
    writes: 0,
    failing: null,
    read: async () => (state.failing === null ? ok(state.bytes) : fail(state.failing)),
    async write(lines) {
      state.writes += 1;
      if (state.failing !== null) return fail(state.failing);
      state.bytes = Buffer.from([...lines].join(''));
      return ok(undefined);
    },
    async setAside() {
      state.aside = state.bytes;
      state.bytes = null;
      return ok(`${state.path}.bad`);
    },
  };
  return state;
}
