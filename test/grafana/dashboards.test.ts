import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { alerts } from '../../grafana/alerts.js';
import { dashboards } from '../../grafana/dashboards.js';
import { dashboardFile } from '../../grafana/documents.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { startExporter } from '../support/gobetween-exporter.js';
import { startJanitor } from '../support/janitor.js';
import { startPrometheus, withoutPrometheus } from '../support/prometheus.js';
import { binds, eventually, openWorld } from '../support/world.js';

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

const folder = new URL('../../../grafana/', import.meta.url);
const committed = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const all = [...dashboards.keys()].map((name) => JSON.parse(committed(name)) as Dashboard);
const panels = all.flatMap((each) =>
  each.panels
    .filter(({ type }) => type !== 'row')
    .map((panel) => ({ ...panel, title: `${each.title}: ${panel.title}` })),
);

/** As Grafana would ask with all clusters and instances chosen. */
function asked(expr: string): string {
  return expr
    .replaceAll('$cluster', '.*')
    .replaceAll('$instance', '.*')
    .replaceAll('$__rate_interval', '15s');
}

test('what is committed is what the code writes: otherwise `npm run grafana`', () => {
  for (const [name, builder] of dashboards) assert.equal(committed(name), dashboardFile(builder), name);
});

test('every panel has a description, a unit and queries; every dashboard the same variables, and a uid of its own', () => {
  assert.ok(panels.length > 30);
  for (const { title, description, fieldConfig, targets } of panels) {
    assert.ok((description ?? '').length > 10, title);
    assert.ok(fieldConfig?.defaults.unit, title);
    assert.ok(targets !== undefined && targets.length > 0, title);
    assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
  }
  assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
  assert.equal(new Set(all.map(({ uid }) => uid)).size, all.length);
  for (const { templating, title } of all)
    assert.deepEqual(
      templating.list.map(({ name }) => name),
      ['datasource', 'cluster', 'instance'],
      title,
    );
});

test('every metric of ours in a panel is one that the janitor has', async () => {
  const { body } = await createMetrics('1', true).expose(undefined);
  const known = new Set([...body.matchAll(/^(\w+)(?=[{ ])/gm)].map(([name]) => name));
  known.add('gobtw_janitor_trouble_info');
  for (const { title, targets } of panels)
    for (const { expr } of targets ?? [])
      for (const [metric] of expr
        .replaceAll(/"[^"]*"/g, '')
        .matchAll(/\b(?:gobtw_janitor|nodejs|process|workqueue)_\w+/g))
        assert.ok(known.has(metric), `${title}: ${metric}`);
});

describe('with a real Prometheus', { skip: withoutPrometheus }, () => {
  test('every query of a panel, and every selector of a rule, finds series', async (t) => {
    const world = await openWorld(t);
    const http = `${world.ports.take()}/tcp`;
    const taken = `${http}-127.0.0.1:${world.ports.take()}`;
    for (const name of ['web', 'rival'])
      world.addService(name, { bind: taken, expose: [http], instances: 1 });
    world.addService('other', { bind: http, expose: [http], instances: 1 });
    const half = `${http}-127.0.0.1:${world.ports.take()} 8/`;
    world.addService('half', { bind: half, expose: [http], instances: 1 });
    const listen = `127.0.0.1:${world.ports.take()}`;
    const janitor = startJanitor(t, world, { 'metrics-listen': listen });
    await janitor.synced();
    await eventually(async () => assert.equal(Object.keys(await binds(world)).length, 3));
    const prometheus = await startPrometheus(t, world.ports.take(), {
      'gobtw-janitor': listen,
      gobetween: await startExporter(t, world),
    });
    await eventually(async () =>
      assert.ok((await prometheus.series('count_over_time(gobtw_janitor_synced[15s]) > 3')) > 0),
    );

    for (const { title, targets } of panels) {
      for (const { expr } of targets ?? []) {
        await prometheus.series(asked(expr));
        // What shows only what is not zero is asked for all of it here.
        const query = asked(expr).replace(/ > 0(?=\)*$)/, '');
        assert.ok((await prometheus.series(query)) > 0, `${title}: no series for ${query}`);
      }
    }
    for (const { name, expr } of alerts) {
      await prometheus.series(expr);
      for (const [selector] of expr.matchAll(/\b(?:up|gobtw_janitor_\w+|nodejs_\w+)\b(?:\{[^}]*\})?/g))
        assert.ok((await prometheus.series(selector)) > 0, `${name}: no series for ${selector}`);
    }
  });
});
