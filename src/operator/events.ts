/** What happened, as an event of the history: changes of servers and transitions of problems, one line each. */
import { displayPath } from '../model/service.js';
import type { Problem } from '../model/problem.js';
import type { EventKind, HistoryEvent } from './history.js';

type Noted = Omit<HistoryEvent, 'id' | 'at'>;

interface ChangeLine {
  readonly kind: Exclude<EventKind, 'raised' | 'mended' | 'order'>;
  /** The server, or the service whose port was written back. */
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const verbs: Readonly<Record<ChangeLine['kind'], string>> = {
  create: 'created',
  replace: 'replaced',
  delete: 'deleted',
  adopt: 'adopted as it is',
  refuse: 'not taken by GoBetween',
  'write-back': 'port written back',
};

export function changeEvent({ kind, name, fields }: ChangeLine): Noted {
  const { service, reason, listen, outcome, detail, bind } = fields;
  const isServer = kind !== 'write-back';
  const says = (before: string, value: unknown, after = ''): string =>
    typeof value === 'string' && value !== '' ? `${before}${value}${after}` : '';
  const text = [
    isServer ? `${name} ${verbs[kind]}` : verbs[kind],
    says(' on ', listen),
    says(' (', reason, ')'),
    says(' (', outcome, ')'),
    says(': ', detail),
    says(': igw_gobtw_bind = ', bind),
  ].join('');
  const owner = typeof service === 'string' && service !== '' ? service : null;
  return { kind, service: owner, server: isServer ? name : null, text };
}

export function problemEvent(transition: 'raised' | 'cleared', problem: Problem): Noted {
  const { key, code, place, message } = problem;
  const what = place === '' ? code : `${place}: ${code}`;
  return {
    kind: transition === 'raised' ? 'raised' : 'mended',
    service: key === null ? null : displayPath(key),
    server: null,
    text: transition === 'raised' ? `${what}: ${message}` : `${what} is over`,
  };
}
