/**
 * What GoBetween says it runs. Input is another program's text, perhaps hostile or cut: nothing here throws, and a name
 * that is not exactly one of ours makes a server foreign, which means untouched (SPEC §4 "Ownership").
 */
import { createHash } from 'node:crypto';
import { parseListen } from './bind.js';
import { isRecord } from './gobetween-fields.js';
import { createJsonCursor } from './json-cursor.js';
import { decodeName } from './name.js';
import { canonical, digest, normalise } from './normalise.js';
import type { Listen, Observed, ServerName } from './server.js';

/**
 * Every server in the bytes of GET /servers, one at a time; false when they are no such list. One entry that is no server
 * spoils it: it is somebody else's answer then, and read as a list it would say that all of ours are gone.
 */
export function eachServer(bytes: Uint8Array, tell: (server: Observed) => void): boolean {
  const cursor = createJsonCursor(bytes);
  let servers = true;
  try {
    const isObject = cursor.object((name) => {
      const server = cursor.value();
      if (isServer(server)) tell(observeServer(name, server));
      else servers = false;
    });
    if (isObject) cursor.end();
    return isObject && servers;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** By which a list is known again without being read. */
export function listDigest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

/** The answer to GET /servers/:name; null when it is none. */
export function observeAnswer(name: string, text: string): Observed | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  return isServer(json) ? observeServer(name, json) : null;
}

function isServer(json: unknown): boolean {
  return isRecord(json) && typeof json['bind'] === 'string';
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
