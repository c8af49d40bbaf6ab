import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createArbiter, type Grant } from '../../../src/ports/arbiter.js';
import { placeAlone, type PlaceRequest } from '../../../src/ports/pool.js';
import { claimOf, keyOf, serverName } from '../../support/claims.js';
import { createFakeClock } from '../../support/fake-clock.js';

const web = claimOf('web', 443, null);
const api = claimOf('api', 443, null);
const keys = [web.key, api.key];

/** An arbiter of four ports that places two claims or more elsewhere; `arrive` ends that, `null`: it fails. */
function open(atLeast = 2) {
  const requests: PlaceRequest[] = [];
  let arrive: (ports: Int32Array | null) => void = () => assert.fail('nothing is under way');
  const arbiter = createArbiter({
    clock: createFakeClock(),
    range: { from: 2000, to: 2003 },
    reserved: new Set([2000]),
    wide: {
      atLeast,
      place: (request) => {
        requests.push(request);
        return new Promise((resolve, reject) => {
          arrive = (ports) => (ports === null ? reject(new Error('crash')) : resolve(ports));
        });
      },
    },
  });
  const ports = (): (number | string)[] => {
    const { grants } = arbiter.decide(keys);
    return [web, api].map(({ id }) => shown(grants.get(id)));
  };
  for (const claim of [web, api]) arbiter.setClaims(claim.key, [claim]);
  return { arbiter, requests, ports, arrive: (result: Int32Array | null) => arrive(result) };
}

const shown = (grant: Grant | undefined): number | string =>
  grant === undefined ? 'nothing' : grant.kind === 'granted' ? grant.port : grant.code;

/** Where the claims go when nothing interferes, in the order web, api. */
const undisturbed = open(9).ports();

describe('placing ahead', () => {
  test('asks for the smaller path first, and says what is taken', async () => {
    const { arbiter, requests, arrive, ports } = open();
    arbiter.hold('foreign', null, { proto: 'udp', addr: '::', port: 2003 });
    const placed = arbiter.placeAhead();
    const [request] = requests as [PlaceRequest];
    assert.equal(request.hashes.length, 2);
    assert.deepEqual([...request.taken].sort(), [2000, 65536 + 2000, 65536 + 2003]);
    const chosen = placeAlone(request);
    assert.deepEqual([...chosen].reverse(), undisturbed);
    arrive(chosen);
    await placed;
    assert.deepEqual(ports(), undisturbed);
  });

  test('is for many claims: fewer are placed by the decision', async () => {
    const { arbiter, requests, ports } = open(3);
    await arbiter.placeAhead();
    assert.deepEqual(requests, []);
    assert.deepEqual(ports(), undisturbed);
  });

  test('takes the ports that it is given', async () => {
    const { arbiter, arrive, ports } = open();
    const placed = arbiter.placeAhead();
    arrive(Int32Array.of(2003, 2002));
    await placed;
    assert.deepEqual(ports(), [2002, 2003]);
  });

  test('that fails leaves it to the decision', async () => {
    const { arbiter, arrive, ports } = open();
    const placed = arbiter.placeAhead();
    arrive(null);
    await placed;
    assert.deepEqual(ports(), undisturbed);
  });

  test('leaves a port alone on which somebody sat down meanwhile, and its claim finds another', async () => {
    const { arbiter, arrive, ports } = open();
    const placed = arbiter.placeAhead();
    arbiter.setClaims(keyOf('db'), [claimOf('db', 5432, 2003)]);
    arrive(Int32Array.of(2003, 2002));
    await placed;
    assert.deepEqual(ports(), [2002, 2001]);
  });

  test('keeps off an explicit port of the cluster also where that is not served', async () => {
    const { arbiter, arrive, ports } = open();
    const placed = arbiter.placeAhead();
    arbiter.setClaims(keyOf('db'), [claimOf('db', 5432, 2003, { served: false })]);
    arrive(Int32Array.of(2003, 2002));
    await placed;
    assert.deepEqual(ports(), [2002, 2001]);
  });

  test('counts for nothing once a decision was made without it', async () => {
    const { arbiter, arrive, ports } = open();
    const placed = arbiter.placeAhead();
    for (const port of [2001, 2002, 2003]) arbiter.hold(`f${port}`, null, { proto: 'tcp', addr: '::', port });
    assert.deepEqual(ports(), ['port-exhausted', 'port-exhausted']);
    for (const port of [2001, 2002, 2003]) arbiter.release(`f${port}`);
    const [first, second] = undisturbed as [number, number];
    arrive(Int32Array.of(first, second));
    await placed;
    assert.deepEqual(ports(), undisturbed);
  });

  test('leaves a port alone that turned out to be busy', async () => {
    const { arbiter, arrive, ports } = open();
    const placed = arbiter.placeAhead();
    arbiter.busy({ proto: 'tcp', addr: '0.0.0.0', port: 2003 }, true);
    arrive(Int32Array.of(2003, 2002));
    await placed;
    assert.deepEqual(ports(), [2002, 2001]);
  });

  test('gives a claim whose server was found on its port that port', async () => {
    const { arbiter, arrive, ports } = open();
    const placed = arbiter.placeAhead();
    arbiter.hold(serverName(api), api.key, { proto: 'tcp', addr: '0.0.0.0', port: 2003 });
    arrive(Int32Array.of(2003, 2002));
    await placed;
    assert.deepEqual(ports(), [2002, 2003]);
  });

  test('seats nobody who left meanwhile, and asks again for who came back', async () => {
    const { arbiter, arrive, ports } = open();
    const placed = arbiter.placeAhead();
    arbiter.removeKey(web.key);
    arbiter.setClaims(api.key, []);
    arbiter.setClaims(api.key, [api]);
    arrive(Int32Array.of(2003, 2002));
    await placed;
    assert.equal(arbiter.usage().tcp.used, 0);
    const [gone, back] = ports();
    assert.equal(gone, 'nothing');
    assert.notEqual(back, 'nothing');
  });

  test('says who found no port only once that was decided', async () => {
    const { arbiter, arrive, ports } = open();
    for (const port of [2001, 2002, 2003]) arbiter.hold(`f${port}`, null, { proto: 'tcp', addr: '::', port });
    const placed = arbiter.placeAhead();
    assert.equal(arbiter.exhausted(), 0);
    arrive(Int32Array.of(0, 0));
    await placed;
    assert.equal(arbiter.exhausted(), 0);
    assert.deepEqual(ports(), ['port-exhausted', 'port-exhausted']);
    assert.equal(arbiter.exhausted(), 2);
    await arbiter.placeAhead();
    assert.deepEqual(ports(), ['port-exhausted', 'port-exhausted']);
  });
});
