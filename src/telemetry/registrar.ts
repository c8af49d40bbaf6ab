/**
 * The registry of our metrics: declares them, describes them for the documentation, and answers a scrape. Invariants: the
 * registry is OpenMetrics from birth and text is derived from it, so scrapes of both kinds at once do not disturb each
 * other; what is declared is described.
 */
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type OpenMetricsContentType,
  Registry,
} from 'prom-client';
import { openMetricsType, textOf, textType, wantsOpenMetrics } from './exposition.js';

export interface MetricDescription {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** Gauges with the name of a counter; their sums by `type` are there under a better one. */
const misnamed = ['handles', 'requests', 'resources'].map((of) => `nodejs_active_${of}_total`);

export type Registrar = ReturnType<typeof createRegistrar>;

/** `nodeMetrics` adds prom-client's metrics of the process (`nodejs_…`, `process_…`). */
export function createRegistrar(nodeMetrics: boolean) {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [registry];
  const described: MetricDescription[] = [];
  if (nodeMetrics) {
    collectDefaultMetrics({ register: registry });
    for (const name of misnamed) registry.removeSingleMetric(name);
  }

  function note(name: string, type: string, labels: readonly string[], help: string): string {
    described.push({ name, type, labels, help });
    return name;
  }

  return {
    counter: <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Counter({ name: note(name, 'counter', labelNames, help), help, labelNames, registers }),
    gauge: <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Gauge({ name: note(name, 'gauge', labelNames, help), help, labelNames, registers }),
    histogram: <L extends string>(
      name: string,
      help: string,
      buckets: number[],
      labelNames: readonly L[] = [],
    ) =>
      new Histogram({
        name: note(name, 'histogram', labelNames, help),
        help,
        labelNames,
        buckets,
        registers,
      }),
    /** A histogram without labels whose observations may carry an exemplar. */
    exemplary: <E extends string>(name: string, help: string, buckets: number[]) =>
      new Histogram<E>({
        name: note(name, 'histogram', [], help),
        help,
        buckets,
        registers,
        enableExemplars: true,
      }),
    /** For the documentation: our own metrics, in order. */
    describe: (): readonly MetricDescription[] => described,
    /** One scrape, in OpenMetrics or text by the Accept header. */
    async expose(accept: string | undefined): Promise<Exposition> {
      const openMetrics = await registry.metrics();
      if (wantsOpenMetrics(accept)) return { contentType: openMetricsType, body: openMetrics };
      return { contentType: textType, body: textOf(openMetrics) };
    },
  };
}
