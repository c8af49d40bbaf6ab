/** What `validate` found, for people and for programs: problems first, then what is or would be exposed. */
import type { Judgement } from '../judge.js';
import type { Problem } from '../model/problem.js';
import { displayPath } from '../model/service.js';
import type { Io } from './io.js';
import { renderTable, visible, wrapText } from './render-table.js';

const pipeWidth = 100;

export function renderJson({ key, verdict, problems, exposes }: Judgement): string {
  const told = problems.map((problem) => ({ ...problem, key: undefined }));
  return `${JSON.stringify({ service: displayPath(key), verdict, problems: told, exposes }, null, 2)}\n`;
}

export function renderText(judgement: Judgement, io: Io): string {
  const width = io.columns ?? pipeWidth;
  const bold = (text: string): string => (io.colour ? `\u001b[1m${text}\u001b[0m` : text);
  const { key, problems, exposes } = judgement;
  const wrong = problems.filter(({ severity }) => severity === 'problem');
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  const counts = [counted(wrong.length, 'problem'), counted(warnings.length, 'warning')];
  const title = `${visible(displayPath(key))}: ${counts.filter((text) => text !== '').join(', ') || 'no problem'}`;
  const head = ['WORD', 'LISTENS ON', 'SERVER', 'SRV RECORD'];
  const rows = exposes.map(({ word, listens, server, record }) => [
    word,
    listens,
    server ?? '(named with its port)',
    record ?? '-',
  ]);
  const table =
    rows.length === 0 ? [] : [renderTable(rows, { head, width: io.columns, overflow: 'wrap', paint: bold })];
  return `${[bold(title), ...[...wrong, ...warnings].map((each) => block(each, width)), [verdictLine(judgement), ...table].join('\n')].join('\n\n')}\n`;
}

function counted(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`;
}

function block({ severity, code, place, message, mend }: Problem, width: number): string {
  const lines = [message, `To mend: ${mend}`].flatMap((text) => wrapText(visible(text), width - 2));
  return [`${severity}: ${visible(place)} [${code}]`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function verdictLine({ verdict, exposes }: Judgement): string {
  switch (verdict) {
    case 'served':
      return exposes.length === 0 ? 'Nothing is exposed.' : 'It exposes:';
    case 'elsewhere':
      return 'Its igw_gobtw_target_lb names other gateways, which expose:';
    case 'unbound':
      return 'It asks for nothing: igw_gobtw_bind is absent or empty. Its other keywords were not checked.';
    case 'slave':
      return 'It is a slave of a scaler, which no gateway serves. Its keywords were not checked.';
    case 'spoiled':
      return `As it is, the servers that it has stay as they are.${exposes.length === 0 ? '' : ' Once mended:'}`;
    case 'undecided':
      return `What only the agent can evaluate decides whether it is served.${exposes.length === 0 ? '' : ' If it is:'}`;
  }
}
