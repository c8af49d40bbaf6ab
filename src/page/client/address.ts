/** What the page shows, kept in its address: it survives a reload, and can be sent to a colleague. */
import { type Column, type Filter, states } from './rows.js';
import type { State } from './answers.js';

export type Tab = 'exposures' | 'problems' | 'ports' | 'events';

export interface View {
  readonly tab: Tab;
  readonly filter: Filter;
  /** The service that is open; null: none. */
  readonly service: string | null;
}

const tabs: readonly Tab[] = ['exposures', 'problems', 'ports', 'events'];
const known: readonly (State | 'warned')[] = [...states, 'warned'];
const columns: readonly Column[] = ['service', 'word', 'listen', 'state', 'why', 'since'];

export function readView(search: string): View {
  const query = new URLSearchParams(search);
  const tab = tabs.find((each) => each === query.get('tab')) ?? 'exposures';
  const sort = columns.find((each) => each === query.get('sort')?.replace(/^-/, '')) ?? 'state';
  const wanted = (query.get('state') ?? '').split(',');
  return {
    tab,
    filter: {
      text: query.get('q') ?? '',
      states: new Set(known.filter((state) => wanted.includes(state))),
      sort,
      down: query.get('sort')?.startsWith('-') === true,
    },
    service: query.get('service'),
  };
}

/** `?q=web&state=held`; empty when there is nothing to say. */
export function writeView({ tab, filter, service }: View): string {
  const query = new URLSearchParams();
  if (tab !== 'exposures') query.set('tab', tab);
  if (filter.text !== '') query.set('q', filter.text);
  const wanted = known.filter((state) => filter.states.has(state));
  if (wanted.length > 0) query.set('state', wanted.join(','));
  const sort = `${filter.down ? '-' : ''}${filter.sort}`;
  if (sort !== 'state') query.set('sort', sort);
  if (service !== null) query.set('service', service);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
