/**
 * The storm itself, played by the agent's stand-in: relevant events over the flapping services at an even rate, a bystander
 * now and then that changes once, and newcomers. Seeded. Invariant: a flapping service never ends as it began.
 */
import { type Fixture, pathOf, nodeOf, wordFor } from '../fixture.js';
import { nowMs, pause } from '../machine-clock.js';
import { createRandom } from '../random.js';
import type { AgentData } from './agent-data.js';
import { configChanges, frame, type Stream } from './agent-stream.js';

export interface StormPlan {
  readonly seed: number;
  readonly fixture: Fixture;
  readonly events: number;
  readonly flapping: number;
  readonly durationMs: number;
  /** flap: each event moves the service's listener. same: each changes the checksum only. */
  readonly kind: 'flap' | 'same';
  readonly bystanders: number;
  readonly newcomers: number;
}

export interface StormChange {
  readonly service: number;
  readonly bind: string;
  /** When its last frame was written. */
  readonly at: number;
  readonly role: 'flapping' | 'bystander' | 'newcomer';
}

export interface StormResult {
  readonly changes: readonly StormChange[];
  readonly events: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

const TICK_MS = 5;
/** Where the flapping ones listen in turn, and the bystanders: nobody else's ports, up to 500 newcomers included. */
const FLAP_PORTS = [30_500, 4_000] as const;
const BYSTANDER_PORT = 6_000;

export async function runStorm(plan: StormPlan, data: AgentData, stream: Stream): Promise<StormResult> {
  const { fixture, events, flapping, durationMs } = plan;
  const random = createRandom(plan.seed);
  const all = random.shuffled(fixture.services);
  const flappers = all.slice(0, flapping);
  const bystanders = all.slice(flapping, flapping + plan.bystanders);
  const last = new Map<number, StormChange>();
  let order: readonly number[] = [];
  const startedAt = nowMs();
  let sent = 0;
  let stood = 0;
  let came = 0;

  function flap(): string {
    const place = sent % flapping;
    if (place === 0) order = random.shuffled(flapping);
    const index = order[place] ?? 0;
    const service = flappers[index] ?? 0;
    const turn = Math.floor(sent / flapping);
    const port = (FLAP_PORTS[turn % 2] ?? 0) + index;
    sent += 1;
    return change(service, plan.kind === 'same' ? null : wordFor(8080, fixture.addr, port), 'flapping');
  }

  function change(service: number, bind: string | null, role: StormChange['role']): string {
    const state = data.change(service, bind);
    last.set(service, { service, bind: state.bind, at: nowMs(), role });
    return frame(configChanges(service, state.rev));
  }

  function newcomer(): string {
    const service = fixture.services + came;
    came += 1;
    data.add(service);
    const { status, config, aggregate } = data.parts(service);
    const path = pathOf(service);
    const node = `"monitor", "nodes", "${nodeOf(service)}", "services"`;
    last.set(service, { service, bind: data.state(service)?.bind ?? '', at: nowMs(), role: 'newcomer' });
    return frame([
      `[[${node}, "config", "${path}"], ${config}]`,
      `[["monitor", "services", "${path}"], ${aggregate}]`,
      `[[${node}, "status", "${path}"], ${status}]`,
    ]);
  }

  while (sent < events) {
    const share = Math.min(1, (nowMs() - startedAt) / durationMs);
    const frames: string[] = [];
    while (sent < Math.ceil(share * events)) frames.push(flap());
    while (stood < Math.floor(share * plan.bystanders)) {
      const service = bystanders[stood] ?? 0;
      frames.push(change(service, wordFor(8080, fixture.addr, BYSTANDER_PORT + stood), 'bystander'));
      stood += 1;
    }
    while (came < Math.floor(share * plan.newcomers)) frames.push(newcomer());
    stream.send(frames);
    await pause(TICK_MS);
  }
  return { changes: [...last.values()], events: sent, startedAt, endedAt: nowMs() };
}
