/** The dashboards, by the file that each is committed as. */
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { loadBalancer } from './load-balancer.js';
import { overview } from './overview.js';
import { pipeline } from './pipeline.js';

export const dashboards: ReadonlyMap<string, () => DashboardBuilder> = new Map([
  ['gateway-overview.json', overview],
  ['pipeline.json', pipeline],
  ['load-balancer.json', loadBalancer],
]);
