/** Which allocated ports of a service are worth writing back: those that a server in GoBetween listens on (SPEC §5). */
import type { GrantedWord } from './desired.js';
import { readEnv, readSections } from './model/env.js';
import type { Observed } from './model/server.js';
import type { RawBind } from './ports/write-back.js';

/** By word text. A port that nothing listens on may yet turn out to be taken, so it is not written. */
export function fillsOf(
  granted: readonly GrantedWord[],
  present: readonly Observed[],
): ReadonlyMap<string, { readonly addr: string; readonly port: number }> {
  const fills = new Map<string, { addr: string; port: number }>();
  for (const { word, addr, port } of granted) {
    if (word.listen !== null) continue;
    const listening = present.some(
      ({ listen }) => listen?.proto === word.proto && listen.addr === addr && listen.port === port,
    );
    for (const text of listening ? [word.text, ...(word.again ?? [])] : []) fills.set(text, { addr, port });
  }
  return fills;
}

/** `igw_gobtw_bind` in a config as written. */
export function rawBind(text: string): RawBind {
  const sections = readSections(text);
  if (sections === null) return { bindText: '', origin: 'reference' };
  const { raw, origin } = readEnv(sections, null).get('igw_gobtw_bind');
  return { bindText: raw, origin: origin === 'raw' ? 'plain' : origin };
}
