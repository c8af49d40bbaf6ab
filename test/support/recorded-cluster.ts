/**
 * The cluster of the v2.1 recordings (test/fixtures/opensvc-v2), built again as a simulated one: same names, files and
 * addresses, so that answers can be compared whole.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCluster, type SimCluster } from '../../src/sim/cluster/cluster.js';

/** The text of one recording. */
export function recording(name: string): string {
  return readFileSync(new URL(`../../../test/fixtures/opensvc-v2/${name}`, import.meta.url), 'utf8');
}

export interface RecordedRequest {
  readonly note: string;
  readonly request_bytes: string;
  readonly response?: unknown;
  readonly response_raw?: string;
}

/** Requests with their answers; entries that are no request are left out. */
export function recordedRequests(name: string): readonly RecordedRequest[] {
  const all = JSON.parse(recording(name)) as readonly Partial<RecordedRequest>[];
  return all.filter((each): each is RecordedRequest => each.request_bytes !== undefined);
}

export interface RecordedMessage {
  readonly kind: string;
  readonly id?: number;
  readonly data: unknown;
}

/** The stream messages of one recorded flow. */
export function recordedFlow(name: string): readonly RecordedMessage[] {
  return recording(name)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly msg?: RecordedMessage })
    .flatMap(({ msg }) => msg ?? []);
}

const REFS = `[DEFAULT]
nodes = n1
id = 03bc3a40-aa5b-46e6-a6ca-7f49c2917515

[env]
port = 1030
iface@n1 = 127.0.0.1
iface = 0.0.0.0
igw_gobtw_bind = 80/tcp-{env.iface}:{env.port}
igw_gobtw_target_lb = {nodename}
igw_gobtw_max_connections = 10
igw_gobtw_sni = {"hostname_matching_strategy": "exact"}
igw_gobtw_balance@n1 = roundrobin
igw_gobtw_balance = weight
bad = {env.nope}
math = $(1+2)
size = {svcname}/{namespace}/{clustername}/{dns}
`;

const file = (defaults: string, env: string, ip = ''): string =>
  `[DEFAULT]\n${defaults}\n${ip === '' ? '' : `\n[ip#0]\n${ip}\n`}\n[env]\n${env}\n`;

const ip = (address: string, expose: string): string =>
  `ipname = ${address}\nipdev = lo\nnetmask = 32\nexpose = ${expose}\ncheck_carrier = false`;

const RECORDED_FILES: Readonly<Record<string, string>> = {
  svc1: file('nodes = n1\nid = 22222222-2222-2222-2222-222222222222', 'igw_gobtw_bind = 8080/tcp'),
  'ns1/svc/web': file('nodes = n1\nid = 25df701f-9569-4d62-b885-556dd5f5069e', 'igw_gobtw_bind = 81/tcp'),
  refs: REFS,
  'ns1/svc/ipsvc': file(
    'nodes = n1\norchestrate = start\nid = 90084478-df42-42bb-a608-8986ff5b5589',
    'igw_gobtw_bind = 80/tcp-0.0.0.0:1040 9999/tcp',
    ip('10.11.12.13', '80/tcp 8443/tcp:443 53/udp 9999/tcp'),
  ),
  'ns1/svc/scaled': file('nodes = n1\ntopology = flex\nscale = 0', 'igw_gobtw_bind = 80/tcp'),
  'ns1/cfg/c1': file('id = 3ef42594-4f4b-4154-90d9-90fde2ada258', 'igw_gobtw_bind = 80/tcp'),
  'ns1/sec/s1': '[DEFAULT]\nid = e5ffd3d6-5025-4c17-970a-6086f5be7687\n',
  'system/usr/u1': '[DEFAULT]\nid = 3ef42594-4f4b-4154-90d9-90fde2ada259\n',
  'ns1/vol/v1': file('nodes = n1', 'igw_gobtw_bind = 80/tcp'),
  dis1: file('nodes = n1\ndisable = true', 'igw_gobtw_bind = 80/tcp'),
  n2only: file('nodes = n2', 'igw_gobtw_bind = 80/tcp'),
  rscaled: file(
    'nodes = n1\norchestrate = start\ntopology = flex\nscale = 2\nflex_target = 1\n' +
      'id = 06cc474c-66cf-4bc2-99f5-edc3f1d4d02a',
    'igw_gobtw_bind = 8080/tcp-0.0.0.0:1050',
    ip('10.11.12.20', '8080/tcp'),
  ),
};

/** Builds it. `without` leaves objects out, for flows that create them. */
export function recordedCluster(without: readonly string[] = []): SimCluster {
  const cluster = createCluster({
    name: 'clu1',
    nodes: ['n1'],
    dns: ['127.0.0.1'],
    id: '11111111-1111-1111-1111-111111111111',
    secret: '<CLUSTER_SECRET>',
  });
  for (const [path, text] of Object.entries(RECORDED_FILES)) {
    // the recorded agent held the file of n2only too, with an empty scope
    if (!without.includes(path)) cluster.create(path, text, path === 'n2only' ? { nodes: ['n1'] } : {});
  }
  return cluster;
}

/** A directory for one test's sockets, removed at its end. */
export function socketDirectory(t: { after(fn: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'sim-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
