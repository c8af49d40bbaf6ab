/** The page: connects address, table, detail, panels and the live stream. Invariant: what is shown is in the address. */
import { readView, type Tab, type View, writeView } from './address.js';
import {
  ask,
  type Exposure,
  type Gateway,
  type HistoryEvent,
  type Ports,
  type Problem,
  type State,
} from './answers.js';
import { createDetail } from './detail.js';
import { byId, h } from './dom.js';
import { follow } from './live.js';
import { drawEvents, drawPorts, drawProblems } from './panels.js';
import { type Column, createRows, states } from './rows.js';
import { createTable } from './table.js';

const rows = createRows();
const search = byId('search') as HTMLInputElement;
const fresh = new Set<string>();
const mostEvents = 500;
let view: View = readView(location.search);
let events: HistoryEvent[] = [];
let gateway: Gateway | null = null;
let loading: Promise<void> | null = null;
let missed: { service: string; rows: readonly Exposure[] }[] = [];
let pending = false;
let tabDue = false;

const detail = createDetail(byId('detail'), () => open(null));
const table = createTable(byId('table'), {
  open: (row) => open(row.service),
  sort: (sort: Column) =>
    change({ filter: { ...view.filter, sort, down: view.filter.sort === sort && !view.filter.down } }),
});

function change(next: Partial<View>): void {
  view = { ...view, ...next };
  history.replaceState(null, '', `${location.pathname}${writeView(view)}`);
  drawSoon();
}

function open(service: string | null): void {
  change({ service });
  if (service === null) {
    detail.close();
    if (view.tab === 'exposures') table.focus();
  } else detail.open(service);
}

function drawSoon(): void {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    draw();
  });
}

function draw(): void {
  for (const button of byId('tabs').querySelectorAll('button')) {
    const { tab } = button.dataset;
    if (tab === view.tab) button.setAttribute('aria-current', 'page');
    else button.removeAttribute('aria-current');
    if (tab !== undefined) byId(tab).hidden = tab !== view.tab;
  }
  if (search.value !== view.filter.text) search.value = view.filter.text;
  if (view.tab !== 'exposures') return;
  const shown = rows.shown(view.filter);
  table.show(shown, view.filter.sort, view.filter.down);
  table.select(view.service);
  byId('count').textContent =
    shown.length === rows.size()
      ? `${shown.length} exposures`
      : `${shown.length} of ${rows.size()} exposures`;
  drawChips();
}

function drawChips(): void {
  const counts = rows.counts(view.filter.text);
  const all: readonly (State | 'warned')[] = [...states, 'warned'];
  const chips = all.flatMap((state) => {
    const count = counts.get(state) ?? 0;
    const isOn = view.filter.states.has(state);
    if (count === 0 && !isOn) return [];
    const chip = h(
      'button',
      {
        type: 'button',
        'aria-pressed': isOn ? 'true' : 'false',
        'data-state': state,
        onclick: () => toggle(state),
      },
      `${state} `,
      h('span', { class: 'number' }, String(count)),
    );
    return [chip];
  });
  const focused = document.activeElement?.getAttribute('data-state') ?? null;
  const root = byId('states');
  const had = root.contains(document.activeElement);
  root.replaceChildren(...chips);
  if (had && focused !== null) chips.find(({ dataset }) => dataset.state === focused)?.focus();
}

function toggle(state: State | 'warned'): void {
  const next = new Set(view.filter.states);
  if (!next.delete(state)) next.add(state);
  change({ filter: { ...view.filter, states: next } });
}

function showTab(tab: Tab): void {
  change({ tab });
  void loadTab();
}

/** In a storm there is always something new. */
function loadTabSoon(): void {
  if (tabDue) return;
  tabDue = true;
  setTimeout(() => {
    tabDue = false;
    void loadTab();
  }, 2000);
}

async function loadTab(): Promise<void> {
  try {
    await askTab();
  } catch {
    // The stream is cut too, and says so; once it is back everything is asked for again.
  }
}

/** The other views are asked for when they are looked at. */
async function askTab(): Promise<void> {
  if (view.tab === 'problems') {
    const answer = await ask<{ problems: (Problem & { service: string | null })[] }>('/api/v1/problems');
    drawProblems(byId('problems'), answer.problems, open);
  } else if (view.tab === 'ports') drawPorts(byId('ports'), await ask<Ports>('/api/v1/ports'), open);
  else if (view.tab === 'events') drawEvents(byId('events'), events, open);
}

/** Everything anew; what is told meanwhile is newer than the answer, and applied after it. */
function reload(): void {
  loading ??= load().finally(() => {
    loading = null;
  });
}

async function load(): Promise<void> {
  missed = [];
  try {
    const [exposures, past] = await Promise.all([
      ask<{ exposures: Exposure[] }>('/api/v1/exposures'),
      ask<{ events: HistoryEvent[] }>(`/api/v1/events?limit=${mostEvents}`),
    ]);
    rows.reset(exposures.exposures);
    for (const { service, rows: own } of missed) rows.replace(service, own);
    events = past.events;
    document.body.dataset.ready = 'true';
    drawSoon();
    if (view.service !== null) detail.open(view.service);
    await loadTab();
  } catch (error) {
    stale(`Could not read the exposures: ${String(error)}. Trying again.`);
    setTimeout(reload, 2000);
  }
}

function stale(why: string | null): void {
  const line = byId('stale');
  line.hidden = why === null;
  line.textContent = why ?? '';
}

function drawGateway(): void {
  if (gateway === null) return;
  const { health, line, cluster, node, names, version, orders, problems } = gateway;
  byId('health').dataset.health = health;
  byId('line').textContent = line;
  byId('where').textContent = [
    cluster === '' ? null : `cluster ${cluster}`,
    node === null ? null : `node ${node}`,
    names.length === 0 ? null : `named ${names.join(', ')}`,
    version,
  ]
    .filter((part) => part !== null)
    .join(' · ');
  document.title = `${health === 'in-sync' ? '' : `${health}: `}gobtw-janitor ${node ?? ''}`.trim();
  const lines = [
    ...(orders.policySince === null
      ? []
      : [`policy ${orders.policy}, set by an operator at ${new Date(orders.policySince).toLocaleString()}`]),
    ...orders.pauses.map(
      ({ service, until }) =>
        `${service ?? 'everything'} is paused by an operator until ${new Date(until).toLocaleString()}`,
    ),
  ];
  byId('orders').hidden = lines.length === 0;
  byId('orders').replaceChildren(...lines.map((text) => h('li', {}, text)));
  const count = Object.values(problems).reduce<number>((sum, each) => sum + (each ?? 0), 0);
  const tab = byId('tabs').querySelector('[data-tab="problems"]');
  tab?.replaceChildren('Problems ', h('span', { class: 'number' }, count === 0 ? '' : String(count)));
}

search.addEventListener('input', () => change({ filter: { ...view.filter, text: search.value } }));
for (const button of byId('tabs').querySelectorAll('button'))
  button.addEventListener('click', () => showTab(button.dataset.tab as Tab));
document.addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof HTMLInputElement;
  if (event.key === '/' && !isTyping) {
    if (view.tab !== 'exposures') showTab('exposures');
    byId('exposures').hidden = false;
    search.focus();
    search.select();
  } else if (event.key === 'Escape' && view.service !== null) open(null);
  else if (event.key === 'Escape' && isTyping) {
    change({ filter: { ...view.filter, text: '' } });
    table.focus();
  } else if (event.key === 'ArrowDown' && event.target === search) table.focus();
  else return;
  event.preventDefault();
});

follow({
  reload,
  gateway(now) {
    gateway = now;
    drawGateway();
  },
  exposures(services) {
    if (loading !== null) missed.push(...services);
    for (const { service, rows: own } of services) {
      rows.replace(service, own);
      fresh.add(service);
    }
    const now = new Set(fresh);
    table.mark(now);
    setTimeout(() => {
      for (const service of now) fresh.delete(service);
      table.mark(new Set(fresh));
    }, 1600);
    detail.refresh(now);
    drawSoon();
  },
  events(next) {
    events = [...[...next].reverse(), ...events].slice(0, mostEvents);
    if (view.tab === 'events') void loadTab();
    else if (view.tab !== 'exposures') loadTabSoon();
  },
  stale,
});
if (view.service !== null) detail.open(view.service);
// Ages grow although nothing is told.
setInterval(drawSoon, 10_000);
draw();
drawGateway();
