/**
 * SRV discovery: one SRV question, addresses from the Additional section, else one question for A and one for AAAA
 * per target. Truncation is ignored. Source: discovery/srv.go; reference/gobetween-rest.md §5.
 */
import type { Answer, DecodedPacket } from 'dns-packet';
import type { Discovered } from './backend.js';
import type { SrvConfig } from './config.js';
import { type Asking, ask } from './dns-client.js';

/** The backends behind the pattern; an empty answer of any rcode is an empty list. Rejects on anything else. */
export async function fetchSrv(config: SrvConfig, timeoutMs: number): Promise<readonly Discovered[]> {
  const asking: Asking = {
    server: config.srv_lookup_server,
    protocol: config.srv_dns_protocol,
    timeoutMs,
  };
  const reply = await ask(asking, config.srv_lookup_pattern, 'SRV');
  const answers = reply.answers ?? [];
  if (answers.length === 0) return [];
  const hosts = additionalHosts(reply);
  const found: Discovered[] = [];
  for (const record of answers) {
    if (record.type !== 'SRV') throw new Error('Non-SRV record in SRV answer');
    const { target, port, priority = 0, weight = 0 } = record.data;
    const name = `${target.replace(/\.$/, '')}.`;
    const host = hosts.get(name) ?? (await lookupHost(asking, name));
    if (host === '') continue;
    hosts.set(name, host);
    found.push({
      host,
      port: String(port),
      priority,
      weight,
      maxConnections: 0,
      sni: name.replace(/\.+$/, ''),
    });
  }
  return found;
}

function additionalHosts(reply: DecodedPacket): Map<string, string> {
  const hosts = new Map<string, string>();
  for (const record of reply.additionals ?? []) {
    const host = hostOf(record);
    if (host !== '' && 'name' in record) hosts.set(`${record.name.replace(/\.$/, '')}.`, host);
  }
  return hosts;
}

function hostOf(record: Answer | undefined): string {
  if (record?.type === 'A') return record.data;
  return record?.type === 'AAAA' ? `[${shortIpv6(record.data)}]` : '';
}

/** Go's spelling, so that a backend is the same one whoever spelled it. */
function shortIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** The first answer only; a failure counts as no address. */
async function lookupHost(asking: Asking, name: string): Promise<string> {
  for (const type of ['A', 'AAAA'] as const) {
    try {
      const reply = await ask(asking, name, type);
      const host = hostOf(reply.answers?.[0]);
      if (host !== '') return host;
    } catch {
      // The next type is tried all the same.
    }
  }
  return '';
}
