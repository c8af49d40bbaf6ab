/**
 * Event streams in the mix that a real v2.1 agent was recorded with: each frame is a recorded one with its size, its
 * blanks and its number of changes, under another service's name and with other times, sessions and checksums.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { pythonJson } from '../src/sim/agent/python-json.js';
import { readFrame } from '../src/source/lsnr-patch.js';
import type { Random } from './random.js';

export interface RecordedMix {
  readonly relevant: readonly string[];
  readonly irrelevant: readonly string[];
}

interface RecordedLine {
  readonly bytes?: number;
  readonly msg?: { readonly kind: string; readonly data: unknown };
}

const folder = new URL('../../test/fixtures/opensvc-v2/', import.meta.url);

/** All frames of all recorded flows. What they say to us is asked of the plain reading. */
export function recordedMix(): RecordedMix {
  const texts: string[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.jsonl'))) {
    for (const line of readFileSync(new URL(file, folder), 'utf8').split('\n')) {
      if (line === '') continue;
      const { msg, bytes = 0 } = JSON.parse(line) as RecordedLine;
      if (msg !== undefined) texts.push(padded(msg, bytes));
    }
  }
  const isRelevant = (text: string): boolean => (readFrame(text)?.hints.length ?? 0) > 0;
  return {
    relevant: texts.filter(isRelevant),
    irrelevant: texts.filter((text) => !isRelevant(text)),
  };
}

/** Some recordings left out the agent's own counters, but not how long the frame was: they are put in again. */
function padded(msg: { readonly kind: string; readonly data: unknown }, bytes: number): string {
  const text = pythonJson(msg);
  if (msg.kind !== 'patch' || text.length + 100 > bytes) return text;
  const data = [...(msg.data as readonly unknown[])];
  const stats = ['listener', 'stats', 'sessions'];
  const counters: readonly unknown[] = [
    [[...stats, 'accepted'], 171],
    [[...stats, 'rx'], 2_049_131],
    [[...stats, 'alive', 'b968f9a6-81cc-4798-9f7e-4b29ee850064', 'progress'], 'None /events'],
    [[...stats, 'clients', 'local', 'auth_validated'], 168],
    [[...stats, 'alive', 'b968f9a6-81cc-4798-9f7e-4b29ee850064']],
  ];
  let length = text.length;
  for (let i = 0; length < bytes; i++) {
    const counter = counters[i % counters.length];
    data.unshift(counter);
    length += pythonJson(counter).length + 2;
  }
  return pythonJson({ ...msg, data });
}

/** `frames` frames, each with NUL, of which a share is relevant; counters are contiguous from 1. */
export function streamOf(mix: RecordedMix, frames: number, share: number, random: Random): Buffer {
  const texts: string[] = [];
  let id = 0;
  for (let i = 0; i < frames; i++) {
    const from = random.next() < share ? mix.relevant : mix.irrelevant;
    const text = renewed(from[random.below(from.length)] ?? '', random);
    texts.push(`${text.replace(/^(\{"kind": "patch", "id": )\d+/, (_, head: string) => `${head}${++id}`)}\0`);
  }
  return Buffer.from(texts.join(''), 'latin1');
}

const hex = (random: Random, length: number): string =>
  Array.from({ length }, () => random.below(16).toString(16)).join('');

function renewed(text: string, random: Random): string {
  const session = hex(random, 12);
  const service = `"ns${random.below(40)}/svc/web${random.below(2000)}"`;
  return text
    .replace(/(?<=[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-)[0-9a-f]{12}/g, session)
    .replace(/"(?:ns1\/svc\/\w+|svc\d|n2only|refs|dis\d|(?:\d\.)?rscaled)"/g, service)
    .replace(/"[0-9a-f]{32}"/g, () => `"${hex(random, 32)}"`)
    .replace(
      /\b1795\d{6}\.\d+/g,
      () => `${1_795_000_000 + random.below(900_000)}.${100_000 + random.below(900_000)}`,
    );
}
