/**
 * The state as text: one JSON value a line, a head that says what it is, an end that says how much there was and its
 * digest. Invariant: all or nothing; a text that lost, gained or changed a byte anywhere is refused. It is a cache: what is
 * refused costs reads, so nothing here is repaired. Source: SPEC §6, DESIGN §5.5.
 */
import { createHash } from 'node:crypto';
import { fail, ok, type Result } from '../errors.js';
import type { Desired } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import type { ClaimRecord } from '../ports/claim.js';
import type { SavedConfig } from '../source/config-cache.js';

/** The ports that a service's words have, and the last servers that were wished for it. */
export interface SavedService {
  readonly key: ServiceKey;
  readonly claims: readonly ClaimRecord[];
  readonly servers: readonly Omit<Desired, 'key'>[];
}

export interface SavedState {
  /** The cluster's name: services and ports of another one mean nothing here. */
  readonly cluster: string;
  readonly services: readonly SavedService[];
  /** The one used last is the first. */
  readonly configs: readonly SavedConfig[];
}

/** @default 64 MiB: 20,000 services of 1.5 KiB with their servers, and some. */
export const MAX_STATE_BYTES = 64 * 1024 * 1024;
/** Of this layout. A text of another version is refused: nobody knows what it would mean. */
const VERSION = 1;
const FORMAT = 'gobtw-janitor state';
const END_BYTES = 200;
/** About a millisecond of parsing. */
const PARSED_AT_ONCE = 128 * 1024;

/** Its lines, each with its line end. What would exceed `maxBytes` is left out: the configs that were not used for longest. */
export function* encodeState(
  {
    cluster,
    services,
    configs,
  }: { readonly [K in keyof SavedState]: K extends 'cluster' ? string : Iterable<SavedState[K][number]> },
  maxBytes: number = MAX_STATE_BYTES,
): Generator<string> {
  const hash = createHash('sha256');
  let room = maxBytes - END_BYTES;
  let records = 0;
  for (const value of values(cluster, services, configs)) {
    const line = `${JSON.stringify(value)}\n`;
    room -= Buffer.byteLength(line);
    if (room < 0) break;
    hash.update(line);
    records += 1;
    yield line;
  }
  yield `${JSON.stringify({ records, sha256: hash.digest('hex') })}\n`;
}

function* values(
  cluster: string,
  services: Iterable<SavedService>,
  configs: Iterable<SavedConfig>,
): Generator<object> {
  yield { format: FORMAT, version: VERSION, cluster };
  for (const { key, claims, servers } of services) yield { service: key, claims, servers };
  for (const { name, raw, needsEvaluation, loop } of configs)
    yield { config: name, raw, needsEvaluation, loop };
}

/**
 * What the text says, or why it is none of ours: `state-corrupt` (cut, changed) or `state-foreign` (another format or
 * version). `pause` is awaited about once a millisecond of work.
 */
export async function decodeState(
  bytes: Uint8Array,
  pause: () => Promise<void>,
): Promise<Result<SavedState>> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (text.at(-1) !== 0x0a) return corrupt('it does not end with a line end');
  const endAt = text.lastIndexOf(0x0a, text.length - 2) + 1;
  const head = parseLine(text, 0, text.indexOf(0x0a));
  if (head?.['format'] !== FORMAT) return foreign('it is no state of this program');
  if (head['version'] !== VERSION)
    return foreign(`it is of version ${JSON.stringify(head['version'])}, and this one reads ${VERSION}`);
  const end = parseLine(text, endAt, text.length - 1);
  const sha256 = await digestOf(text.subarray(0, endAt), pause);
  if (end?.['sha256'] !== sha256) return corrupt('its digest is another');
  return decodeRecords(text.subarray(0, endAt), head, end['records'], pause);
}

async function digestOf(bytes: Buffer, pause: () => Promise<void>): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += 4 * PARSED_AT_ONCE) {
    hash.update(bytes.subarray(at, at + 4 * PARSED_AT_ONCE));
    await pause();
  }
  return hash.digest('hex');
}

type Fields = Readonly<Record<string, unknown>>;

/** The digest was right, so a record that is wrong was written so: by a bug, or with intent. */
async function decodeRecords(
  text: Buffer,
  { cluster }: Fields,
  records: unknown,
  pause: () => Promise<void>,
): Promise<Result<SavedState>> {
  if (typeof cluster !== 'string') return corrupt('it does not say of which cluster it is');
  const services: SavedService[] = [];
  const configs: SavedConfig[] = [];
  let count = 1;
  let pausedAt = 0;
  for (let at = text.indexOf(0x0a) + 1; at < text.length; count += 1) {
    const end = text.indexOf(0x0a, at);
    const line = parseLine(text, at, end);
    const service = line === undefined ? undefined : asService(line);
    const config = line === undefined ? undefined : asConfig(line);
    if (service !== undefined) services.push(service);
    else if (config !== undefined) configs.push(config);
    else return corrupt(`its line ${count + 1} holds neither a service nor a config`);
    at = end + 1;
    if (at - pausedAt < PARSED_AT_ONCE) continue;
    pausedAt = at;
    await pause();
  }
  if (count !== records) return corrupt(`it holds ${count} records, and says ${JSON.stringify(records)}`);
  return ok({ cluster, services, configs });
}

function parseLine(text: Buffer, from: number, to: number): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text.toString('utf8', from, to));
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => typeof value === 'number' && value >= 0;

function asConfig({ config: name, raw, needsEvaluation, loop }: Fields): SavedConfig | undefined {
  if (!isText(name) || !isText(raw) || typeof needsEvaluation !== 'boolean') return undefined;
  return isText(loop) || loop === null ? { name, raw, needsEvaluation, loop } : undefined;
}

function asService({ service: key, claims, servers }: Fields): SavedService | undefined {
  if (!isText(key) || !Array.isArray(claims) || !Array.isArray(servers)) return undefined;
  if (!claims.every(isClaim) || !servers.every(isServer)) return undefined;
  return { key: key as ServiceKey, claims, servers };
}

function isClaim(value: unknown): value is ClaimRecord {
  if (!isFields(value)) return false;
  const { label, addr, port, since } = value;
  return isPlace(value) && isText(addr) && isCount(label) && isCount(port) && isCount(since);
}

function isServer(value: unknown): value is Omit<Desired, 'key'> {
  if (!isFields(value) || !isFields(value['listen'])) return false;
  const { name, listen, digest, body, lookupServer } = value;
  const texts = [name, digest, body, lookupServer, listen['addr']];
  return texts.every(isText) && isPlace(listen) && isCount(listen['port']);
}

const isPlace = ({ proto }: Fields): boolean => proto === 'tcp' || proto === 'udp';

export const corrupt = (why: string) => fail({ code: 'state-corrupt', retry: 'no', message: why });
const foreign = (why: string) => fail({ code: 'state-foreign', retry: 'no', message: why });
