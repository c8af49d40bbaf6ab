/**
 * From the bytes of GET /servers to what is news in them (DESIGN §5.2). Pure; runs on any thread. Invariant: a server whose
 * digest is known costs its reader nothing: it comes back as one mark, and the object that stands for it is used on.
 */
import { eachServer } from '../model/observed.js';
import type { Digest, Observed, ServerName } from '../model/server.js';

export interface News {
  /** By position in the known servers: 1 where the list has it unchanged. */
  readonly same: Uint8Array;
  /** All others. */
  readonly changed: readonly Observed[];
}

export type Known = Pick<Observed, 'name' | 'digest'>;

/** null: the bytes are no list of servers. */
export function findNews(bytes: Uint8Array, known: readonly Known[]): News | null {
  const places = new Map<ServerName, { readonly at: number; readonly digest: Digest }>();
  known.forEach(({ name, digest }, at) => places.set(name, { at, digest }));
  const same = new Uint8Array(known.length);
  const changed = new Map<ServerName, Observed>();
  // Should a name be there twice, the last one counts, as in any JSON object.
  const read = eachServer(bytes, (server) => {
    const place = places.get(server.name);
    const isSame = place?.digest === server.digest;
    if (place !== undefined) same[place.at] = isSame ? 1 : 0;
    if (isSame) changed.delete(server.name);
    else changed.set(server.name, server);
  });
  return read ? { same, changed: [...changed.values()] } : null;
}

/** The whole list again. */
export function applyNews(known: readonly Observed[], { same, changed }: News): readonly Observed[] {
  return [...known.filter((_, at) => same[at] === 1), ...changed];
}
