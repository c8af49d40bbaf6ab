import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { alerts } from '../../grafana/alerts.js';
import { rulesFile, runbookFile } from '../../grafana/documents.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { type AlertCase, alertCases } from '../support/alert-cases.js';
import { promtool, withoutPromtool } from '../support/promtool.js';

const folder = new URL('../../../grafana/', import.meta.url);
const committed = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

describe('what is committed', () => {
  test('is what the code writes: otherwise `npm run grafana`', () => {
    assert.equal(committed('alerts.yml'), rulesFile(alerts));
    assert.equal(committed('RUNBOOK.md'), runbookFile(alerts));
  });

  test('each alert says what it means, how to look and what to do, and has a name of its own', () => {
    assert.equal(new Set(alerts.map(({ name }) => name.toLowerCase())).size, alerts.length);
    for (const { name, meaning, look, act, description, summary } of alerts) {
      assert.match(name, /^GobtwJanitor[A-Z]\w+$/);
      for (const text of [meaning, description, summary, ...look, ...act])
        assert.ok(text.length > 10, `${name}: ${text}`);
      assert.ok(look.length > 0 && act.length > 0, name);
    }
  });

  test('every link of a rule leads to a heading of the runbook', () => {
    const headings = [...committed('RUNBOOK.md').matchAll(/^## (.*)$/gm)].map(([, text]) =>
      text?.toLowerCase(),
    );
    const links = [...committed('alerts.yml').matchAll(/runbook_url: RUNBOOK\.md#(\S+)/g)].map(
      ([, anchor]) => anchor,
    );
    assert.deepEqual(links, headings);
  });
});

test('every metric in a rule is one that the janitor has', async () => {
  const { body } = await createMetrics('1', true).expose(undefined);
  const known = new Set([...body.matchAll(/^(\w+)(?=[{ ])/gm)].map(([name]) => name));
  for (const name of ['up', 'gobtw_janitor_trouble_info']) known.add(name);
  for (const { name, expr } of alerts) {
    const used = [
      ...expr.replaceAll(/"[^"]*"/g, '').matchAll(/\b(?:gobtw_janitor|nodejs|process|workqueue)_\w+|\bup\b/g),
    ];
    assert.ok(used.length > 0, name);
    for (const [metric] of used) assert.ok(known.has(metric), `${name}: ${metric}`);
  }
});

test('every alert is tested, firing and not firing', () => {
  const tested = new Set(alertCases.map(({ alert }) => alert));
  assert.deepEqual([...tested].sort(), alerts.map(({ name }) => name).sort());
});

/** promtool's test of one case; `evaluated` after half an hour, so that every `for` is over. */
function unitTest({ alert, labels, summary, ...samples }: AlertCase, kind: 'fires' | 'calm'): object {
  const rule = alerts.find(({ name }) => name === alert);
  const fired = {
    exp_labels: { ...labels, severity: rule?.severity },
    exp_annotations: {
      ...{ summary, description: rule?.description },
      runbook_url: `RUNBOOK.md#${alert.toLowerCase()}`,
    },
  };
  return {
    interval: '1m',
    input_series: Object.entries(samples[kind]).map(([series, values]) => ({ series, values })),
    alert_rule_test: [{ eval_time: '30m', alertname: alert, exp_alerts: kind === 'fires' ? [fired] : [] }],
  };
}

describe('promtool', { skip: withoutPromtool }, () => {
  test('takes the rules as they are', () => {
    const { said, code } = promtool(['check', 'rules', fileURLToPath(new URL('alerts.yml', folder))]);
    assert.equal(code, 0, said);
  });

  for (const kind of ['fires', 'calm'] as const) {
    for (const [index, each] of alertCases.entries()) {
      test(`${each.alert} ${kind === 'fires' ? 'fires' : 'is calm'} (${index})`, () => {
        const dir = mkdtempSync(join(tmpdir(), 'igw-rules-'));
        try {
          const file = join(dir, 'test.yml');
          const rules = fileURLToPath(new URL('alerts.yml', folder));
          writeFileSync(
            file,
            stringify({ rule_files: [rules], evaluation_interval: '1m', tests: [unitTest(each, kind)] }),
          );
          const { said, code } = promtool(['test', 'rules', file]);
          assert.equal(code, 0, said);
        } finally {
          rmSync(dir, { recursive: true, force: true });
        }
      });
    }
  }

  test('has nothing to say of a scrape', async () => {
    const metrics = createMetrics('1.2.3', true);
    const key = 'shop/svc/web' as never;
    const problem = {
      key,
      code: 'port-conflict',
      severity: 'problem',
      place: '',
      message: '',
      keeps: '',
      mend: '',
    } as const;
    metrics.trouble([problem]);
    const { said, code } = promtool(['check', 'metrics'], (await metrics.expose(undefined)).body);
    assert.deepEqual({ said, code }, { said: '', code: 0 });
  });
});
