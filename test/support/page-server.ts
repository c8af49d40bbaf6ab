/** The page over exposures that are made up: as many as wanted, and with any text in them. Page, API and stream are the real ones. */
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/clock.js';
import { serviceKey, type ServiceKey } from '../../src/model/service.js';
import { apiRoutes } from '../../src/operator/api.js';
import type { Exposure } from '../../src/operator/exposures.js';
import { createFeed } from '../../src/operator/feed.js';
import { type GatewayFigures, viewGateway } from '../../src/operator/gateway.js';
import { createHistory } from '../../src/operator/history.js';
import { pageRoutes } from '../../src/page/page-routes.js';
import { createHttpServer } from '../../src/telemetry/http.js';

export interface PageServer {
  readonly address: string;
  set(name: string, more: Partial<Exposure>): void;
}

const figures: GatewayFigures = {
  ...{ version: '0.0.0', startedAt: '2026-01-01T00:00:00Z', cluster: 'big', node: 'gw1', names: ['gw1'] },
  agent: { up: true, why: '' },
  gobetween: { up: true, why: '', url: 'http://127.0.0.1:8888' },
  orders: { policy: 'sync', policySince: null, pauses: [] },
  ...{ planned: true, progress: null, oldestUnservedSeconds: 0, problems: {}, unserved: 0 },
  servers: { present: 1, pending: 0, foreign: 0 },
};

const exposure = (service: string, more: Partial<Exposure>): Exposure => ({
  ...{ service, word: '443/tcp', label: '443/tcp', listen: '0.0.0.0:1024', proto: 'tcp', state: 'serving' },
  ...{ server: null, code: null, why: '', since: '2026-01-01T00:00:00Z', warnings: [] },
  ...more,
});

export async function servePage(t: TestContext, names: readonly string[]): Promise<PageServer> {
  const keyOf = (name: string): ServiceKey => serviceKey({ namespace: 'root', kind: 'svc', name });
  const rows = new Map<ServiceKey, Exposure>(names.map((name) => [keyOf(name), exposure(name, {})]));
  const clock = systemClock;
  const history = createHistory(clock);
  const rowsOf = (key: ServiceKey): readonly Exposure[] => [rows.get(key)].filter((row) => row !== undefined);
  const gateway = () => viewGateway({ ...figures, servers: { ...figures.servers, present: rows.size } });
  const feed = createFeed({ clock, rowsOf, gateway, history });
  const explanation = { subject: '', answer: 'it is served', mend: '', links: [] };
  const server = createHttpServer({
    clock,
    listen: { addr: '127.0.0.1', port: 0 },
    routes: new Map([
      ...pageRoutes(),
      ...apiRoutes({
        ...{ clock, gateway, history, feed },
        exposures: { keys: () => rows.keys(), of: rowsOf },
        known: (key) => rows.has(key),
        services: {
          of: async (key) => ({
            service: key.replace('root/svc/', ''),
            ...{ state: 'present', verdict: 'served', keywords: [], servers: [], problems: [], history: [] },
            exposures: rowsOf(key),
            explanations: [explanation],
          }),
        },
        subjects: {
          explain: async (subject) => ({ ...explanation, subject, kind: 'service', explanations: [] }),
        },
        problems: () => [],
        ports: () => {
          const usage = { free: 1, used: 1, reserved: 0, quarantined: 0, total: 2 };
          return { usage: { tcp: usage, udp: usage }, range: { from: 1024, to: 65_535 }, ports: [] };
        },
      }),
    ]),
  });
  const started = await server.start();
  if (!started.ok) throw new Error(started.failure.message);
  t.after(async () => {
    feed.stop();
    await server.stop();
  });
  return {
    address: `http://127.0.0.1:${started.value.port}`,
    set(name, more) {
      rows.set(keyOf(name), exposure(name, more));
      feed.touch(keyOf(name));
    },
  };
}
