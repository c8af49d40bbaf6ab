/**
 * THE table of messages: what each code means and how it is mended in general; each message says the particulars. The page
 * of codes in README and `explain <code>` are made from it. Invariant: every code has a row.
 */
import type { ProblemCode } from './problem.js';

export interface ProblemDoc {
  /** Where the code comes from, for the order of the page. */
  readonly about: 'keywords' | 'ports' | 'servers' | 'cluster' | 'janitor';
  /** Who has to act. */
  readonly who: 'service' | 'gateway' | 'nobody';
  /** One sentence. */
  readonly means: string;
  /** An imperative. */
  readonly mend: string;
}

const row = (
  about: ProblemDoc['about'],
  who: ProblemDoc['who'],
  means: string,
  mend: string,
): ProblemDoc => ({
  ...{ about, who, means, mend },
});

export const problemDocs: Readonly<Record<ProblemCode, ProblemDoc>> = {
  'bad-word': row(
    'keywords',
    'service',
    'A word of igw_gobtw_bind cannot be read. The other words are served, and nothing of the service is deleted meanwhile.',
    'Write <port>[/<proto>][-[<addr>][:[<port or *>]]], for example 443/tcp-:8443.',
  ),
  'too-many-words': row(
    'keywords',
    'service',
    'igw_gobtw_bind has more than 64 words; the rest is not read.',
    'Split the service, or remove words.',
  ),
  'duplicate-word': row(
    'keywords',
    'service',
    'The same word stands twice; it counts once.',
    'Remove one of them.',
  ),
  'bad-keyword': row(
    'keywords',
    'service',
    'The value of a keyword cannot be used. The service keeps its last good servers.',
    'Correct the value; the message shows what is accepted.',
  ),
  'bad-section': row(
    'keywords',
    'service',
    'A keyword that holds a section (tls, access, sni, …) has a wrong shape. The service keeps its last good servers.',
    'Write it as JSON or as key=value pairs; the message shows the right line.',
  ),
  'unknown-keyword': row(
    'keywords',
    'service',
    'A key begins with igw_gobtw_ and is no keyword; it has no effect.',
    'Correct its name; the message says the nearest known one.',
  ),
  'unresolved-reference': row(
    'keywords',
    'service',
    'A value refers to something that did not resolve. The service keeps its last good servers.',
    'Correct the reference, or set what it refers to.',
  ),
  'reference-loop': row(
    'keywords',
    'service',
    'References go round in a circle. It is never sent to the agent, which would not survive it.',
    'Break the circle that the message shows.',
  ),
  'not-exposed': row(
    'keywords',
    'service',
    'No expose line publishes that port, so the DNS has no record and GoBetween finds no backend. It is served all the same.',
    'Write the expose line that the message shows, or the other number.',
  ),
  'hc-timeout': row(
    'keywords',
    'service',
    'The time-out of the health check is not below its interval, or is 0.',
    'Make the time-out smaller than the interval.',
  ),
  'discovery-once': row(
    'keywords',
    'service',
    'With an interval of 0 GoBetween resolves once and never again.',
    'Write 5s, or remove the keyword.',
  ),
  'forced-default': row(
    'keywords',
    'service',
    'Another value than the written one is used, because GoBetween would refuse or replace it.',
    'Write the value that the message says.',
  ),
  'lookup-host-name': row(
    'keywords',
    'service',
    'The look-up server is a host name: GoBetween needs another resolver to find it.',
    'Write ip:port.',
  ),
  'target-unknown': row(
    'keywords',
    'service',
    'igw_gobtw_target_lb names something that is no node and no service of the cluster: perhaps a typing error.',
    'Correct the name, or start the gateway with --gateway NAME.',
  ),
  'not-allowed': row(
    'keywords',
    'service',
    'The value asks for something that this gateway does not allow to services (exec health checks, ACME, files outside --tls-dir).',
    'Change the value, or ask the operator of the gateway.',
  ),
  'name-unusable': row(
    'keywords',
    'service',
    'The path of the service cannot be part of a DNS name, so no record and no server can be named after it.',
    'Rename the service.',
  ),
  'port-conflict': row(
    'ports',
    'service',
    'Another service of this gateway has the same port and address. Who has a port keeps it; the other waits.',
    'Keep one of them: another port, an allocated one, or remove the word.',
  ),
  'port-reserved': row(
    'ports',
    'service',
    'The port belongs to the gateway itself, or to --reserve.',
    'Ask for another port, or for an allocated one.',
  ),
  'port-busy': row(
    'ports',
    'gateway',
    'A process or a server that is not ours listens on the port. It is tried again every 2 s.',
    'End that process (ss -lntup), or ask for another port.',
  ),
  'port-denied': row(
    'ports',
    'gateway',
    'GoBetween may not listen on the port: permission denied.',
    'Give GoBetween CAP_NET_BIND_SERVICE, or lower net.ipv4.ip_unprivileged_port_start.',
  ),
  'port-exhausted': row(
    'ports',
    'gateway',
    'No port of --port-range is left for an allocated word.',
    'Widen --port-range, or remove exposures that nobody uses.',
  ),
  'no-address': row(
    'ports',
    'gateway',
    'The gateway does not have the address that the word names, or not yet. It is tried again.',
    'Bring the address up on this gateway, or bind to one that it has.',
  ),
  'not-written-back': row(
    'ports',
    'nobody',
    'The allocated port is not written into the config, because the value comes from a reference or a scope, or --write-back is off. It is kept in --state-dir.',
    'Write the port by hand where the value comes from, if it shall survive the loss of the state.',
  ),
  'write-back-reverted': row(
    'ports',
    'service',
    'Somebody keeps undoing the port that is written back; writing stops for an hour.',
    'Find who rewrites the config (version control?), or run with --write-back off.',
  ),
  'write-back-failed': row(
    'ports',
    'gateway',
    'The agent does not take the port that is written back. The listener works all the same.',
    'Look at the log of the agent; it is tried again.',
  ),
  refused: row(
    'servers',
    'gateway',
    'GoBetween refuses the server.',
    'Read the message of GoBetween in the log; if it is about the content, report it: it should have been caught before.',
  ),
  'stale-default': row(
    'servers',
    'nobody',
    'The server was made by an earlier version with other defaults and is left as it is, so that an upgrade drops no connection.',
    'Replace it when it suits: gobtw-janitor apply --refresh.',
  ),
  flapping: row(
    'servers',
    'service',
    'The server is changed again and again. Each change drops its connections, so the next one waits.',
    'Find who keeps editing the service.',
  ),
  'file-error': row(
    'servers',
    'service',
    'GoBetween cannot use a certificate, key or CA file of the service; the log says which.',
    'Make the file readable by GoBetween, and correct.',
  ),
  'no-dns': row(
    'servers',
    'gateway',
    'The cluster has no DNS server to ask, so no new server can find its backends. Existing ones stay.',
    "Set the cluster's dns keyword, or igw_gobtw_discovery_srv_lookup_server.",
  ),
  'config-unreadable': row(
    'cluster',
    'service',
    'The config of the service cannot be read. It keeps what it has.',
    'Look at the file: om <service> print config.',
  ),
  'identity-unknown': row(
    'cluster',
    'gateway',
    'The janitor does not know which node it is, so it cannot tell who names this gateway. Nothing is deleted.',
    'Say --hostname, or mend the agent.',
  ),
  'list-shrunk': row(
    'cluster',
    'gateway',
    'The agent lists less than half of the services that were known. Nothing is deleted for their absence meanwhile.',
    'Look at the cluster; if they were really deleted: gobtw-janitor confirm-deletes.',
  ),
  'stale-mount': row(
    'cluster',
    'gateway',
    "The directory of the agent's socket was deleted on the host; the mount shows a ghost.",
    'Restart the container of the janitor, and mount the parent directory.',
  ),
  fighting: row(
    'cluster',
    'gateway',
    'Somebody else keeps changing the same server: perhaps a second janitor. It is left alone for a while.',
    'Stop the other one.',
  ),
  'control-unavailable': row(
    'janitor',
    'gateway',
    'The control socket cannot be made, or another living process has it. Everything else works.',
    'Say another --control, or stop the other process.',
  ),
  'state-unavailable': row(
    'janitor',
    'gateway',
    'The file of --state-dir cannot be read or written. The next start is cold.',
    'Mend the directory: it must be writable by the janitor.',
  ),
  'internal-error': row(
    'janitor',
    'gateway',
    'A bug of the janitor. The service keeps what it has, and it is tried again.',
    'Report it with the output of gobtw-janitor support-bundle.',
  ),
};
