/**
 * Reading the agent's event stream: the janitor's way against JSON.parse of every frame, in memory and over a unix socket
 * that another process writes, for several shares of frames that concern us. Five runs unless `--runs` says otherwise.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FrameLoop, parseLoop, quickLoop, toldOf } from './frame-loops.js';
import { median } from './machine.js';
import { nowMs, until } from './machine-clock.js';
import { readOptions } from './options.js';
import { createRandom } from './random.js';
import { recordedMix, streamOf } from './recorded-mix.js';
import { startRemote } from './remote.js';
import { type Bound, type Figure, runBench } from './report.js';
import type { StreamProcess } from './stand-ins/stream-process.js';

const options = readOptions(['--runs', '5', ...process.argv.slice(2)]);
const frames = Math.round(20_000 * options.scale);
const socketFrames = Math.round(100_000 * options.scale);
/** What a socket hands over at most. */
const CHUNK_BYTES = 64 * 1024;
/** One pass takes less than a tenth of a second, so on a machine that does other things too its median counts. */
const PASSES = 9;

const inMemory: readonly (readonly [share: number, bound?: Bound])[] = [
  [0, { atLeast: 4 }],
  [0.01],
  [0.05, { atLeast: 3 }],
  [0.2],
  [1],
];
const overSocket: readonly (readonly [share: number, bound?: Bound])[] = [[0, { atLeast: 2.5 }], [0.05]];

const mix = recordedMix();
const percent = (share: number): string => `${share * 100} % relevant`;

await runBench(
  'frames',
  `event frames of ${mix.irrelevant.length + mix.relevant.length} recorded shapes`,
  options,
  async (run) => {
    const seed = options.seed + run;
    const figures: Figure[] = [];
    const notes: string[] = [];
    for (const [share, bound] of inMemory) {
      const bytes = streamOf(mix, frames, share, createRandom(seed));
      figures.push(...memoryFigures(chunksOf(bytes), share, bound));
      if (run === 0) notes.push(`${percent(share)}: ${(bytes.length / frames).toFixed(0)} bytes a frame`);
    }
    for (const [share, bound] of overSocket) figures.push(...(await socketFigures(share, seed, bound)));
    return { figures, notes };
  },
);

function chunksOf(bytes: Buffer): readonly Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) chunks.push(bytes.subarray(at, at + CHUNK_BYTES));
  return chunks;
}

function memoryFigures(chunks: readonly Buffer[], share: number, bound?: Bound): readonly Figure[] {
  const pass = (loop: FrameLoop): number => {
    const startedAt = nowMs();
    for (const chunk of chunks) loop.push(chunk);
    const took = nowMs() - startedAt;
    if (loop.frames() !== frames) throw new Error(`${loop.frames()} frames of ${frames} were read`);
    return took;
  };
  const parseMs: number[] = [];
  const quickMs: number[] = [];
  pass(parseLoop()); // for the compiler
  pass(quickLoop());
  // Taken in turns, so that both meet the same machine.
  for (let turn = 0; turn < PASSES; turn++) {
    parseMs.push(pass(parseLoop()));
    quickMs.push(pass(quickLoop()));
  }
  const { quick, plain } = toldOf(chunks);
  const [parse, own] = [median(parseMs), median(quickMs)];
  const differs = quick === plain ? 0 : 1;
  const rate = `frames a second, ${percent(share)}`;
  return [
    figure('in memory', `÷ JSON.parse loop, ${percent(share)}`, '', parse / own, bound),
    figure('in memory', `told otherwise than by parsing, ${percent(share)}`, '', differs, { exactly: 0 }),
    figure('in memory', rate, '/s', (frames * 1000) / own),
    figure('JSON.parse loop', rate, '/s', (frames * 1000) / parse),
  ];
}

async function socketFigures(share: number, seed: number, bound?: Bound): Promise<readonly Figure[]> {
  const parse = await socketRate(parseLoop(), share, seed);
  const quick = await socketRate(quickLoop(), share, seed);
  return [
    figure('over a socket', `÷ JSON.parse loop, ${percent(share)}`, '', quick / parse, bound),
    figure('over a socket', `frames a second, ${percent(share)}`, '/s', quick),
    figure('JSON.parse loop over a socket', `frames a second, ${percent(share)}`, '/s', parse),
  ];
}

/** Frames a second, from the first chunk to the last frame. */
async function socketRate(loop: FrameLoop, share: number, seed: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-frames-'));
  const path = join(folder, 's');
  const sender = startRemote<StreamProcess>('./stand-ins/stream-process.js');
  try {
    await sender.call('listen', { path });
    await sender.call('make', { frames: socketFrames, share, seed });
    let startedAt = Number.NaN;
    const socket = connect({ path });
    const done = new Promise<number>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        if (Number.isNaN(startedAt)) startedAt = nowMs();
        loop.push(chunk);
        if (loop.frames() === socketFrames) resolve(nowMs() - startedAt);
      });
    });
    await until('the sender sees its reader', () => sender.call('connected'));
    await sender.call('send');
    const ms = await done;
    socket.destroy();
    return (socketFrames * 1000) / ms;
  } finally {
    await sender.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function figure(variant: string, name: string, unit: string, value: number, bound?: Bound): Figure {
  return { variant, name, unit, value, ...(bound === undefined ? {} : { bound }) };
}
