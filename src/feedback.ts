/**
 * What GoBetween's answers mean for the rest: who holds which port now, which problem a service has, what to look at
 * again. Invariant: the arbiter's holders are what the ledger believes; every failed server has a problem until it works.
 */
import type { Outcome } from './gobetween/outcome.js';
import { formatListen } from './model/bind.js';
import type { Problem, ProblemCode } from './model/problem.js';
import type { Listen, ServerName } from './model/server.js';
import { displayPath, type ServiceKey } from './model/service.js';

export interface FailedServer {
  readonly name: ServerName;
  readonly key: ServiceKey;
  readonly listen: Listen;
  readonly outcome: Outcome;
  readonly detail: string;
  readonly retryInMs: number | null;
}

/** The problem that a refused server is to its owner; null where GoBetween itself is the trouble (SPEC §5, §7). */
export function serverProblem(failed: FailedServer): Problem | null {
  const where = formatListen(failed.listen.addr, failed.listen.port);
  const retry = failed.retryInMs === null ? '' : `; tried again in ${Math.ceil(failed.retryInMs / 1000)} s`;
  const problem = (code: ProblemCode, message: string, mend: string): Problem => ({
    code,
    severity: 'problem',
    key: failed.key,
    place: `server ${failed.name}`,
    message: `${message}${retry}`,
    keeps: `every other server of ${displayPath(failed.key)}`,
    mend,
  });
  switch (failed.outcome) {
    case 'port-busy':
      return problem(
        'port-busy',
        `${failed.listen.proto} ${where} is taken by a process that is not ours`,
        `end that process (ss -lntup | grep :${failed.listen.port}), or ask for another port`,
      );
    case 'no-address':
      return problem(
        'no-address',
        `this gateway has no address ${failed.listen.addr}`,
        `bring the address up on this gateway, or bind to one that it has (0.0.0.0 for all)`,
      );
    case 'denied':
      return problem(
        'port-denied',
        `GoBetween may not listen on ${where}: permission denied`,
        'give GoBetween CAP_NET_BIND_SERVICE, or lower net.ipv4.ip_unprivileged_port_start',
      );
    case 'no-files':
      return problem('refused', 'GoBetween is out of file descriptors', "raise GoBetween's limit of open files");
    case 'file-error':
      return problem(
        'file-error',
        'GoBetween cannot use a certificate, key or CA file of this service (the log says which)',
        'make the file readable by GoBetween, and correct',
      );
    case 'invalid':
    case 'exists':
    case 'closed':
      return problem('refused', `GoBetween refuses this server: ${failed.detail}`, 'report this: it should have been caught before');
    default:
      return null;
  }
}
