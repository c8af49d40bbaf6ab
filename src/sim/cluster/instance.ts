/**
 * What one instance shows: its resources with their addresses and exposed ports, made from the evaluated config. A
 * config that cannot be evaluated shows no resources, as an instance whose status never ran.
 */
import type { Json } from './dataset.js';
import { type EvaluationContext, evaluateConfig, type Value } from './evaluate.js';
import type { Sections } from './ini.js';
import type { InstanceInput, ResourceInput } from './status.js';

export interface InstanceState {
  readonly context: EvaluationContext;
  readonly sections: Sections;
  readonly up: boolean;
  readonly created: number;
  readonly frozen: number;
  /** The node that runs a failover service. */
  readonly leader: boolean;
  /** Whether status and aggregate already show the slave flag. */
  readonly slaveShown: boolean;
  readonly slaves: readonly string[];
  /** The address of an ip resource that has no literal `ipname`; undefined when it has none here. */
  readonly address: (rid: string) => string | undefined;
}

const isAddress = (text: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(text) || text.includes(':');

function info(values: { readonly [keyword: string]: Value }): { [key: string]: Json } {
  const shown = ['ipdev', 'netmask', 'expose'].flatMap((key) => {
    const value = values[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(shown);
}

function resource(
  rid: string,
  values: { readonly [keyword: string]: Value },
  state: InstanceState,
): ResourceInput | undefined {
  const group = rid.split('#')[0];
  if (group === 'expose') {
    const { port = 0, protocol = 'tcp' } = values;
    return { rid, type: 'expose', label: `${String(port)}/${String(protocol)}`, info: { port, protocol } };
  }
  if (group !== 'ip') return undefined;
  const named = values['ipname'];
  const literal = typeof named === 'string' && isAddress(named) ? named : undefined;
  const ipaddr = literal ?? state.address(rid);
  const label = `${ipaddr ?? String(named ?? '')}/${String(values['netmask'] ?? 32)} ${String(values['ipdev'] ?? '')}`;
  return {
    rid,
    type: values['type'] === undefined ? 'ip' : `ip.${String(values['type'])}`,
    label: label.trim(),
    info: { ...(ipaddr === undefined ? {} : { ipaddr }), ...info(values) },
  };
}

/** Everything that `instanceStatus` needs. */
export function describeInstance(state: InstanceState): InstanceInput {
  const evaluated = evaluateConfig(state.sections, state.context);
  const data = evaluated.kind === 'data' ? evaluated.data : {};
  const defaults = data['DEFAULT'] ?? {};
  const scale = typeof defaults['scale'] === 'number' ? defaults['scale'] : null;
  const resources =
    scale === null && defaults['disable'] !== true
      ? Object.entries(data).flatMap(([rid, values]) => resource(rid, values, state) ?? [])
      : [];
  return {
    kind: state.context.kind,
    up: state.up,
    created: state.created,
    frozen: state.frozen,
    flex: defaults['topology'] === 'flex' || scale !== null || defaults['scaler_slave'] === true,
    slave: defaults['scaler_slave'] === true && state.slaveShown,
    scale,
    slaves: state.slaves,
    resources,
    leader: state.leader && resources.length > 0,
  };
}
