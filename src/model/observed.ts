/**
 * What GoBetween says it runs. Input is another program's text, perhaps hostile or cut: nothing here throws, and a name
 * that is not exactly one of ours makes a server foreign, which means untouched (SPEC §4 "Ownership").
 */
import { parseListen } from './bind.js';
import { isRecord } from './gobetween-fields.js';
import { decodeName } from './name.js';
import { canonical, digest, normalise } from './normalise.js';
import type { Listen, Observed, ServerName } from './server.js';

/**
 * Every server in the text of GET /servers; null when it is no such text. One entry that is no server spoils it: it is
 * somebody else's answer then, and read as a list it would say that all of ours are gone.
 */
export function observeServers(text: string): readonly Observed[] | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(json)) return null;
  const entries = Object.entries(json);
  return entries.every(([, server]) => isRecord(server) && typeof server['bind'] === 'string')
    ? entries.map(([name, server]) => observeServer(name, server))
    : null;
}

/** One server as `GET /servers` or `GET /servers/:name` shows it. */
export function observeServer(name: string, json: unknown): Observed {
  const config = normalise(json, 'get');
  const text = canonical(config);
  const owner = decodeName(name);
  return {
    name: name as ServerName,
    key: owner?.key ?? null,
    owned: owner !== null,
    historical: owner?.kind === 'historical',
    listen: listenOf(config.bind, config.protocol),
    digest: digest(text),
    lookupServer: config.discovery.kind === 'srv' ? (config.discovery.srv_lookup_server ?? '') : '',
    canonical: text,
  };
}

function listenOf(bind: string, protocol: string): Listen | null {
  const listen = parseListen(bind);
  return listen === null ? null : { proto: protocol === 'udp' ? 'udp' : 'tcp', ...listen };
}
