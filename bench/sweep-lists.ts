/** Lists of GoBetween's servers as bytes, and a ledger that knows what was in one. */
import { createSharedBytes } from '../src/body-bytes.js';
import { systemClock } from '../src/clock.js';
import { createLedger, type Ledger } from '../src/gobetween/ledger.js';
import { createInlineCompute } from '../src/worker/compute.js';
import { type Fixture, firstState, serversOf, wordFor } from './fixture.js';
import { createLeanServers } from './stand-ins/gobetween-servers.js';

const FIXTURE = { addr: '0.0.0.0', firstPort: 10_000, dnsPort: 53 };
/** Ports of changed servers, as far away as there is room. */
const MOVED = 25_000;

/** GET /servers of so many servers as the client hands it on; each `changedEvery`th listens elsewhere (0: none). */
export function listBytes(count: number, changedEvery = 0): Uint8Array {
  const servers = createLeanServers();
  const fixture: Fixture = { ...FIXTURE, services: count };
  for (let service = 0; service < count; service++) {
    const moved = changedEvery > 0 && service % changedEvery === 0;
    const bind = wordFor(8080, fixture.addr, fixture.firstPort + MOVED + service);
    const state = moved ? { bind, rev: 1 } : firstState(fixture, service);
    for (const { name, body } of serversOf(fixture, service, state)) {
      const refused = servers.create(name, body);
      if (refused !== null) throw new Error(refused);
    }
  }
  const text = Buffer.from(servers.list());
  const shared = createSharedBytes(64 * 2 ** 20);
  shared.begin();
  if (!shared.append(text)) throw new Error('the list is larger than the client takes');
  return shared.bytes;
}

/** A ledger that has seen this list; null: one that has seen none. */
export async function ledgerThatSaw(list: Uint8Array | null): Promise<Ledger> {
  const ledger = createLedger(systemClock);
  if (list === null) return ledger;
  const observed = await createInlineCompute().observe(list, []);
  if (observed === null) throw new Error('the list is none');
  ledger.replaceAll(observed, ledger.mark());
  return ledger;
}
