/**
 * Frames of the event stream as a real agent sent them, and what can become of bytes on their way: cut, flipped, spliced,
 * and spiked with words that mean something to a reader. Seeded, so that a failure can be seen again.
 */
import { readdirSync } from 'node:fs';
import type { Random } from '../../src/random.js';
import { pythonJson } from '../../src/sim/agent/python-json.js';
import { recordedFlow } from './recorded-cluster.js';

const folder = new URL('../../../test/fixtures/opensvc-v2/', import.meta.url);

/** Every frame of every recorded flow, spelled as the agent spelled it, without NUL. */
export function recordedFrames(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => recordedFlow(name).map(pythonJson));
}

/** A small seeded generator (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

export const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}

/** Bytes and words that change what a frame means, or whether it is one. */
const spikes: readonly string[] = [
  ...['"', '\\', '[', ']', '{', '}', ',', ':', ' ', '\n', '\t', '\0', '\x01', '\x7f', '\x80', '\xa0', '\xff'],
  ...[
    '0',
    '1',
    '-',
    '.',
    'e5',
    'null',
    '[[',
    ']]',
    '], ',
    '}, ',
    '\\u0061',
    '\\"',
    '\xc3\xa9',
    '\xef\xbb\xbf',
  ],
  ...['"csum"', '"scope"', '"status"', '"global_expect"', '"scaler_slave"', '"deleted"', '"purged"', ', 0'],
  ...[
    '"monitor"',
    '"services"',
    '"nodes"',
    '"config"',
    '"cluster"',
    '"listener"',
    '"instance_delete"',
    'target',
  ],
  ...['"kind": "event", ', '"kind": "patch", ', '"id": 7, ', '"data": [', ', "error": "no"', ', "data": []'],
  ...[
    '[["monitor", "nodes", "m2"]], ',
    '[["cluster"], 1], ',
    '"id": "instance_delete", ',
    '{"a": 1}',
    '[[[[[[',
  ],
];

/** One frame with one to three things done to it; latin1, so that each character is a byte. `others` are spliced in. */
export function mutate(frame: string, others: readonly string[], random: Random): string {
  let text = frame;
  for (let times = 1 + below(random, 3); times > 0; times--) text = mutateOnce(text, others, random);
  return text;
}

function mutateOnce(text: string, others: readonly string[], random: Random): string {
  const at = below(random, text.length + 1);
  const upTo = Math.min(text.length, at + 1 + below(random, random.next() < 0.5 ? 4 : 60));
  switch (below(random, 9)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(upTo);
    case 2:
      return text.slice(0, upTo) + text.slice(at);
    case 3: {
      const flipped = String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << below(random, 8)));
      return text.slice(0, at) + flipped + text.slice(at + 1);
    }
    case 4:
      return text.slice(0, at) + String.fromCharCode(below(random, 256)) + text.slice(at + 1);
    case 5:
      return text.slice(0, at) + pick(random, spikes) + text.slice(upTo);
    case 6: {
      const other = pick(random, others);
      return text.slice(0, at) + other.slice(below(random, other.length));
    }
    case 7:
      return swapWords(text, random);
    default:
      return text.slice(0, at) + pick(random, spikes) + text.slice(at);
  }
}

/** One word for another that the frame or the protocol knows: what is left is JSON, and means something else. */
function swapWords(text: string, random: Random): string {
  const words = [...text.matchAll(/"[^"\\]*"/g)];
  const word = words[below(random, words.length)];
  if (word === undefined) return text;
  const known = spikes.filter((spike) => /^"[^"]*"$/.test(spike));
  const other = random.next() < 0.5 ? pick(random, known) : pick(random, words)[0];
  return text.slice(0, word.index) + other + text.slice(word.index + word[0].length);
}
