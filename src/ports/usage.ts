/** How full the range is, for the metrics that warn long before it is exhausted (SPEC §5). */
import type { L4 } from '../model/server.js';
import type { PortRange } from './probe.js';
import { type Slots, slotPort, slotProto } from './slots.js';

/** Ports of the range; every port counts once: reserved before used before quarantined before free. */
export interface Usage {
  readonly free: number;
  readonly used: number;
  readonly reserved: number;
  readonly quarantined: number;
  readonly total: number;
}

export interface UsageInput {
  readonly range: PortRange;
  readonly reserved: ReadonlySet<number>;
  readonly slots: Slots;
  readonly quarantined: readonly number[];
}

export function countUsage(input: UsageInput): Readonly<Record<L4, Usage>> {
  return { tcp: countOne('tcp', input), udp: countOne('udp', input) };
}

function countOne(proto: L4, { range, reserved, slots, quarantined }: UsageInput): Usage {
  const counts = (port: number): boolean => port >= range.from && port <= range.to;
  const total = range.to - range.from + 1;
  const kept = [...reserved].filter(counts).length;
  let used = 0;
  for (const [id] of slots.all()) {
    const port = slotPort(id);
    if (slotProto(id) === proto && counts(port) && !reserved.has(port)) used += 1;
  }
  const away = quarantined.filter((id) => {
    const port = slotPort(id);
    return slotProto(id) === proto && counts(port) && !reserved.has(port) && slots.get(id) === undefined;
  }).length;
  return { free: total - kept - used - away, used, reserved: kept, quarantined: away, total };
}
