/** The lean agent of one node, with the cluster's DNS, as a process: what happens in the cluster is told to it by calls. */
import { startDns } from '../../src/sim/dns/dns.js';
import { type Fixture, firstState, nodeOf, pathOf, wordFor } from '../fixture.js';
import { nowMs, pause } from '../machine-clock.js';
import { serve } from '../remote.js';
import { type AgentData, createAgentData } from './agent-data.js';
import { listenAgent, type Seen } from './agent-socket.js';
import { configChanges, createStream, frame, sessionChanges, statusChanges } from './agent-stream.js';
import { runStorm, type StormPlan } from './storm-plan.js';
import { noopBytes } from './noop-bytes.js';

const stream = createStream();
const seen: Seen = { actions: new Map(), reads: [] };
let readsPerSecond = 0;
let data: AgentData | null = null;
let fixture: Fixture | null = null;

function present(): { readonly data: AgentData; readonly fixture: Fixture } {
  if (data === null || fixture === null) throw new Error('not started');
  return { data, fixture };
}

export type AgentProcess = typeof methods;

const methods = {
  async start(options: { readonly socketPath: string; readonly fixture: Omit<Fixture, 'dnsPort'> }) {
    // the zone is asked for its SOA only
    const none = createAgentData({ ...options.fixture, services: 0, dnsPort: 0 });
    const dns = await startDns({ cluster: none.template, bind: '127.0.0.1:0' });
    fixture = { ...options.fixture, dnsPort: dns.port };
    data = createAgentData(fixture);
    await listenAgent({ path: options.socketPath, data, stream, seen, readsPerSecond: () => readsPerSecond });
    setInterval(beat, 5000);
    return { dnsPort: dns.port, statusBytes: data.status().length };
  },
  setReadRate(perSecond: number) {
    readsPerSecond = perSecond;
  },
  /** One service gets another bind, or only another checksum; returns when its frame was written. */
  change({ service, bind }: { readonly service: number; readonly bind: string | null }) {
    const { rev } = present().data.change(service, bind);
    const at = nowMs();
    stream.send([frame(configChanges(service, rev))]);
    return at;
  },
  storm: (plan: StormPlan) => runStorm(plan, present().data, stream),
  /** Frames that say nothing to a gateway, as fast as they are read; milliseconds until the last left. */
  async noop(options: { readonly frames: number; readonly seed: number }) {
    const slices = noopBytes(options, present().fixture.services);
    const startedAt = nowMs();
    for (const slice of slices) await stream.sendBytes(slice);
    return { ms: nowMs() - startedAt, bytes: slices.reduce((sum, { length }) => sum + length, 0) };
  },
  subscribers: () => stream.subscribers(),
  /** Announced deletions of all but the first `left` services. */
  async shrink(left: number) {
    const { services } = present().fixture;
    for (let service = left; service < services; service++) {
      const status = `["monitor", "nodes", "${nodeOf(service)}", "services", "status", "${pathOf(service)}"`;
      stream.send([frame([`[${status}, "monitor", "global_expect"], "deleted"]`])]);
      present().data.remove(service);
      stream.send([
        frame([
          `[${status}]]`,
          `[${status.replace('"status"', '"config"')}]]`,
          `[["monitor", "services", "${pathOf(service)}"]]`,
        ]),
      ]);
      if (service % 100 === 0) await pause(10);
    }
  },
  counts: () => ({
    actions: Object.fromEntries(seen.actions),
    reads: seen.reads.length,
    backlog: stream.backlog(),
    frames: stream.frames(),
  }),
  reads: () => seen.reads,
  forget() {
    seen.actions.clear();
    seen.reads.length = 0;
  },
  bind: (service: number) => present().data.state(service)?.bind,
  firstBind: (service: number) => firstState(present().fixture, service).bind,
  word: (port: number) => wordFor(8080, present().fixture.addr, port),
};
serve(methods);

/** An agent that is quiet still refreshes a status now and then, and counts its own connections. */
let beats = 0;
function beat(): void {
  beats += 1;
  stream.send([
    frame(sessionChanges(beats)),
    frame(statusChanges(beats % Math.max(1, present().fixture.services))),
  ]);
}
