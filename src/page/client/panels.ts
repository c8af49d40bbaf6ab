/** The other views: problems, the port map and the last events. */
import type { HistoryEvent, Ports, Problem } from './answers.js';
import { table } from './detail.js';
import { h, stateBadge } from './dom.js';

type Open = (service: string) => void;

const most = 2_000;

export function drawProblems(
  root: HTMLElement,
  problems: readonly (Problem & { readonly service: string | null })[],
  open: Open,
): void {
  if (problems.length === 0) {
    root.replaceChildren(h('p', { class: 'empty' }, 'No problem and no warning.'));
    return;
  }
  const sorted = [...problems].sort(
    (a, b) => Number(a.severity !== 'problem') - Number(b.severity !== 'problem'),
  );
  root.replaceChildren(
    ...cut(sorted.length),
    h(
      'ul',
      { class: 'list' },
      ...sorted
        .slice(0, most)
        .map(({ service, severity, code, place, message, keeps, mend }) =>
          h(
            'li',
            {},
            h('div', {}, stateBadge(severity), h('p', { class: 'mono' }, code)),
            h(
              'div',
              {},
              h('p', {}, who(service, open), place === '' ? '' : ` ${place}`),
              h('p', {}, message),
              keeps === '' ? null : h('p', { class: 'muted' }, `Meanwhile: ${keeps}`),
              mend === '' ? null : h('p', {}, `To mend: ${mend}`),
            ),
          ),
        ),
    ),
  );
}

export function drawPorts(root: HTMLElement, { usage, range, ports }: Ports, open: Open): void {
  const bar = (proto: 'tcp' | 'udp'): HTMLElement => {
    const { used, free, total } = usage[proto];
    return h(
      'label',
      {},
      `${proto}: ${used} of ${total} ports from ${range.from} to ${range.to} in use, ${free} free`,
      h('meter', { min: 0, max: total, high: Math.round(total * 0.8), value: used }),
    );
  };
  root.replaceChildren(
    h('div', { class: 'bars' }, bar('tcp'), bar('udp')),
    ...cut(ports.length),
    table(
      ['port', 'listens on', 'holder', 'server'],
      ports
        .slice(0, most)
        .map(({ proto, port, listen, holder, server, service }) => [
          `${port}/${proto}`,
          listen ?? '–',
          service === null ? holder : who(service, open),
          server ?? '–',
        ]),
    ),
  );
}

export function drawEvents(root: HTMLElement, events: readonly HistoryEvent[], open: Open): void {
  if (events.length === 0) {
    root.replaceChildren(h('p', { class: 'empty' }, 'Nothing happened since the janitor was started.'));
    return;
  }
  root.replaceChildren(
    h(
      'ul',
      { class: 'list' },
      ...events
        .slice(0, most)
        .map(({ at, service, text }) =>
          h(
            'li',
            {},
            h('span', { class: 'muted' }, new Date(at).toLocaleString()),
            h('p', {}, service === null ? '' : who(service, open), service === null ? '' : ' ', text),
          ),
        ),
    ),
  );
}

function who(service: string | null, open: Open): HTMLElement {
  if (service === null) return h('b', {}, 'this gateway');
  return h('button', { type: 'button', class: 'link', onclick: () => open(service) }, service);
}

function cut(length: number): HTMLElement[] {
  return length > most
    ? [h('p', { class: 'muted' }, `The first ${most} of ${length}; the API has all.`)]
    : [];
}
