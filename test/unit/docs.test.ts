/** README's tables are made from the code. `UPDATE_DOCS=1 npm test` rewrites them; without it a difference fails. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { keywordTable } from '../../src/model/keywords.js';
import { apiTable, messageTable } from '../../src/operator/docs.js';
import { settingsTable } from '../../src/settings/docs.js';
import { metricsTable } from '../../src/telemetry/metrics.js';

const readme = fileURLToPath(new URL('../../../README.md', import.meta.url));
const tables: Readonly<Record<string, string>> = {
  keywords: keywordTable(),
  settings: settingsTable(),
  metrics: metricsTable(),
  api: apiTable(),
  messages: messageTable(),
};

for (const [name, table] of Object.entries(tables)) {
  test(`README has the table of ${name} that the code makes`, () => {
    const text = readFileSync(readme, 'utf8');
    const [before, rest] = halves(text, `<!-- ${name} -->`);
    const [found, behind] = halves(rest, `<!-- /${name} -->`);
    if (process.env.UPDATE_DOCS === '1') {
      writeFileSync(readme, `${before}<!-- ${name} -->\n${table}\n<!-- /${name} -->${behind}`);
      return;
    }
    assert.equal(found.trim(), table.trim(), 'run UPDATE_DOCS=1 npm test');
  });
}

function halves(text: string, mark: string): readonly [string, string] {
  const place = text.indexOf(mark);
  assert.ok(place >= 0, `README has no ${mark}`);
  return [text.slice(0, place), text.slice(place + mark.length)];
}
