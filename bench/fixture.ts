/**
 * The cluster of the benches: services by number, what each asks for, and the servers that follow from it. Parts in
 * different processes make the same from the same numbers, so nothing of size has to be sent between them.
 */
import { assignNames } from '../src/model/assign-names.js';
import { parsePath, serviceKey } from '../src/model/service.js';
import type { CompileContext } from '../src/model/spec.js';
import { compile } from '../src/worker/compile.js';
import { render, renderJob } from '../src/worker/render.js';

export const CLUSTER = 'bench';
/** The first is the gateway. */
export const NODES = ['n1', 'n2', 'n3'] as const;

export interface Fixture {
  readonly services: number;
  readonly addr: string;
  /** Of service 0; each service listens on one port more. */
  readonly firstPort: number;
  readonly dnsPort: number;
}

/** What one service says at a moment; `rev` changes its checksum and nothing else. */
export interface ServiceState {
  readonly bind: string;
  readonly rev: number;
}

export const nodeOf = (service: number): string => NODES[service % NODES.length] ?? 'n1';
export const pathOf = (service: number): string => `ns${service % 10}/svc/web${service}`;

/** The service of a path; NaN when it is none of ours. */
export function serviceOf(path: string): number {
  const found = /^ns\d\/svc\/web(\d+)$/.exec(path);
  return found === null ? Number.NaN : Number(found[1]);
}

/** The service of one of our servers' names; NaN for others. */
export function serviceOfServer(name: string): number {
  const found = /\.web(\d+)\.ns\d\.svc/.exec(name);
  return found === null ? Number.NaN : Number(found[1]);
}

export const wordFor = (label: number, addr: string, port: number): string => `${label}/tcp-${addr}:${port}`;

export const firstState = (fixture: Fixture, service: number): ServiceState => ({
  bind: wordFor(8080, fixture.addr, fixture.firstPort + service),
  rev: 0,
});

/** As long as an md5, and never the same for two states. */
export function csumOf(service: number, rev: number): string {
  const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
  return (
    hex(service) + hex(rev) + hex(Math.imul(service + 1, 0x9e3779b1)) + hex(Math.imul(rev + 1, 0x85ebca6b))
  );
}

export const addressOf = (service: number): string =>
  `10.${(service >> 16) & 255}.${(service >> 8) & 255}.${service & 255}`;

/** The sections of a config, as JSON of Python's; `metadata` is the agent's own. */
export function configText(service: number, state: ServiceState, dnsPort: number): string {
  const labels = state.bind.split(' ').map((word) => word.slice(0, word.indexOf('-')));
  const id = `${csumOf(service, 0).slice(0, 8)}-aa5b-46e6-a6ca-7f49c2917515`;
  return (
    `{"DEFAULT": {"nodes": "${nodeOf(service)}", "id": "${id}"}, ` +
    `"ip#1": {"ipname": "${addressOf(service)}", "ipdev": "lo", "netmask": "32", "expose": "${labels.join(' ')}"}, ` +
    `"env": {"igw_gobtw_bind": "${state.bind}", "dns_port": "${dnsPort}", "rev": "${state.rev}"}, ` +
    `"metadata": {"name": "web${service}", "kind": "svc", "namespace": "ns${service % 10}"}}`
  );
}

export interface ExpectedServer {
  readonly name: string;
  readonly bind: string;
  readonly body: string;
}

export const context: CompileContext = {
  dialect: 'v2',
  clusterName: CLUSTER,
  gatewayNames: ['n1'],
  nodeName: 'n1',
  defaultAddr: '0.0.0.0',
  allowExec: false,
  allowAcme: false,
  tlsDir: null,
};

/** The servers of one service, made by the product's own pure functions. */
export function serversOf(fixture: Fixture, service: number, state: ServiceState): readonly ExpectedServer[] {
  const path = parsePath(pathOf(service));
  if (path === undefined) throw new Error('a path of the fixture is wrong');
  const key = serviceKey(path);
  const raw = configText(service, state, fixture.dnsPort);
  const { template, words } = compile({ key, raw, evaluated: null, loop: null, slave: false }, context);
  if (template === null) throw new Error(`service ${service} of the fixture asks for nothing: ${raw}`);
  const placed = words.map((word) => ({ word, addr: word.addr, port: word.listen ?? 0 }));
  const names = assignNames(key, placed, []);
  return words.map((word, i) => {
    const listenPort = word.listen ?? 0;
    const place = { listenPort, lookupServer: `127.0.0.1:${fixture.dnsPort}`, expected: null };
    const { body } = render(renderJob(template, word, place));
    return { name: names[i] ?? '', bind: `${word.addr}:${listenPort}`, body };
  });
}
