/** From the bytes of GET /servers to what is news in them. Pure; runs on any thread. */
import { eachServer } from '../model/observed.js';
import type { Observed } from '../model/server.js';
import { createNewsFinder, type Known, type News } from './news.js';

/** null: the bytes are no list of servers. */
export function observeNews(bytes: Uint8Array, known: readonly Known[]): News<Observed> | null {
  const finder = createNewsFinder<Observed>(known, (server) => server);
  return eachServer(bytes, finder.see) ? finder.found() : null;
}

/**
 * Which bytes a list of servers was read from. GoBetween writes its servers in the order of their names, so as long as none
 * changes it sends the same bytes, and they need not be read again.
 */
export function createReadFrom() {
  const digests = new WeakMap<readonly Observed[], string>();
  return {
    /** The digest of those bytes; null: not known. */
    digest: (servers: readonly Observed[]): string | null => digests.get(servers) ?? null,
    note(servers: readonly Observed[], digest: string): readonly Observed[] {
      digests.set(servers, digest);
      return servers;
    },
  };
}
