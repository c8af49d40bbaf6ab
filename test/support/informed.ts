/** An informer over a cluster in memory, on a fake clock, with everything that it told written down. */
import { createConfigCache, type ConfigCache } from '../../src/source/config-cache.js';
import { createInformer, type Informer, type InformerOptions } from '../../src/source/informer.js';
import { displayPath } from '../../src/model/service.js';
import { createFakeClock, type FakeClock } from './fake-clock.js';
import { createMemorySource, type MemorySource } from './memory-source.js';

export interface Informed {
  readonly clock: FakeClock;
  readonly source: MemorySource;
  readonly informer: Informer;
  readonly cache: ConfigCache;
  /** `facts web present`, `cluster dns`, `agent down`, `synced`. */
  readonly told: string[];
  /** What was told since the last call. */
  readonly news: () => readonly string[];
  /** The requests since the last call, lists and the like left out unless asked for. */
  readonly reads: (kind?: 'configs' | 'all') => readonly string[];
  /** `since` of the last onFacts. */
  readonly lastSince: () => number;
}

export function inform(
  options: Partial<InformerOptions> = {},
  prepare?: (source: MemorySource) => void,
): Informed {
  const clock = createFakeClock();
  const source = createMemorySource(clock);
  prepare?.(source);
  const told: string[] = [];
  let since = Number.NaN;
  const cache = options.cache ?? createConfigCache();
  const informer = createInformer({
    source,
    clock,
    random: { next: () => 1 },
    cache,
    deleteGraceMs: 300_000,
    fallbackNode: 'host',
    handlers: {
      onFacts(key, dirtySince) {
        since = dirtySince;
        told.push(`facts ${displayPath(key)} ${informer.facts(key)?.state}`);
      },
      onCluster: (changed) => told.push(`cluster ${changed.join(' ')}`),
      onAgent: (up) => told.push(`agent ${up ? 'up' : 'down'}`),
      onSynced: () => told.push('synced'),
    },
    ...options,
  });
  informer.start();
  return {
    clock,
    source,
    informer,
    cache,
    told,
    news: () => told.splice(0),
    reads: (kind = 'configs') =>
      source.requests.splice(0).filter((request) => kind === 'all' || request.includes(' ')),
    lastSince: () => since,
  };
}
