/** README's tables of the API and of the messages, made from the code; a test fails while README says anything else. */
import { type ProblemDoc, problemDocs } from '../model/problem-docs.js';
import { apiDocs } from './api.js';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** Markdown: path, answer. */
export function apiTable(): string {
  const lines = Object.entries(apiDocs).map(([path, doc]) => `| \`${path}\` | ${cell(doc)} |`);
  return ['| Path | Answer |', '|---|---|', ...lines].join('\n');
}

const titles: Readonly<Record<ProblemDoc['about'], string>> = {
  keywords: 'Keywords of a service',
  ports: 'Ports',
  servers: 'Servers',
  cluster: 'The cluster',
  janitor: 'The janitor itself',
};
const who: Readonly<Record<ProblemDoc['who'], string>> = {
  service: 'owner',
  gateway: 'operator',
  nobody: 'nobody',
};

/** Markdown, one table for each group: code, who acts, meaning, mending. */
export function messageTable(): string {
  return Object.entries(titles)
    .map(([about, title]) => {
      const lines = Object.entries(problemDocs)
        .filter(([, doc]) => doc.about === about)
        .map(([code, doc]) => `| \`${code}\` | ${who[doc.who]} | ${cell(doc.means)} | ${cell(doc.mend)} |`);
      return [
        `**${title}**`,
        '',
        '| Code | Who acts | What it means | How to mend it |',
        '|---|---|---|---|',
        ...lines,
      ].join('\n');
    })
    .join('\n\n');
}
