/** What bench/crossover has done: configs, servers to write out, lists and statuses of about a size. */
import type { ServiceKey } from '../src/model/service.js';
import type { CompileContext } from '../src/model/spec.js';
import { type CompileInput, compile } from '../src/worker/compile.js';
import { type RenderJob, renderJob } from '../src/worker/render.js';
import { configText, context, type Fixture, firstState, pathOf } from './fixture.js';
import { createAgentData } from './stand-ins/agent-data.js';
import { listBytes as listOf } from './sweep-lists.js';

/** A server in a list, and a service in a status. */
const ITEM_BYTES = 950;
const countOf = (bytes: number): number => Math.max(1, Math.round(bytes / ITEM_BYTES));
const fixtureOf = (services: number): Fixture => ({
  services,
  addr: '0.0.0.0',
  firstPort: 10_000,
  dnsPort: 53,
});

export function jobsOf(size: number): {
  readonly inputs: readonly CompileInput[];
  readonly context: CompileContext;
  readonly renders: readonly RenderJob[];
} {
  const fixture = fixtureOf(size);
  const inputs = Array.from({ length: size }, (_, service): CompileInput => {
    const raw = configText(service, firstState(fixture, service), fixture.dnsPort);
    return { key: pathOf(service) as ServiceKey, raw, evaluated: null, loop: null, slave: false };
  });
  const renders = inputs.flatMap((input) => {
    const { template, words } = compile(input, context);
    if (template === null) throw new Error(`${input.key} asks for nothing`);
    const place = { lookupServer: '10.0.0.1:53', expected: null };
    return words.map((word) => renderJob(template, word, { ...place, listenPort: word.listen ?? 0 }));
  });
  return { inputs, context, renders };
}

export const listBytes = (bytes: number): Uint8Array => listOf(countOf(bytes));

/** As the source hands it on: without the final NUL. */
export function statusBytes(bytes: number): Uint8Array {
  const status = createAgentData(fixtureOf(countOf(bytes))).status();
  return status.subarray(0, status.length - 1);
}
