/** One service in full: what is wrong and how to mend it first, then the chain, keywords, servers, backends and history. */
import { ask, type Explanation, type Link, type Server, type Service } from './answers.js';
import { h, rate, stateBadge } from './dom.js';

export interface Detail {
  open(service: string): void;
  close(): void;
  /** Something of this service changed. */
  refresh(services: ReadonlySet<string>): void;
  opened(): string | null;
}

const lookAgainMs = 4_000;
const triedStaysMs = 30_000;

export function createDetail(root: HTMLElement, onClose: () => void): Detail {
  let opened: string | null = null;
  let asking = 0;
  let again = false;
  let triedAt = 0;
  // Traffic and backends; but what was tried stays to be read.
  setInterval(() => {
    if (opened !== null && Date.now() - triedAt > triedStaysMs) void load(false);
  }, lookAgainMs);

  async function load(tries: boolean): Promise<void> {
    const service = opened;
    if (service === null) return;
    asking += 1;
    const mine = asking;
    if (tries) triedAt = Date.now();
    const query = `path=${encodeURIComponent(service)}${tries ? '&try=listener' : ''}`;
    try {
      const answer = await ask<Service>(`/api/v1/service?${query}`);
      if (mine === asking) show(draw(answer));
    } catch (error) {
      if (mine === asking)
        root.replaceChildren(
          head(service),
          h('p', { class: 'answer', 'data-state': 'broken' }, String(error)),
        );
    }
  }

  /** What had the focus has it again. */
  function show(elements: readonly HTMLElement[]): void {
    const focused = root.contains(document.activeElement) ? document.activeElement?.textContent : null;
    root.replaceChildren(...elements);
    if (focused == null) return;
    [...root.querySelectorAll('button')].find(({ textContent }) => textContent === focused)?.focus();
  }

  function head(service: string): HTMLElement {
    return h(
      'header',
      {},
      h('h2', {}, service),
      h('button', { type: 'button', class: 'button', onclick: onClose, 'aria-label': 'Close' }, 'Close'),
    );
  }

  function draw(answer: Service): HTMLElement[] {
    return [
      head(answer.service),
      ...answer.explanations.flatMap(drawExplanation),
      ...(answer.servers.some(({ observed }) => observed !== null)
        ? [
            h(
              'button',
              { type: 'button', class: 'button', onclick: () => void load(true) },
              'Try the listener',
            ),
          ]
        : []),
      ...section('Servers', answer.servers.length > 0, ...answer.servers.flatMap(drawServer)),
      ...section('Keywords', answer.keywords.length > 0, drawKeywords(answer)),
      ...section(
        'History',
        answer.history.length > 0,
        h(
          'ul',
          { class: 'list' },
          ...answer.history.map(({ at, text }) =>
            h('li', {}, h('span', { class: 'muted' }, new Date(at).toLocaleString()), h('p', {}, text)),
          ),
        ),
      ),
    ];
  }

  return {
    open(service) {
      const other = opened !== service;
      opened = service;
      root.hidden = false;
      if (other) root.replaceChildren(head(service), h('p', { class: 'muted' }, 'loading…'));
      void load(false);
    },
    close() {
      opened = null;
      root.hidden = true;
      root.replaceChildren();
    },
    refresh(services) {
      if (opened === null || !services.has(opened) || again) return;
      again = true;
      setTimeout(() => {
        again = false;
        void load(false);
      }, 300);
    },
    opened: () => opened,
  };
}

function section(title: string, has: boolean, ...children: readonly HTMLElement[]): HTMLElement[] {
  return has ? [h('h3', {}, title), ...children] : [];
}

function drawExplanation({ subject, answer, mend, links }: Explanation): HTMLElement[] {
  return [
    h('h3', { class: 'mono' }, subject),
    h(
      'div',
      { class: 'answer', 'data-state': worst(links) },
      h('p', {}, answer),
      mend === '' ? null : h('p', { class: 'mend' }, `To mend: ${mend}`),
    ),
    h(
      'ul',
      { class: 'chain' },
      ...links.map(({ step, state, says, mend: how }) =>
        h(
          'li',
          {},
          h('span', {}, stateBadge(state)),
          h(
            'div',
            {},
            h('p', {}, h('b', {}, step), ` ${says}`),
            how === '' ? null : h('p', { class: 'muted' }, how),
          ),
        ),
      ),
    ),
  ];
}

function worst(links: readonly Link[]): string {
  for (const state of ['broken', 'warning']) if (links.some((link) => link.state === state)) return state;
  return 'ok';
}

function drawServer({ server, stats, differs, observed }: Server): HTMLElement[] {
  const traffic =
    stats === null
      ? observed === null
        ? 'not in GoBetween'
        : 'no statistics'
      : `${stats.activeConnections} connections, ${rate(stats.rxSecond)} in, ${rate(stats.txSecond)} out`;
  const backends = stats?.backends ?? [];
  return [
    h('p', {}, h('code', {}, server), ` ${traffic}`),
    ...(differs.length === 0
      ? []
      : [
          table(
            ['field', 'in GoBetween', 'wanted'],
            differs.map(({ field, before, after }) => [field, before ?? '(absent)', after ?? '(absent)']),
          ),
        ]),
    ...(backends.length === 0
      ? []
      : [
          table(
            ['backend', 'state', 'connections', 'in', 'out'],
            backends.map((each) => [
              `${each.host}:${each.port}`,
              each.live ? 'live' : 'down',
              `${each.activeConnections} now, ${each.totalConnections} in all`,
              rate(each.rxSecond),
              rate(each.txSecond),
            ]),
          ),
        ]),
  ];
}

function drawKeywords({ keywords, problems }: Service): HTMLElement {
  const wrong = (name: string): HTMLElement[] =>
    problems
      .filter(({ place }) => place === name || place.startsWith(`${name} `))
      .map(({ message, mend }) => h('p', { class: 'muted' }, `${message}; ${mend}`));
  return table(
    ['keyword', 'value here', 'from'],
    keywords.map(({ name, written, value, origin }) => [
      name.replace('igw_gobtw_', ''),
      h('span', {}, value ?? '(absent)', ...wrong(name)),
      origin === 'reference' || origin === 'scope' ? `${origin}: ${written}` : origin,
    ]),
  );
}

export function table(head: readonly string[], rows: readonly (readonly (string | Node)[])[]): HTMLElement {
  return h(
    'table',
    { class: 'plain' },
    h('thead', {}, h('tr', {}, ...head.map((title) => h('th', { scope: 'col' }, title)))),
    h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((cell) => h('td', {}, cell))))),
  );
}
