/** The shape of one setting: what the command line, the environment and README's table are made from (SPEC §10). */
import type { Parse } from './values.js';

export const groups = {
  cluster: 'The cluster and this gateway',
  gobetween: 'GoBetween',
  ports: 'Ports',
  pace: 'Pace',
  tenants: 'What services may ask for',
  outputs: 'Page, metrics, control and logs',
} as const;

export interface Setting<T> {
  /** Long flag without dashes; the variable is GOBTW_JANITOR_ and this in upper snake case. */
  readonly flag: string;
  readonly short?: string;
  /** Name of the argument in the help; null for a switch that takes none. */
  readonly argument: string | null;
  readonly group: keyof typeof groups;
  readonly fallback: T;
  /** The default as the help and the table show it. */
  readonly shown: string;
  readonly doc: string;
  readonly example: string;
  readonly parse: Parse<T>;
  /** Further variables, in the order in which they are looked at after our own. */
  readonly moreEnv?: readonly string[];
  /** May be given several times; the values are joined by blanks before they are parsed. */
  readonly repeatable?: true;
  /** A secret: no flag (others could read the command line), and no message repeats it. */
  readonly secret?: true;
}

export const setting = <const T>(row: Setting<T>): Setting<T> => row;

/** Widens the type of a parser whose setting may be absent. */
export const optional = <T>(parse: Parse<T>): Parse<T | null> => parse;

/** Our own variable first: `GOBTW_JANITOR_REQ_TIMEOUT` for `req-timeout`. */
export function variables(row: Setting<unknown>): readonly [string, ...string[]] {
  return [`GOBTW_JANITOR_${row.flag.toUpperCase().replaceAll('-', '_')}`, ...(row.moreEnv ?? [])];
}
