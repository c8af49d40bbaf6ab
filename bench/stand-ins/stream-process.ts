/** A process that writes one event stream to whoever connects, as fast as it is read. */
import { createServer, type Socket } from 'node:net';
import { createRandom } from '../random.js';
import { recordedMix, streamOf } from '../recorded-mix.js';
import { serve } from '../remote.js';

export type StreamProcess = typeof methods;

let reader: Socket | null = null;
let bytes: Buffer = Buffer.alloc(0);

const methods = {
  listen({ path }: { readonly path: string }) {
    const server = createServer((socket) => {
      reader = socket;
      socket.on('error', () => socket.destroy());
      socket.resume();
    });
    return new Promise<void>((resolve) => server.listen(path, resolve));
  },
  make({ frames, share, seed }: { readonly frames: number; readonly share: number; readonly seed: number }) {
    bytes = streamOf(recordedMix(), frames, share, createRandom(seed));
    return bytes.length;
  },
  connected: () => reader !== null && !reader.destroyed,
  send() {
    reader?.write(bytes);
  },
};
serve(methods);
