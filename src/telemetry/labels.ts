/**
 * Every label value that our metrics can have, as exhaustive lists: each series exists from the first scrape, so that
 * dashboards and alerts never see "no data". Invariant: no list depends on the number of services.
 */
import type { ProblemCode } from '../model/problem.js';
import type { L4 } from '../model/server.js';
import type { Change, ChangeReason } from '../plan/change.js';

export type QueueName = 'reads' | 'reconcile';
export const queueNames = ['reads', 'reconcile'] as const satisfies readonly QueueName[];

export const eventKinds = ['config', 'membership', 'deleting', 'other'] as const;
export type EventKind = (typeof eventKinds)[number];
export const eventOutcomes = ['queued', 'coalesced', 'irrelevant'] as const;
export type EventOutcome = (typeof eventOutcomes)[number];

export const gapReasons = [
  'disconnected',
  'restarted',
  'cut-frame',
  'over-cap',
  'not-json',
  'id-gap',
  'silent',
  'refused',
  'other',
] as const;
export const agentActions = ['whoami', 'daemon_status', 'object_config', 'object_action'] as const;
export type AgentAction = (typeof agentActions)[number];
/** `ok`, or the failure's code without its `agent-`. */
export const agentOutcomes = [
  'ok',
  'error',
  'unknown-object',
  'unreachable',
  'closed',
  'timeout',
  'too-large',
  'not-json',
  'not-status',
  'not-config',
  'other',
] as const;

export const phases = ['compile', 'arbitrate', 'render', 'plan'] as const;
export type RoundPhase = (typeof phases)[number];

export const changeResults = ['applied', 'failed', 'suppressed'] as const;
/** suppressed: the policy forbids it. */
export type ChangeResult = (typeof changeResults)[number];

/** The kinds of change that each reason can have; whether a wish creates or replaces is seen when it is carried out. */
export const kindsOfReason = {
  new: ['create', 'replace'],
  edited: ['create', 'replace', 'delete'],
  restart: ['create', 'replace'],
  drift: ['create', 'replace'],
  dns: ['create', 'replace'],
  setting: ['create', 'replace'],
  'word-removed': ['delete'],
  'target-elsewhere': ['delete'],
  slave: ['delete'],
  announced: ['delete'],
  absent: ['delete'],
  extra: ['delete'],
  historical: ['create', 'replace', 'delete'],
  adopted: ['adopt'],
  'stale-default': ['adopt', 'create', 'replace'],
} as const satisfies Record<ChangeReason, readonly Change['kind'][]>;

export const driftKinds = ['missing', 'mutated', 'extra'] as const;
export type DriftKind = (typeof driftKinds)[number];
export const protocols = ['tcp', 'udp'] as const satisfies readonly L4[];
export const portStates = ['free', 'used', 'reserved', 'quarantined'] as const;
export type PortState = (typeof portStates)[number];
export const serverStates = ['in-sync', 'pending', 'held', 'invalid', 'foreign', 'stale-default'] as const;
export type ServerState = (typeof serverStates)[number];
/** Where a config that was wanted came from. */
export const readOrigins = ['agent', 'cache'] as const;
export type ReadOrigin = (typeof readOrigins)[number];
export const writeBackResults = ['written', 'skipped', 'failed', 'reverted'] as const;
/** skipped: the value needs no write any more, for instance because another gateway wrote it. */
export type WriteBackResult = (typeof writeBackResults)[number];

export type ApiOp = 'status' | 'list' | 'create' | 'remove' | 'get' | 'stats';
const everyOp: readonly ApiOp[] = ['status', 'list', 'create', 'remove', 'get', 'stats'];
const reads: readonly ApiOp[] = ['status', 'list', 'get', 'stats'];

/** The requests that can come to each outcome; the outcomes are those of gobetween/outcome.ts (a test compares them). */
export const opsOfOutcome = {
  ok: everyOp,
  exists: ['create'],
  'port-busy': ['create'],
  'no-address': ['create'],
  denied: ['create'],
  'no-files': ['create'],
  'file-error': ['create'],
  invalid: everyOp,
  closed: everyOp,
  unreachable: everyOp,
  timeout: everyOp,
  unauthorized: everyOp,
  'too-large': reads,
  forbidden: ['create', 'remove'],
} as const satisfies Record<string, readonly ApiOp[]>;
export type ApiOutcome = keyof typeof opsOfOutcome;

const everyCode = {
  'bad-word': true,
  'too-many-words': true,
  'duplicate-word': true,
  'bad-keyword': true,
  'bad-section': true,
  'unknown-keyword': true,
  'unresolved-reference': true,
  'reference-loop': true,
  'not-exposed': true,
  'hc-timeout': true,
  'discovery-once': true,
  'forced-default': true,
  'lookup-host-name': true,
  'target-unknown': true,
  'not-allowed': true,
  'name-unusable': true,
  'port-conflict': true,
  'port-reserved': true,
  'port-busy': true,
  'port-denied': true,
  'port-exhausted': true,
  'no-address': true,
  'not-written-back': true,
  'write-back-reverted': true,
  'write-back-failed': true,
  refused: true,
  'stale-default': true,
  flapping: true,
  'file-error': true,
  'no-dns': true,
  'config-unreadable': true,
  'identity-unknown': true,
  'list-shrunk': true,
  'stale-mount': true,
  fighting: true,
  'control-unavailable': true,
  'state-unavailable': true,
  'internal-error': true,
} as const satisfies Record<ProblemCode, true>;
export const problemCodes = Object.keys(everyCode) as readonly ProblemCode[];

/** The value itself when the list has it, else `other`: text from elsewhere must not make new series. */
export function bounded<const L extends readonly string[]>(list: L, value: string): L[number] | 'other' {
  return list.find((known) => known === value) ?? 'other';
}
