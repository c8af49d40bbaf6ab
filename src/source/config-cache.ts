/**
 * Configs that were read, by key and checksum, least recently used out first, bounded by bytes. Invariant: an entry is what
 * the agent answered while it showed that checksum. Evaluated text also depends on the cluster's config and on the node that
 * it was evaluated for, so these are part of its name. It is a cache: losing it costs reads. Source: SPEC §6.
 */
import { LRUCache } from 'lru-cache';
import type { ServiceKey } from '../model/service.js';

export interface RawConfig {
  readonly raw: string;
  readonly needsEvaluation: boolean;
  readonly loop: string | null;
}

export interface EvaluationContext {
  readonly clusterConfigCsum: string | null;
  readonly node: string;
}

/** What `saved` gives and `load` takes. */
export interface SavedConfig extends RawConfig {
  /** Key, checksum and, of evaluated text, what it was evaluated for. */
  readonly name: string;
}

interface Entry extends RawConfig {
  /** Clock.now of the read; null for an entry that was loaded. */
  readonly readAt: number | null;
}

export interface ConfigCache {
  raw(key: ServiceKey, csum: string): RawConfig | undefined;
  setRaw(key: ServiceKey, csum: string, config: RawConfig, nowMs: number): void;
  evaluated(key: ServiceKey, csum: string, context: EvaluationContext): string | undefined;
  setEvaluated(key: ServiceKey, csum: string, context: EvaluationContext, text: string, nowMs: number): void;
  /**
   * The checksum moved on. An agent shows a checksum up to 17 s after the text changed, so what was read just before may
   * be the newer text under the older checksum: forgotten, lest a later revert finds it.
   */
  movedOn(key: ServiceKey, csum: string, context: EvaluationContext, nowMs: number): void;
  /** The service is gone for good: a cluster that shrank shall not be remembered at its largest. */
  forget(key: ServiceKey, csum: string, context: EvaluationContext): void;
  /** Entries that are old enough to be trusted, the one used last first. May be taken slowly, while others come and go. */
  saved(nowMs: number): Iterable<SavedConfig>;
  size(): { readonly entries: number; readonly bytes: number };
  /** What `saved` gave to an earlier start, in that order. */
  load(configs: readonly SavedConfig[]): void;
}

/** @default 64 MiB: 20,000 services of 1.5 KiB, twice. */
const MAX_BYTES = 64 * 1024 * 1024;
/** What was read more lately is not trusted yet, for its checksum may have been an old one: see `movedOn`. */
export const YOUNG_MS = 20_000;
const OVERHEAD_BYTES = 200;

export function createConfigCache(maxBytes: number = MAX_BYTES): ConfigCache {
  const entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    sizeCalculation: (entry, name) => 2 * (entry.raw.length + name.length) + OVERHEAD_BYTES,
  });
  const rawName = (key: ServiceKey, csum: string): string => JSON.stringify([key, csum]);
  const evaluatedName = (
    key: ServiceKey,
    csum: string,
    { clusterConfigCsum, node }: EvaluationContext,
  ): string => JSON.stringify([key, csum, clusterConfigCsum, node]);

  return {
    raw: (key, csum) => entries.get(rawName(key, csum)),
    setRaw(key, csum, config, nowMs) {
      const { raw, needsEvaluation, loop } = config;
      entries.set(rawName(key, csum), { raw, needsEvaluation, loop, readAt: nowMs });
    },
    evaluated: (key, csum, context) => entries.get(evaluatedName(key, csum, context))?.raw,
    setEvaluated(key, csum, context, text, nowMs) {
      entries.set(evaluatedName(key, csum, context), {
        raw: text,
        needsEvaluation: false,
        loop: null,
        readAt: nowMs,
      });
    },
    movedOn(key, csum, context, nowMs) {
      for (const name of [rawName(key, csum), evaluatedName(key, csum, context)]) {
        const entry = entries.peek(name);
        if (entry !== undefined && !isOld(entry, nowMs)) entries.delete(name);
      }
    },
    forget(key, csum, context) {
      entries.delete(rawName(key, csum));
      entries.delete(evaluatedName(key, csum, context));
    },
    *saved(nowMs) {
      for (const name of [...entries.keys()]) {
        const entry = entries.peek(name);
        if (entry === undefined || !isOld(entry, nowMs)) continue;
        const { raw, needsEvaluation, loop } = entry;
        yield { name, raw, needsEvaluation, loop };
      }
    },
    size: () => ({ entries: entries.size, bytes: entries.calculatedSize }),
    load(configs) {
      for (const { name, raw, needsEvaluation, loop } of [...configs].reverse())
        entries.set(name, { raw, needsEvaluation, loop, readAt: null });
    },
  };
}

function isOld({ readAt }: Entry, nowMs: number): boolean {
  return readAt === null || nowMs - readAt >= YOUNG_MS;
}
