/**
 * The exposures as the page holds them, what of them is shown, and in which order. Pure. Invariant: a service's rows are
 * replaced as a whole, so an update that comes twice, or late after a newer snapshot of it, leaves no row behind.
 */
import type { Exposure, State } from './answers.js';

export const states: readonly State[] = [
  'serving',
  'pending',
  'held',
  'spoiled',
  'kept',
  'elsewhere',
  'slave',
];

export type Column = 'service' | 'word' | 'listen' | 'state' | 'why' | 'since';

export interface Filter {
  readonly text: string;
  /**
   * Empty: all but slaves, which their scaler stands for; those too where a text is looked for. `warned` are those with
   * warnings, whatever their state.
   */
  readonly states: ReadonlySet<State | 'warned'>;
  readonly sort: Column;
  readonly down: boolean;
}

export interface Rows {
  /** Everything anew. */
  reset(rows: readonly Exposure[]): void;
  replace(service: string, rows: readonly Exposure[]): void;
  /** What the filter lets pass, in its order. */
  shown(filter: Filter): readonly Exposure[];
  /** Of those that match the text, by state. */
  counts(text: string): ReadonlyMap<State | 'warned', number>;
  /** Exposures, slaves apart. */
  size(): number;
}

export function createRows(): Rows {
  const byService = new Map<string, readonly Exposure[]>();
  function* matching(text: string): Iterable<Exposure> {
    const words = text
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
    for (const rows of byService.values()) {
      for (const row of rows) if (matches(row, words)) yield row;
    }
  }

  return {
    reset(rows) {
      byService.clear();
      for (const row of rows) {
        const own = byService.get(row.service);
        if (own === undefined) byService.set(row.service, [row]);
        else byService.set(row.service, [...own, row]);
      }
    },
    replace(service, rows) {
      if (rows.length === 0) byService.delete(service);
      else byService.set(service, rows);
    },
    shown(filter) {
      const found: Exposure[] = [];
      for (const row of matching(filter.text)) if (isIn(row, filter)) found.push(row);
      const sign = filter.down ? -1 : 1;
      const compare = comparers[filter.sort];
      return found.sort((a, b) => sign * compare(a, b) || byName(a, b));
    },
    counts(text) {
      const counts = new Map<State | 'warned', number>();
      for (const row of matching(text)) {
        counts.set(row.state, (counts.get(row.state) ?? 0) + 1);
        if (row.warnings.length > 0) counts.set('warned', (counts.get('warned') ?? 0) + 1);
      }
      return counts;
    },
    size() {
      let count = 0;
      for (const rows of byService.values()) for (const { state } of rows) if (state !== 'slave') count += 1;
      return count;
    },
  };
}

/** Every word is found somewhere in the row. */
function matches(row: Exposure, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text =
    `${row.service} ${row.word} ${row.listen ?? ''}/${row.proto} ${row.server ?? ''} ${row.state} ${row.code ?? ''} ${row.why} ${row.warnings.join(' ')}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function isIn(row: Exposure, { states: wanted, text: sought }: Filter): boolean {
  if (wanted.size === 0) return row.state !== 'slave' || sought !== '';
  return wanted.has(row.state) || (wanted.has('warned') && row.warnings.length > 0);
}

type Compare = (a: Exposure, b: Exposure) => number;

const text = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
const byName: Compare = (a, b) => text(a.service, b.service) || text(a.word, b.word);
/** What needs somebody comes first. */
const urgency: readonly State[] = ['spoiled', 'held', 'pending', 'kept', 'serving', 'elsewhere', 'slave'];

const comparers: Readonly<Record<Column, Compare>> = {
  service: byName,
  word: (a, b) => text(a.word, b.word),
  listen: (a, b) => portOf(a) - portOf(b),
  state: (a, b) => urgency.indexOf(a.state) - urgency.indexOf(b.state),
  why: (a, b) => text(a.why, b.why),
  // The youngest first; not known is the oldest.
  since: (a, b) => text(b.since ?? '', a.since ?? ''),
};

function portOf({ listen }: Exposure): number {
  return listen === null ? Number.MAX_SAFE_INTEGER : Number(listen.slice(listen.lastIndexOf(':') + 1));
}
