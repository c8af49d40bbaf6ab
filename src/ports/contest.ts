/**
 * Who gets a port that several want: a total order, then first come. Pure, and independent of the order of its input.
 *
 *     own     its server listens there, for this very word       recorded  the state says it had it
 *     foreign somebody else's server in GoBetween                related   same service, same port: a word was edited
 *     kept    a server of a service whose words are unknown      new       none of these
 *     granted it has it by our last decision                     yielding  a guess that another gateway's write overtook
 *
 * Then the oldest, then explicit before allocated, then the smaller path (SPEC §5).
 */
import type { Listen } from '../model/server.js';
import type { ServiceKey } from '../model/service.js';
import { conflicts } from '../model/bind.js';
import type { Standing } from './slots.js';

export const RIGHTS = [
  'own',
  'foreign',
  'kept',
  'granted',
  'recorded',
  'related',
  'new',
  'yielding',
] as const;
export type Right = (typeof RIGHTS)[number];

export interface Contestant {
  readonly right: Right;
  /** null: a server without a claim stands for itself. */
  readonly standing: Standing | null;
  readonly key: ServiceKey | null;
  readonly listen: Listen;
  readonly since: number;
  readonly explicit: boolean;
  /** The claim's id, or the server's name. */
  readonly id: string;
}

export interface Verdict {
  readonly contestant: Contestant;
  /** null: it won. */
  readonly beatenBy: Contestant | null;
}

/** One verdict each, winners before those they beat. A foreign server is a fact, whatever else is said to be there. */
export function contest(contestants: readonly Contestant[]): readonly Verdict[] {
  const winners: Contestant[] = [];
  return [...contestants].sort(byRight).map((contestant) => {
    const rival = winners.find((winner) => excludes(winner, contestant));
    const beatenBy = contestant.right === 'foreign' ? null : (rival ?? null);
    if (beatenBy === null) winners.push(contestant);
    return { contestant, beatenBy };
  });
}

/** A kept server gives way to its own service's words: they say what is wanted of it. */
function excludes(a: Contestant, b: Contestant): boolean {
  const ownWord = a.key !== null && a.key === b.key && (a.standing === null || b.standing === null);
  return !ownWord && conflicts(a.listen, b.listen);
}

function byRight(a: Contestant, b: Contestant): number {
  return (
    RIGHTS.indexOf(a.right) - RIGHTS.indexOf(b.right) ||
    a.since - b.since ||
    Number(b.explicit) - Number(a.explicit) ||
    compareText(a.key ?? '', b.key ?? '') ||
    compareText(a.id, b.id)
  );
}

/** By code units: the same on every gateway, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
