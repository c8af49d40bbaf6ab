/**
 * Compute on worker threads: decides what is worth a thread, cuts batches into even parts, and survives what a job does to its
 * thread. Invariants: answers are those of the inline compute (wire.ts loses nothing); a batch whose thread crashed or hung is
 * repeated key by key; a config that three times alone took a thread with it is poison: its service is spoiled, and it is
 * never compiled on the main thread. Source: DESIGN §5.2, §5.6.
 */
import { type Clock, sleep } from '../clock.js';
import { fail, ok, type Result } from '../errors.js';
import { fillBody } from '../model/body-text.js';
import type { Digest, Observed } from '../model/server.js';
import { displayPath, type ServiceKey } from '../model/service.js';
import type { CompileContext, Compiled } from '../model/spec.js';
import { type ClaimJob, placeShared } from '../ports/pool.js';
import { markedService, type StatusHead } from '../source/lsnr-status.js';
import type { CompileInput } from './compile.js';
import { type Compute, createInlineCompute, knownService, type OnLost } from './compute.js';
import type { PackedObservation, PackedStatus } from './janitor.worker.js';
import { createIntern } from './intern.js';
import { applyNews, type Known } from './news.js';
import { createReadFrom } from './observe.js';
import type { RenderJob, Rendered } from './render.js';
import type { Answered, Lost, Threads } from './threads.js';
import {
  decodeCompiled,
  decodeNews,
  encodeInputs,
  encodeJobs,
  encodeKnown,
  type PackedNews,
} from './wire.js';

export interface PoolOptions {
  readonly threads: Threads;
  readonly clock: Clock;
  /** Below these a job runs on the calling thread. */
  readonly inlineBelow?: Partial<InlineBelow>;
}

interface InlineBelow {
  readonly keys: number;
  readonly servers: number;
  readonly bytes: number;
  readonly claims: number;
}

/**
 * By bench/crossover a thread takes work off the calling one from 9 keys, 210 servers and 4 to 7 KiB on. Rounded up to the next
 * size that was measured: a job takes up to twice as long there, and the first one starts threads of 9 MiB each.
 */
const defaultInlineBelow: InlineBelow = { keys: 16, servers: 256, bytes: 16 * 1024, claims: 8000 };
/** What is known costs as much as so many bytes of a list, each. */
const knownBytes = 50;
const batchLimitMs = 10_000;
const aloneLimitMs = 5_000;
const poisonAfter = 3;

export function createPoolCompute({ threads, clock, inlineBelow }: PoolOptions): Compute {
  const inline = createInlineCompute();
  const below = { ...defaultInlineBelow, ...inlineBelow };
  const intern = createIntern();
  const knownText = createKnownText();
  const readFrom = createReadFrom();
  let onLost: OnLost = () => undefined;
  /** Services whose config took a thread with it: only ever compiled alone, and elsewhere. */
  const poisoned = new Set<ServiceKey>();

  /** Jobs lost since the last one that was not. */
  let lostInRow = 0;

  /** A job on a thread. `isSuspect`: its input is known, so that its loss says nothing about the threads. */
  async function run<T>(
    work: string,
    job: unknown,
    limitMs: number,
    isSuspect = false,
  ): Promise<Answered<T>> {
    const answer = await threads.run<T>(work, job, limitMs);
    if (!('lost' in answer)) lostInRow = 0;
    else if (answer.lost !== 'closed' && !isSuspect) lostInRow += 1;
    return answer;
  }

  async function compileOn(
    inputs: readonly CompileInput[],
    context: CompileContext,
    limitMs: number,
  ): Promise<readonly Compiled[] | Lost> {
    const job = { inputs: encodeInputs(inputs), context };
    const answer = await run<string>('compile', job, limitMs, inputs.length === 1);
    if ('lost' in answer) return answer;
    return decodeCompiled(valueOf(answer), inputs, context.clusterName).map(intern);
  }

  async function compileBatch(
    inputs: readonly CompileInput[],
    context: CompileContext,
  ): Promise<readonly Compiled[]> {
    const compiled = await compileOn(inputs, context, batchLimitMs);
    if (!('lost' in compiled)) return compiled;
    onLost('compile', compiled, null);
    return Promise.all(inputs.map((input) => compileAlone(input, context, poisonAfter)));
  }

  async function compileAlone(
    input: CompileInput,
    context: CompileContext,
    tries: number,
  ): Promise<Compiled> {
    const answer = await compileOn([input], context, aloneLimitMs);
    if ('lost' in answer) {
      if (answer.lost !== 'closed' && tries > 1) return compileAlone(input, context, tries - 1);
      onLost('compile', answer, input.key);
      poisoned.add(input.key);
      return poison(input.key, answer);
    }
    poisoned.delete(input.key);
    const [compiled] = answer;
    if (compiled === undefined) throw new Error('a batch of one came back empty');
    return compiled;
  }

  async function renderBatch(jobs: readonly RenderJob[]): Promise<readonly Rendered[]> {
    const answer = await run<string>('render', encodeJobs(jobs), batchLimitMs);
    if ('lost' in answer) {
      // Joining strings harms nobody: no need for a second try elsewhere.
      onLost('render', answer, null);
      return inline.render(jobs);
    }
    const digests = valueOf(answer).split(' ');
    return jobs.map((job, at) => {
      const digest = digests[at] as Digest;
      return digest === job.expected?.digest ? job.expected : { digest, body: fillBody(job.text, job) };
    });
  }

  /** One more try for a job that lost its thread; null when that is lost too. */
  async function twice<T>(work: string, job: unknown): Promise<T | null> {
    for (let tries = 0; tries < 2; tries++) {
      const answer = await run<T>(work, job, batchLimitMs);
      if (!('lost' in answer)) return valueOf(answer);
      onLost(work, answer, null);
    }
    return null;
  }

  /** Also what is known has to be looked through, however short the list has become. */
  function isSmall(list: Uint8Array, known: readonly unknown[]): boolean {
    return list.length + known.length * knownBytes < below.bytes;
  }

  /** What a share that is lost twice leaves undone is noticed when the ports are read. */
  function claimAll(jobs: readonly ClaimJob[]): Promise<unknown> {
    return Promise.all(jobs.map((job) => twice<number>('claim', job)));
  }

  return {
    async compile(inputs, context) {
      const plain = inputs.filter(({ key }) => !poisoned.has(key));
      const alone = inputs.filter(({ key }) => poisoned.has(key));
      const parts =
        plain.length < below.keys
          ? [inline.compile(plain, context)]
          : evenly(plain, threads.size).map((part) => compileBatch(part, context));
      const [compiled, ...late] = await Promise.all([
        Promise.all(parts),
        ...alone.map((input) => compileAlone(input, context, 1)),
      ]);
      if (late.length === 0) return compiled.flat();
      const byKey = new Map([...compiled.flat(), ...late].map((each) => [each.key, each]));
      return inputs.flatMap(({ key }) => byKey.get(key) ?? []);
    },
    async render(jobs) {
      if (jobs.length < below.servers) return inline.render(jobs);
      return (await Promise.all(evenly(jobs, threads.size).map(renderBatch))).flat();
    },
    async observe(list, known) {
      if (isSmall(list, known)) return inline.observe(list, known);
      const text = knownText(known, (server) => server);
      const job = { list, known: text, knownFrom: readFrom.digest(known) };
      const seen = await twice<PackedObservation>('observe', job);
      if (seen === null || seen.news === null) return null;
      if (seen.news === 'same') return known;
      return readFrom.note(await readNews(seen.news, known, (server: Observed) => server), seen.digest);
    },
    async readStatus(status, ownNode, known) {
      if (isSmall(status, known)) return inline.readStatus(status, ownNode, known);
      const job = { status, ownNode, known: knownText(known, knownService) };
      const packed = await twice<Result<PackedStatus>>('readStatus', job);
      if (packed === null) {
        const message = 'no worker thread can read the status';
        return fail({ code: 'agent-not-json', retry: 'backoff', message });
      }
      if (!packed.ok) return packed;
      const services = await readNews(packed.value.services, known, markedService);
      return ok({ head: JSON.parse(packed.value.head) as StatusHead, services });
    },
    wide: { atLeast: below.claims, place: (request) => placeShared(request, claimAll, threads.size) },
    whenLost(tell) {
      onLost = tell;
    },
    stats: () => ({ ...threads.stats(), lostInRow }),
    close: () => threads.close(),
  };

  async function readNews<Packed, T>(
    packed: PackedNews,
    known: readonly T[],
    unpack: (item: Packed) => T,
  ): Promise<readonly T[]> {
    const changed: T[] = [];
    for (const part of decodeNews<Packed>(packed)) {
      // Whoever else waits for this thread goes between the parts.
      if (changed.length > 0) await sleep(clock, 0);
      for (const item of part) changed.push(unpack(item));
    }
    return applyNews(known, { same: packed.same, changed });
  }

  /** What the function threw is thrown here, as if it had run here. */
  function valueOf<T>(answer: Exclude<Answered<T>, Lost>): T {
    if ('thrown' in answer) throw new Error(answer.thrown);
    return answer.value;
  }
}

/** `parts` runs of nearly the same length, none of them empty. */
export function evenly<T>(items: readonly T[], parts: number): readonly (readonly T[])[] {
  const count = Math.max(1, Math.min(parts, items.length));
  return Array.from({ length: count }, (_, at) =>
    items.slice(Math.floor((at * items.length) / count), Math.floor(((at + 1) * items.length) / count)),
  );
}

/** Of an unchanged list the text is made once. */
function createKnownText() {
  const texts = new WeakMap<object, string>();
  return <T>(known: readonly T[], identify: (item: T) => Known): string => {
    const text = texts.get(known) ?? encodeKnown(known.map(identify));
    texts.set(known, text);
    return text;
  };
}

/** Nothing is known of what it asks for, so nothing of it may go. */
function poison(key: ServiceKey, { lost, detail }: Lost): Compiled {
  return {
    key,
    verdict: 'spoiled',
    words: [],
    badWords: true,
    badLabels: [null],
    bindOrigin: 'raw',
    bindText: '',
    template: null,
    otherTargets: [],
    problems: [
      {
        code: 'internal-error',
        severity: 'problem',
        key,
        place: 'the config',
        message: `compiling it ${lost === 'hung' ? 'does not end' : 'ends the thread that does it'} (${detail})`,
        keeps: 'the servers it has stay as they are; no other service is affected',
        mend: `report it with the config of ${displayPath(key)}; it is tried again when the config changes`,
      },
    ],
  };
}
