/**
 * The table of exposures: only the rows that can be seen are elements, so that 20,000 cost as much as 50. Usable by keyboard:
 * the grid has one focus, arrows move the selected row. Invariant: the selection is a row's identity, not its position.
 */
import type { Exposure } from './answers.js';
import { ageOf, h, stateBadge } from './dom.js';
import type { Column } from './rows.js';

export interface Table {
  show(rows: readonly Exposure[], sort: Column, down: boolean): void;
  /** Rows of these services are marked for a moment. */
  mark(services: ReadonlySet<string>): void;
  /** Its first row, unless one of them is selected; null: whatever is selected stays so. */
  select(service: string | null): void;
  focus(): void;
}

const titles: readonly (readonly [Column, string])[] = [
  ['service', 'Service'],
  ['word', 'Asks for'],
  ['listen', 'Listens on'],
  ['state', 'State'],
  ['why', 'Why'],
  ['since', 'Since'],
];
const spare = 8;

export function createTable(
  root: HTMLElement,
  on: { readonly open: (row: Exposure) => void; readonly sort: (column: Column) => void },
): Table {
  let rows: readonly Exposure[] = [];
  let selected: string | null = null;
  let marked: ReadonlySet<string> = new Set();
  let drawn = false;
  const heads = titles.map(([column, title]) =>
    h('button', { type: 'button', role: 'columnheader', onclick: () => on.sort(column) }, title),
  );
  const spacer = h('div', { class: 'spacer', role: 'presentation' });
  const scroll = h('div', { class: 'scroll', role: 'rowgroup' }, spacer);
  root.tabIndex = 0;
  root.replaceChildren(h('div', { class: 'head', role: 'row' }, ...heads), scroll);
  scroll.tabIndex = -1;
  scroll.addEventListener('scroll', drawSoon, { passive: true });
  addEventListener('resize', drawSoon);
  root.addEventListener('keydown', onKey);

  function rowHeight(): number {
    return Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--row'));
  }

  function drawSoon(): void {
    if (drawn) return;
    drawn = true;
    requestAnimationFrame(draw);
  }

  function draw(): void {
    drawn = false;
    const height = rowHeight();
    const first = Math.max(0, Math.floor(scroll.scrollTop / height) - spare);
    const last = Math.min(rows.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / height) + spare);
    spacer.style.height = `${rows.length * height}px`;
    root.setAttribute('aria-rowcount', String(rows.length + 1));
    const elements = rows.slice(first, last).map((row, index) => draw1(row, first + index, height));
    spacer.replaceChildren(
      ...(rows.length === 0 ? [h('p', { class: 'empty' }, 'Nothing to show.')] : elements),
    );
    const active = spacer.querySelector('[aria-selected="true"]');
    if (active === null) root.removeAttribute('aria-activedescendant');
    else root.setAttribute('aria-activedescendant', active.id);
  }

  function draw1(row: Exposure, index: number, height: number): HTMLElement {
    const warned = row.warnings.length === 0 ? '' : row.warnings.join(', ');
    const why = row.why !== '' ? row.why : warned === '' ? '' : `works, but: ${warned}`;
    const element = h(
      'div',
      {
        class: 'row',
        role: 'row',
        id: `row-${index}`,
        'aria-rowindex': index + 2,
        'aria-selected': identity(row) === selected ? 'true' : 'false',
        'data-fresh': marked.has(row.service),
        onclick: () => choose(index, true),
      },
      h('span', { class: 'service', role: 'gridcell', title: row.service }, row.service),
      h('span', { class: 'asks mono', role: 'gridcell', title: row.word }, row.word === '' ? '–' : row.word),
      h(
        'span',
        { class: 'listen mono', role: 'gridcell' },
        row.listen === null ? '–' : `${row.listen}/${row.proto}`,
      ),
      h('span', { class: 'shown', role: 'gridcell' }, stateBadge(row.state)),
      h('span', { class: 'why', role: 'gridcell', title: why }, why),
      h('span', { class: 'since', role: 'gridcell', title: row.since ?? '' }, ageOf(row.since)),
    );
    element.style.transform = `translateY(${index * height}px)`;
    return element;
  }

  function choose(index: number, open: boolean): void {
    const row = rows[index];
    if (row === undefined) return;
    selected = identity(row);
    const height = rowHeight();
    const top = index * height;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    else if (top + height > scroll.scrollTop + scroll.clientHeight)
      scroll.scrollTop = top + height - scroll.clientHeight;
    draw();
    if (open) on.open(row);
  }

  function onKey(event: KeyboardEvent): void {
    if (event.target instanceof HTMLButtonElement) return;
    const at = rows.findIndex((row) => identity(row) === selected);
    const page = Math.max(1, Math.floor(scroll.clientHeight / rowHeight()) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    };
    const next = steps[event.key];
    if (next !== undefined) choose(Math.max(0, Math.min(rows.length - 1, next)), false);
    else if (event.key === 'Enter' && at >= 0) choose(at, true);
    else return;
    event.preventDefault();
  }

  return {
    show(next, sort, down) {
      rows = next;
      for (const [index, [column]] of titles.entries()) {
        const head = heads[index];
        if (head === undefined) continue;
        if (column === sort) head.dataset.sorted = down ? 'down' : 'up';
        else delete head.dataset.sorted;
        head.setAttribute('aria-sort', column !== sort ? 'none' : down ? 'descending' : 'ascending');
      }
      drawSoon();
    },
    mark(services) {
      marked = services;
      drawSoon();
    },
    select(service) {
      if (service === null || selected?.startsWith(`${service}\n`) === true) return;
      const row = rows.find((each) => each.service === service);
      if (row === undefined) return;
      selected = identity(row);
      drawSoon();
    },
    focus: () => root.focus(),
  };
}

/** A word, or the server that no word asks for. */
function identity(row: Exposure): string {
  return `${row.service}\n${row.word}\n${row.word === '' ? (row.server ?? '') : ''}`;
}
