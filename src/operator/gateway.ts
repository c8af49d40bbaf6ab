/**
 * The gateway as a whole, in one line and in figures: is it in sync, how late is it, who must act. Pure. Invariant: the line
 * names the first thing that an operator should look at, and never says `in sync` while something is owed or held back.
 */
import type { ProblemCode } from '../model/problem.js';
import type { OrdersInForce } from './orders.js';

/** in-sync: nothing to do for anybody. syncing: wait. attention: services need their owners. held: by an operator. */
export type GatewayHealth = 'in-sync' | 'syncing' | 'attention' | 'held' | 'agent-down' | 'gobetween-down';

export interface Peer {
  readonly up: boolean;
  /** One sentence without its full stop: why it is not; empty when it is. */
  readonly why: string;
}

export interface Progress {
  readonly services: { readonly read: number; readonly listed: number };
  readonly servers: { readonly done: number; readonly due: number };
  /** null: not known yet. */
  readonly secondsLeft: number | null;
}

export interface GatewayFigures {
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Empty until the cluster's list was read. */
  readonly cluster: string;
  /** The agent's name of this node; null: not known. */
  readonly node: string | null;
  /** What services may name to be served here. */
  readonly names: readonly string[];
  readonly agent: Peer;
  readonly gobetween: Peer & { readonly url: string };
  readonly orders: OrdersInForce;
  /** The first plan was made. */
  readonly planned: boolean;
  /** Of the first sync; null once it is over. */
  readonly progress: Progress | null;
  /** Ours, believed to be in GoBetween; differing from what they shall be; not ours. */
  readonly servers: { readonly present: number; readonly pending: number; readonly foreign: number };
  readonly oldestUnservedSeconds: number;
  /** Open problems and warnings by code. */
  readonly problems: Readonly<Partial<Record<ProblemCode, number>>>;
  /** Of them, those that keep a word from being served. */
  readonly unserved: number;
}

/** The answer of `/api/v1/gateway`. */
export interface GatewayView extends GatewayFigures {
  readonly health: GatewayHealth;
  readonly line: string;
}

export function viewGateway(figures: GatewayFigures): GatewayView {
  return { ...judge(figures), ...figures };
}

function judge(figures: GatewayFigures): { health: GatewayHealth; line: string } {
  const { gobetween, agent, servers, orders, progress } = figures;
  if (!gobetween.up) {
    return { health: 'gobetween-down', line: gobetween.why };
  }
  if (!agent.up) {
    const stay = `${count(servers.present, 'server')} ${servers.present === 1 ? 'stays as it is' : 'stay as they are'}`;
    return { health: 'agent-down', line: `${agent.why}; ${stay}` };
  }
  if (!figures.planned || progress !== null) return { health: 'syncing', line: progressLine(progress) };
  const held = heldLine(orders);
  if (held !== null) return { health: 'held', line: `${held}; ${pendingLine(figures)}` };
  if (servers.pending > 0) return { health: 'syncing', line: pendingLine(figures) };
  if (figures.unserved > 0) {
    const words = `${count(figures.unserved, 'problem')} ${figures.unserved === 1 ? 'keeps a word' : 'keep words'} from being served`;
    return { health: 'attention', line: `in sync, ${count(servers.present, 'server')}; ${words}` };
  }
  return { health: 'in-sync', line: `in sync, ${count(servers.present, 'server')}` };
}

function progressLine(progress: Progress | null): string {
  if (progress === null) return 'first sync: waiting for the list of services and of servers';
  const { services, servers, secondsLeft } = progress;
  const left = secondsLeft === null ? '' : `, about ${secondsLeft} s left`;
  return `first sync: ${services.read} of ${count(services.listed, 'service')} read, ${servers.done} of ${count(servers.due, 'server')} pushed${left}`;
}

function heldLine({ pauses, policy }: OrdersInForce): string | null {
  const all = pauses.find(({ service }) => service === null);
  if (all !== undefined) return `everything is paused until ${all.until}`;
  if (policy === 'observe') return 'policy observe: nothing is changed';
  if (pauses.length === 0) return null;
  const [first] = pauses;
  return pauses.length === 1 && first?.service != null
    ? `${first.service} is paused until ${first.until}`
    : `${pauses.length} services are paused`;
}

function pendingLine({ servers, oldestUnservedSeconds }: GatewayFigures): string {
  if (servers.pending === 0) return `nothing is owed, ${count(servers.present, 'server')}`;
  const age = oldestUnservedSeconds > 0 ? `, the oldest for ${oldestUnservedSeconds.toFixed(1)} s` : '';
  return `${count(servers.pending, 'change')} on the way${age}`;
}

const count = (amount: number, what: string): string => `${amount} ${what}${amount === 1 ? '' : 's'}`;
