import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createDnsChoice, type DnsChoice } from '../../../src/source/dns-choice.js';
import type { DnsQuestion } from '../../../src/source/dns-probe.js';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.js';

interface Chosen {
  readonly clock: FakeClock;
  readonly choice: DnsChoice;
  /** Servers that do not answer: `10.0.0.1`, or `10.0.0.1 udp`. */
  readonly down: Set<string>;
  readonly asked: DnsQuestion[];
  readonly changes: () => number;
}

function choose(...down: readonly string[]): Chosen {
  const clock = createFakeClock();
  const silent = new Set(down);
  const asked: DnsQuestion[] = [];
  let changes = 0;
  const choice = createDnsChoice({
    clock,
    async probe(question) {
      asked.push(question);
      const isDown = silent.has(question.ip) || silent.has(`${question.ip} ${question.protocol}`);
      return isDown ? { answers: false, why: 'REFUSED' } : { answers: true };
    },
    onChange: () => changes++,
  });
  return { clock, choice, down: silent, asked, changes: () => changes };
}

const A = '10.0.0.1';
const B = '10.0.0.2';

describe('dns choice', () => {
  test('an empty list: no server, and every present one is kept', () => {
    const { choice } = choose();
    assert.equal(choice.preferred(53, 'tcp'), null);
    assert.equal(choice.acceptable(A, 53, 'tcp'), true);
  });

  test('at a first start the first is taken before any probe, and kept when it answers', async () => {
    const { choice, clock, asked, changes } = choose();
    choice.setCluster('clu1', [A, B]);
    assert.equal(changes(), 1);
    assert.equal(choice.preferred(53, 'tcp'), A);
    await clock.advance(60_000);
    assert.equal(choice.preferred(53, 'tcp'), A);
    assert.equal(changes(), 1, 'nothing changed since');
    assert.deepEqual(asked[0], { ip: A, port: 53, protocol: 'tcp', zone: 'clu1' });
    assert.equal(asked.length, 14, 'two servers, each 10 s');
  });

  test('says when every server that is asked for was probed: before that, what is preferred is a guess', async () => {
    const { choice, clock } = choose(A);
    assert.equal(choice.probed(), true, 'no zone: nothing will be probed');
    choice.setCluster('clu1', [A, B]);
    assert.equal(choice.probed(), true, 'nobody asked for a server');
    assert.equal(choice.preferred(53, 'tcp'), A);
    assert.equal(choice.probed(), false);
    await clock.advance(1);
    assert.equal(choice.probed(), true);
    assert.equal(choice.preferred(53, 'tcp'), B);
  });

  test('none answers: the first, for ever', async () => {
    const { choice, clock } = choose(A, B);
    choice.setCluster('clu1', [A, B]);
    choice.preferred(53, 'tcp');
    await clock.advance(3_600_000);
    assert.equal(choice.preferred(53, 'tcp'), A);
    assert.equal(choice.acceptable(A, 53, 'tcp'), true);
    assert.equal(choice.acceptable(B, 53, 'tcp'), true);
  });

  test('new servers go to one that answers; old ones stay for 60 s of it', async () => {
    const { choice, clock, changes } = choose(A);
    choice.setCluster('clu1', [A, B]);
    choice.preferred(53, 'tcp');
    await clock.advance(1000);
    assert.equal(choice.preferred(53, 'tcp'), B);
    assert.equal(choice.acceptable(A, 53, 'tcp'), true);
    await clock.advance(58_000);
    assert.equal(choice.acceptable(A, 53, 'tcp'), true);
    const before = changes();
    await clock.advance(3000);
    assert.equal(choice.acceptable(A, 53, 'tcp'), false);
    assert.equal(changes(), before + 1);
  });

  test('sticky: the first one that comes back is acceptable again, and not preferred again', async () => {
    const { choice, clock, down } = choose(A);
    choice.setCluster('clu1', [A, B]);
    choice.preferred(53, 'tcp');
    await clock.advance(120_000);
    down.clear();
    await clock.advance(11_000);
    assert.equal(choice.acceptable(A, 53, 'tcp'), true);
    assert.equal(choice.preferred(53, 'tcp'), B);
  });

  test('none answers: keep, also what was given up before', async () => {
    const { choice, clock, down, changes } = choose(A);
    choice.setCluster('clu1', [A, B]);
    choice.preferred(53, 'tcp');
    await clock.advance(120_000);
    assert.equal(choice.acceptable(A, 53, 'tcp'), false);
    down.add(B);
    await clock.advance(11_000);
    assert.equal(choice.acceptable(A, 53, 'tcp'), true);
    const before = changes();
    down.delete(B);
    await clock.advance(11_000);
    assert.equal(choice.acceptable(A, 53, 'tcp'), false);
    assert.equal(changes(), before + 1);
  });

  test('none answers: keep, also what left the list, until one of the list answers', async () => {
    const { choice, clock, down, changes } = choose(B);
    choice.setCluster('clu1', [A]);
    choice.preferred(53, 'tcp');
    await clock.advance(20_000);
    choice.setCluster('clu1', [B]);
    assert.equal(choice.acceptable(A, 53, 'tcp'), true);
    await clock.advance(120_000);
    assert.equal(choice.acceptable(A, 53, 'tcp'), true);
    const before = changes();
    down.clear();
    await clock.advance(11_000);
    assert.equal(changes(), before + 1);
    assert.equal(choice.acceptable(A, 53, 'tcp'), false);
    await clock.advance(60_000);
    assert.equal(changes(), before + 1);
  });

  test('down for less than 60 s at a time, again and again: kept', async () => {
    const { choice, clock, down } = choose();
    choice.setCluster('clu1', [A, B]);
    choice.preferred(53, 'tcp');
    for (let i = 0; i < 20; i++) {
      down.add(A);
      await clock.advance(50_000);
      down.delete(A);
      await clock.advance(10_000);
      assert.equal(choice.acceptable(A, 53, 'tcp'), true);
    }
  });

  test('both down in the middle: the 60 s begin anew', async () => {
    const { choice, clock, down } = choose();
    choice.setCluster('clu1', [A, B]);
    choice.preferred(53, 'tcp');
    down.add(A);
    await clock.advance(50_000);
    down.add(B);
    await clock.advance(3_600_000);
    assert.equal(choice.acceptable(A, 53, 'tcp'), true);
    down.delete(B);
    await clock.advance(50_000);
    assert.equal(choice.acceptable(A, 53, 'tcp'), true);
    await clock.advance(30_000);
    assert.equal(choice.acceptable(A, 53, 'tcp'), false);
  });

  test('one that left the list is not acceptable, at once', async () => {
    const { choice, clock, changes } = choose();
    choice.setCluster('clu1', [A, B]);
    choice.preferred(53, 'tcp');
    await clock.advance(1000);
    const before = changes();
    choice.setCluster('clu1', [B]);
    assert.equal(changes(), before + 1);
    assert.equal(choice.acceptable(A, 53, 'tcp'), false);
    assert.equal(choice.preferred(53, 'tcp'), B);
  });

  test('a reordered list changes nothing in use', async () => {
    const { choice, clock } = choose();
    choice.setCluster('clu1', [A, B]);
    choice.preferred(53, 'tcp');
    await clock.advance(1000);
    choice.setCluster('clu1', [B, A]);
    await clock.advance(20_000);
    assert.equal(choice.preferred(53, 'tcp'), A);
    assert.equal(choice.acceptable(B, 53, 'tcp'), true);
  });

  test('ports and protocols are judged for themselves', async () => {
    const { choice, clock } = choose(`${A} tcp`);
    choice.setCluster('clu1', [A, B]);
    choice.preferred(53, 'tcp');
    choice.preferred(53, 'udp');
    await clock.advance(90_000);
    assert.deepEqual([choice.preferred(53, 'tcp'), choice.preferred(53, 'udp')], [B, A]);
    assert.deepEqual([choice.acceptable(A, 53, 'tcp'), choice.acceptable(A, 53, 'udp')], [false, true]);
    const report = choice.report().find(({ ip, protocol }) => ip === A && protocol === 'tcp');
    assert.deepEqual(report, {
      ...{ ip: A, port: 53, protocol: 'tcp', preferred: false },
      ...{ acceptable: false, answers: false, why: 'REFUSED' },
    });
  });

  test('ports out of keywords do not grow the work without bound', async () => {
    const { choice, clock, asked } = choose();
    choice.setCluster('clu1', [A]);
    for (let port = 1; port <= 2000; port++) assert.equal(choice.preferred(port, 'tcp'), A);
    await clock.advance(1000);
    assert.equal(asked.length, 64);
    assert.equal(choice.acceptable(A, 1999, 'tcp'), true);
  });

  test('a long pause of the machine proves nothing about a server', async () => {
    const { choice, clock, down } = choose();
    choice.setCluster('clu1', [A, B]);
    choice.preferred(53, 'tcp');
    await clock.advance(1000);
    let jumped = 0;
    const now = clock.now.bind(clock);
    Object.assign(clock, { now: () => now() + jumped });
    down.add(A);
    await clock.advance(10_000);
    jumped = 600_000;
    await clock.advance(10_000);
    assert.equal(choice.acceptable(A, 53, 'tcp'), true);
  });

  test('stop leaves no timer', async () => {
    const { choice, clock } = choose();
    choice.setCluster('clu1', [A]);
    choice.preferred(53, 'tcp');
    await clock.advance(15_000);
    choice.stop();
    assert.equal(clock.pending, 0);
  });
});
