/** From the bytes of GET /servers to what is news in them. Pure; runs on any thread. */
import { eachServer } from '../model/observed.js';
import type { Observed } from '../model/server.js';
import { createNewsFinder, type Known, type News } from './news.js';

/** null: the bytes are no list of servers. */
export function observeNews(bytes: Uint8Array, known: readonly Known[]): News<Observed> | null {
  const finder = createNewsFinder<Observed>(known, (server) => server);
  return eachServer(bytes, finder.see) ? finder.found() : null;
}
