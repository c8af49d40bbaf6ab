/**
 * How our panels look, so that the dashboards say only what they show. Invariant: every panel has a description, a unit and
 * the datasource of the dashboard's variable; every query is limited to the chosen cluster and instance (`$own`).
 */
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Threshold,
  VariableRefresh,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as SeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';

/** Whatever the variables choose. */
export const own = 'cluster=~"$cluster",instance=~"$instance"';
const datasource = { type: 'prometheus', uid: '${datasource}' };

export interface Query {
  readonly expr: string;
  /** Grafana's legend, for instance `{{name}}`. */
  readonly legend: string;
}

interface Shown {
  readonly title: string;
  /** What it means, and when to worry. */
  readonly description: string;
  /** Grafana's id of a unit: `s`, `short`, `percentunit`, `Bps`… */
  readonly unit: string;
  readonly queries: readonly Query[];
}

function dataQueries(queries: readonly Query[], instant: boolean): DataqueryBuilder[] {
  return queries.map(({ expr, legend }, at) => {
    const query = new DataqueryBuilder()
      .datasource(datasource)
      .refId(String.fromCharCode(65 + at))
      .expr(expr)
      .legendFormat(legend);
    return instant ? query.instant() : query.range().exemplar(true);
  });
}

/** Lines over time. `wide`: the whole width. */
export function lines(shown: Shown, wide = false): SeriesBuilder {
  return new SeriesBuilder()
    .title(shown.title)
    .description(shown.description)
    .unit(shown.unit)
    .datasource(datasource)
    .min(0)
    .fillOpacity(10)
    .height(8)
    .span(wide ? 24 : 12)
    .targets(dataQueries(shown.queries, false));
}

/** One number now; `steps` colour it: green, and from the given values on yellow and red. */
export function figure(
  shown: Shown,
  steps: { readonly yellow?: number; readonly red?: number; readonly goodAbove?: boolean } = {},
): StatBuilder {
  return new StatBuilder()
    .title(shown.title)
    .description(shown.description)
    .unit(shown.unit)
    .datasource(datasource)
    .height(4)
    .span(4)
    .noValue('-')
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(coloured(steps)))
    .targets(dataQueries(shown.queries, true));
}

function coloured({
  yellow,
  red,
  goodAbove = false,
}: {
  readonly yellow?: number;
  readonly red?: number;
  readonly goodAbove?: boolean;
}): Threshold[] {
  if (goodAbove)
    return [
      { value: null, color: 'red' },
      { value: red ?? 1, color: 'green' },
    ];
  return [
    { value: null, color: 'green' },
    ...(yellow === undefined ? [] : [{ value: yellow, color: 'yellow' }]),
    ...(red === undefined ? [] : [{ value: red, color: 'red' }]),
  ];
}

/** A row for each series now. */
export function rows(shown: Shown): TableBuilder {
  const queries = dataQueries(shown.queries, true).map((query) => query.format(PromQueryFormat.Table));
  return new TableBuilder()
    .title(shown.title)
    .description(shown.description)
    .unit(shown.unit)
    .datasource(datasource)
    .height(10)
    .span(24)
    .targets(queries);
}

export function row(title: string): RowBuilder {
  return new RowBuilder(title);
}

/** An empty dashboard with the variables that all of ours have. */
export function dashboard(uid: string, title: string, description: string): DashboardBuilder {
  const choice = (name: string, query: string): QueryVariableBuilder =>
    new QueryVariableBuilder(name)
      .label(name)
      .datasource(datasource)
      .query({ query, refId: name })
      .definition(query)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .includeAll(true)
      .multi(true)
      .allValue('.*')
      .current({ selected: true, text: 'All', value: '$__all' });
  return new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['opensvc', 'gobetween'])
    .timezone('browser')
    .refresh('30s')
    .time({ from: 'now-3h', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('datasource').label('datasource').type('prometheus'))
    .withVariable(choice('cluster', 'label_values(gobtw_janitor_build_info, cluster)'))
    .withVariable(
      choice('instance', 'label_values(gobtw_janitor_build_info{cluster=~"$cluster"}, instance)'),
    );
}
