/**
 * What the tests against real systems need, and which of it this machine lacks. Invariant: they run whole or are skipped with
 * a line that names what to set; half a chain proves nothing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The command before a command that gives it network, host name and mounts of its own. */
export const isolated = ['unshare', '--net', '--uts', '--mount'] as const;

export interface RealParts {
  /** Checkout of a v2.1 agent. */
  readonly agentSource: string;
  /** A Python that this agent runs on (3.8). */
  readonly python: string;
  readonly gobetween: string;
  /** PowerDNS with its remote backend; null: the DNS stand-in, fed from the agent's status. */
  readonly pdns: string | null;
}

const variables = [
  ['OPENSVC_V2_SRC', 'a checkout of an OpenSVC v2.1 agent', 'opensvc/__main__.py'],
  ['OPENSVC_PYTHON', 'a Python 3.8', ''],
  ['GOBETWEEN_BIN', 'a GoBetween binary', ''],
] as const;

/** The parts, or why there are none. */
export function findRealParts(env: NodeJS.ProcessEnv = process.env): RealParts | string {
  const wrong: string[] = [];
  for (const [name, meaning, file] of variables) {
    const value = env[name] ?? '';
    if (value === '') wrong.push(`set ${name} to ${meaning}`);
    else if (!existsSync(join(value, file))) wrong.push(`${name}=${value} is not ${meaning}`);
  }
  if (process.getuid?.() !== 0) wrong.push('be root');
  else if (!canIsolate()) {
    wrong.push('allow network, host name and mount namespaces (unshare)');
  }
  if (wrong.length > 0) return `to run it: ${wrong.join('; ')}`;
  return {
    agentSource: env['OPENSVC_V2_SRC'] ?? '',
    python: env['OPENSVC_PYTHON'] ?? '',
    gobetween: env['GOBETWEEN_BIN'] ?? '',
    pdns: findPdns(env),
  };
}

function canIsolate(): boolean {
  const [command, ...flags] = isolated;
  return spawnSync(command, [...flags, 'true']).status === 0;
}

function findPdns(env: NodeJS.ProcessEnv): string | null {
  const given = env['PDNS_BIN'] ?? '';
  if (given === 'none') return null;
  const places = (env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, 'pdns_server'));
  return [...(given === '' ? [] : [given]), ...places].find((path) => existsSync(path)) ?? null;
}
