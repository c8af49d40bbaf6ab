/**
 * Which of the cluster's DNS servers new GoBetween servers look up, and whether one that is in use may stay (SPEC §6). The
 * choice is sticky, for changing it replaces servers. Invariants: a current server is given up only when it left the list, or
 * was down for `downMs` while another answered all along; when none answers every one is kept; each (port, protocol) in use is
 * judged for itself.
 */
import type { Cancel, Clock } from '../clock.js';
import type { DnsProbe } from './dns-probe.js';
import type { DnsProtocol } from './dns-question.js';

export interface DnsChoice {
  /** The cluster's zone and DNS list, whenever they change. */
  setCluster(zone: string, ips: readonly string[]): void;
  /** The server for new records; the first of the list until a probe says otherwise; null when the list is empty. */
  preferred(port: number, protocol: DnsProtocol): string | null;
  /** Whether a GoBetween server that looks up at `ip` may keep it. An empty list accepts every address: keep. */
  acceptable(ip: string, port: number, protocol: DnsProtocol): boolean;
  /** Every server that is asked for was probed: what is preferred is no guess any more. */
  probed(): boolean;
  /** What the last probes said, for the status page. */
  report(): readonly DnsReport[];
  stop(): void;
}

export interface DnsReport {
  readonly ip: string;
  readonly port: number;
  readonly protocol: DnsProtocol;
  readonly preferred: boolean;
  readonly acceptable: boolean;
  /** null: not probed yet. */
  readonly answers: boolean | null;
  readonly why: string;
}

export interface DnsChoiceOptions {
  readonly clock: Clock;
  readonly probe: DnsProbe;
  /** Preferred or acceptable answers may differ from before. */
  readonly onChange: () => void;
  /** A round of probes ended. */
  readonly onProbed?: () => void;
  /** @default 10_000 */
  readonly paceMs?: number;
  /** @default 60_000 */
  readonly downMs?: number;
}

interface Server {
  answers: boolean | null;
  why: string;
  /** Since when it has been down while another answered; null when that does not hold. */
  downSince: number | null;
  givenUp: boolean;
}

interface Group {
  readonly port: number;
  readonly protocol: DnsProtocol;
  readonly servers: Map<string, Server>;
  preferred: string | null;
  /** Somebody keeps a server only because none answers: to be told when one does. */
  waived: boolean;
}

/** Groups come from services' keywords: bounded, lest a tenant makes the gateway probe the world. */
const MAX_GROUPS = 64;

const nameOf = (port: number, protocol: DnsProtocol): string => `${protocol} ${port}`;
const blank = (): Server => ({ answers: null, why: 'not probed yet', downSince: null, givenUp: false });

export function createDnsChoice(options: DnsChoiceOptions): DnsChoice {
  const { clock, probe, onChange, paceMs = 10_000, downMs = 60_000 } = options;
  const groups = new Map<string, Group>();
  let zone = '';
  let ips: readonly string[] = [];
  let cancel: Cancel | undefined;
  /** Of the last round; a long pause before the next one proves nothing about any server. */
  let judgedAt: number | null = null;
  let running = false;
  let again = false;
  let stopped = false;

  function groupOf(port: number, protocol: DnsProtocol): Group {
    const name = nameOf(port, protocol);
    let group = groups.get(name);
    if (group === undefined) {
      group = { port, protocol, servers: new Map(), preferred: null, waived: false };
      align(group);
      if (groups.size < MAX_GROUPS) {
        groups.set(name, group);
        probeSoon();
      }
    }
    return group;
  }

  /** Makes the group's servers the cluster's list. */
  function align(group: Group): void {
    for (const ip of group.servers.keys()) if (!ips.includes(ip)) group.servers.delete(ip);
    for (const ip of ips) if (!group.servers.has(ip)) group.servers.set(ip, blank());
    choose(group);
  }

  /** Sticky while it answers, or while nothing does; no server is replaced for a choice, only for one given up. */
  function choose(group: Group): void {
    const present = group.preferred === null ? undefined : group.servers.get(group.preferred);
    if (present !== undefined && present.answers !== false) return;
    const answering = ips.find((ip) => group.servers.get(ip)?.answers === true);
    if (answering !== undefined) group.preferred = answering;
    else if (present === undefined) group.preferred = ips[0] ?? null;
  }

  const someAnswer = (group: Group): boolean =>
    [...group.servers.values()].some(({ answers }) => answers === true);

  function probeSoon(): void {
    if (stopped) return;
    if (running) again = true;
    else {
      cancel?.();
      cancel = clock.after(0, () => void round());
    }
  }

  async function round(): Promise<void> {
    running = true;
    again = false;
    const asked = [...groups.values()].flatMap((group) =>
      [...group.servers.keys()].map((ip) => ({ group, ip })),
    );
    const before = fingerprint();
    if (zone !== '') {
      const verdicts = await Promise.all(
        asked.map(({ group: { port, protocol }, ip }) => probe({ ip, port, protocol, zone })),
      );
      if (stopped) return;
      for (const [i, { group, ip }] of asked.entries()) {
        const server = group.servers.get(ip);
        const verdict = verdicts[i];
        if (server === undefined || verdict === undefined) continue;
        server.answers = verdict.answers;
        server.why = verdict.answers ? '' : verdict.why;
      }
      for (const group of groups.values()) judge(group);
      judgedAt = clock.now();
    }
    running = false;
    const ended = [...groups.values()].filter((group) => group.waived && someAnswer(group));
    for (const group of ended) group.waived = false;
    if (ended.length > 0 || fingerprint() !== before) onChange();
    options.onProbed?.();
    cancel = clock.after(again ? 0 : paceMs, () => void round());
  }

  function judge(group: Group): void {
    const now = clock.now();
    const watched = judgedAt !== null && now - judgedAt <= 3 * paceMs;
    const another = someAnswer(group);
    for (const server of group.servers.values()) {
      if (server.answers === true) {
        server.downSince = null;
        server.givenUp = false;
      } else if (!another) server.downSince = null;
      else if (server.answers === false) {
        if (!watched || server.downSince === null) server.downSince = now;
        if (now - server.downSince >= downMs) server.givenUp = true;
      }
    }
    choose(group);
  }

  const fingerprint = (): string =>
    JSON.stringify(
      [...groups.values()].map(({ preferred, servers }) => [
        preferred,
        [...servers].map(([ip, { givenUp }]) => [ip, givenUp]),
      ]),
    );

  return {
    setCluster(newZone, newIps) {
      if (newZone === zone && newIps.length === ips.length && newIps.every((ip, i) => ip === ips[i])) return;
      zone = newZone;
      ips = [...new Set(newIps)];
      for (const group of groups.values()) align(group);
      if (groups.size > 0) probeSoon();
      onChange();
    },
    preferred: (port, protocol) => groupOf(port, protocol).preferred,
    acceptable(ip, port, protocol) {
      if (ips.length === 0) return true;
      const group = groupOf(port, protocol);
      const server = group.servers.get(ip);
      if (server !== undefined && !server.givenUp) return true;
      // A group that is not probed can tell of no answer, and must not wait for one.
      const isProbed = groups.get(nameOf(port, protocol)) === group;
      if (!isProbed || someAnswer(group)) return false;
      group.waived = true;
      return true;
    },
    probed: () =>
      zone === '' ||
      [...groups.values()].every(({ servers }) =>
        [...servers.values()].every(({ answers }) => answers !== null),
      ),
    report: () =>
      [...groups.values()].flatMap(({ port, protocol, preferred, servers }) =>
        [...servers].map(([ip, { answers, why, givenUp }]) => ({
          ip,
          port,
          protocol,
          preferred: ip === preferred,
          acceptable: !givenUp,
          answers,
          why,
        })),
      ),
    stop() {
      stopped = true;
      cancel?.();
    },
  };
}
