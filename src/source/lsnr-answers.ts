/**
 * The answers of a v2.1 agent, from JSON to the seam's types. Pure. Invariant: whatever the agent sends, the outcome is a
 * value of the right shape or a Failure; unknown fields are ignored, missing ones mean "not known", nothing is guessed.
 * Source: reference/opensvc-v2-protocol.md §2, §5, §7.
 */
import { fail, type Failure, ok, type Result } from '../errors.js';
import { analyseReferences, type Sections } from '../model/reference-loop.js';
import { parsePath, serviceKey, type ServiceKey } from '../model/service.js';
import type { ClusterConfig, ConfigAnswer } from './source.js';

export type Json = Readonly<Record<string, unknown>>;

/** What came back, without the wrapper; `node` is the node that answered when the agent said so. */
export interface LsnrAnswer {
  readonly body: unknown;
  readonly node: string | null;
}

export function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** The object at `path` below `value`; an empty one when there is none. */
export function objectAt(value: unknown, ...path: readonly string[]): Json {
  let here: unknown = value;
  for (const step of path) here = asObject(here)?.[step];
  return asObject(here) ?? {};
}

/** A list of words, which the agent gives as an array or as blank-separated text. */
export function words(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(/\s+/)
      : [];
  return list.filter((word): word is string => typeof word === 'string' && word !== '');
}

/**
 * One answer's text → its body without the `nodes` wrapper, or the failure that it tells. An answer is an error when it
 * holds an `error` text, at any level of wrapping; its `status` is no help (it may be the string "1", or absent).
 */
export function readAnswer(text: string, wrapped: boolean): Result<LsnrAnswer> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return fail({
      code: 'agent-not-json',
      retry: 'backoff',
      message: `the answer (${text.length} characters) is no JSON`,
    });
  }
  let node: string | null = null;
  for (let depth = 0; ; depth++) {
    const object = asObject(body);
    const error = errorOf(object);
    if (error !== undefined) return fail(error);
    // Relayed answers are wrapped once more. A config may hold a section named `nodes`, but no number named `status`.
    const isWrapper = wrapped && (depth === 0 || typeof object?.status === 'number');
    const answers = isWrapper ? Object.entries(objectAt(object, 'nodes')) : [];
    for (const [, answer] of answers) {
      const failed = errorOf(asObject(answer));
      if (failed !== undefined) return fail(failed);
    }
    const [first] = answers;
    if (first === undefined) return ok({ body, node });
    [node, body] = first;
  }
}

/** What the agent complains of in this answer, if it does. */
export function errorOf(answer: Json | undefined): Failure | undefined {
  if (typeof answer?.error !== 'string') return undefined;
  const message = answer.error.slice(0, 500);
  // A read of an object that the agent does not know (or not yet: it says so while it starts) is a bare KeyError.
  const unknown = answer.status === 404 || message === 'unknown service' || /^'[^' ]*'$/.test(message);
  return { code: unknown ? 'unknown-object' : 'agent-error', retry: 'backoff', message };
}

export function isSlave(status: unknown): boolean {
  const flag = asObject(status)?.scaler_slave;
  return flag === true || flag === 'true';
}

export function isDeleting(globalExpect: unknown): boolean {
  return globalExpect === 'deleted' || globalExpect === 'purged';
}

/** The key of an object path of kind svc; undefined for every other kind. */
export function serviceOf(path: string): ServiceKey | undefined {
  const parsed = parsePath(path);
  return parsed?.kind === 'svc' ? serviceKey(parsed) : undefined;
}

/** A config answer → its sections as JSON text, metadata taken off. */
export function readConfigAnswer(body: unknown): Result<ConfigAnswer> {
  const object = asObject(body);
  if (
    object === undefined ||
    Object.entries(object).some(([name, section]) => name !== 'metadata' && !asObject(section))
  ) {
    return fail({ code: 'agent-not-config', retry: 'backoff', message: 'the answer is no config' });
  }
  const sections = Object.entries(object).filter(([name]) => name !== 'metadata');
  try {
    return ok({ text: JSON.stringify(Object.fromEntries(sections)) });
  } catch {
    return fail({ code: 'agent-not-config', retry: 'backoff', message: 'the config is nested too deeply' });
  }
}

const noCluster = fail({
  code: 'agent-not-config',
  retry: 'backoff',
  message: 'the answer has no cluster section',
});

/** The cluster's config → its DNS list. Nothing else is taken from that answer: it holds `cluster.secret`. */
export function readClusterConfig(body: unknown): Result<ClusterConfig> {
  const cluster = asObject(asObject(body)?.cluster);
  if (cluster === undefined) return noCluster;
  return ok({ dns: words(cluster.dns) });
}

/**
 * The cluster's config as written → its DNS list; null when only an evaluation can tell. A failure that no repetition mends
 * when an evaluation would never end. Of that answer, too, nothing else is taken.
 */
export function readWrittenDns(body: unknown): Result<readonly string[] | null> {
  const cluster = asObject(asObject(body)?.cluster);
  const read = readConfigAnswer(body);
  if (!read.ok || cluster === undefined) return read.ok ? noCluster : read;
  const { dns } = cluster;
  const isPlain = typeof dns !== 'string' || !/\{|\$\(/.test(dns);
  if (isPlain && !Object.keys(cluster).some((keyword) => keyword.startsWith('dns@'))) return ok(words(dns));
  const { loop } = analyseReferences(JSON.parse(read.value.text) as Sections);
  return loop === null ? ok(null) : fail({ code: 'reference-loop', retry: 'no', message: loop });
}

/** The answer to `set` → whether it was done: the command's own `ret` counts, for `status` may be 0 all the same. */
export function readSetAnswer(body: unknown): Result<void> {
  const data = asObject(asObject(body)?.data);
  if (data?.ret === 0) return ok(undefined);
  const said = [data?.err, data?.out].find((text): text is string => typeof text === 'string' && text !== '');
  return fail({
    code: 'agent-set-failed',
    retry: 'backoff',
    message: said?.trim().slice(0, 500) ?? 'the agent did not say that the value was set',
  });
}
