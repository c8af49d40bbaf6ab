/** Desired and observed servers in one line each; their digest is spelled out. */
import type { Desired, Digest, Observed, ServerName } from '../../src/model/server.js';
import type { ServiceKey } from '../../src/model/service.js';

export const web = 'root/svc/web' as ServiceKey;

export function nameOf(name: string): ServerName {
  return name as ServerName;
}

export function digestOf(text: string): Digest {
  return text as Digest;
}

/** A wanted server of `web` on 0.0.0.0:8080/tcp unless told otherwise. */
export function desiredServer(name: string, digest: string, port = 8080, key = web): Desired {
  const listen = { proto: 'tcp' as const, addr: '0.0.0.0', port };
  const body = JSON.stringify({ digest });
  return { name: nameOf(name), key, listen, digest: digestOf(digest), body, lookupServer: '' };
}

/** What GoBetween has under that name; owned by `web`, historical when its name says so. */
export function observedServer(name: string, digest: string, port = 8080): Observed {
  return {
    name: nameOf(name),
    key: web,
    owned: true,
    historical: /^_\d+_/.test(name),
    listen: { proto: 'tcp', addr: '0.0.0.0', port },
    digest: digestOf(digest),
    lookupServer: '',
    canonical: JSON.stringify({ digest }),
  };
}
