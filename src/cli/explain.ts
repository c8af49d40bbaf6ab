/**
 * `explain`: the whole chain from keyword to backend of a service, a server or a port, where it breaks and how to mend it;
 * or what a code means. The listener is tried unless that is switched off. Fails (1) when something is broken.
 */
import type { Explanation, Link } from '../operator/evidence.js';
import type { Explained } from '../operator/subjects.js';
import type { Io } from './io.js';
import { createJanitorClient } from './janitor-client.js';
import { usageLine } from './messages.js';
import { type Painter, painter } from './paint.js';
import { renderTable, visible, wrapText } from './render-table.js';
import type { Verbs } from './verbs.js';

const pipeWidth = 100;

export function createExplain(io: Io): Verbs['explain'] {
  return async (settings, { subject, output, tries }) => {
    const query = `subject=${encodeURIComponent(subject)}${tries ? '&try=listener' : ''}`;
    const answer = await createJanitorClient(settings).get<Explained>(`/api/v1/explain?${query}`);
    if (!answer.ok) {
      io.err(usageLine(answer.failure.message));
      return 1;
    }
    if (output === 'json') io.out(`${JSON.stringify(answer.value, null, 2)}\n`);
    else io.out(renderExplained(answer.value, io));
    return answer.value.explanations.some(({ links }) => links.some(({ state }) => state === 'broken'))
      ? 1
      : 0;
  };
}

export function renderExplained(explained: Explained, io: Pick<Io, 'columns' | 'colour'>): string {
  const paint = painter(io.colour);
  const width = io.columns ?? pipeWidth;
  const { answer, mend, explanations } = explained;
  const tint = stateOf(explanations.flatMap(({ links }) => links));
  const text = wrapText(visible(answer), width).join('\n');
  const lines = [tint === 'broken' ? paint.bad(text) : tint === 'warning' ? paint.wait(text) : text];
  if (mend !== '') lines.push(...wrapText(`To mend: ${visible(mend)}`, width));
  return `${[lines.join('\n'), ...explanations.map((each) => renderChain(each, paint, io))].join('\n\n')}\n`;
}

function renderChain({ subject, links }: Explanation, paint: Painter, io: Pick<Io, 'columns'>): string {
  const rows = links.map(({ step, state, says, mend, code }) => [
    signs[state],
    step,
    `${says}${mend === '' ? '' : `. To mend: ${mend}`}${code === null ? '' : ` [${code}]`}`,
  ]);
  return `${paint.bold(visible(subject))}\n${renderTable(rows, { width: io.columns, overflow: 'wrap', indent: 2 })}`;
}

const signs: Readonly<Record<Link['state'], string>> = {
  ok: 'ok',
  warning: 'WARNING',
  broken: 'BROKEN',
  unknown: 'unknown',
};

function stateOf(links: readonly Link[]): Link['state'] {
  return (['broken', 'warning'] as const).find((state) => links.some((link) => link.state === state)) ?? 'ok';
}
