import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ServiceKey } from '../../../src/model/service.js';
import type { Exposure } from '../../../src/operator/exposures.js';
import { createFeed } from '../../../src/operator/feed.js';
import { type GatewayView } from '../../../src/operator/gateway.js';
import { createHistory } from '../../../src/operator/history.js';
import { createFakeClock } from '../../support/fake-clock.js';

function rig() {
  const clock = createFakeClock();
  const history = createHistory(clock);
  const asked: ServiceKey[] = [];
  let line = 'in sync';
  const feed = createFeed({
    ...{ clock, history },
    rowsOf(key) {
      asked.push(key);
      return [{ service: key as string } as unknown as Exposure];
    },
    gateway: () => ({ line }) as GatewayView,
  });
  const view = () => {
    const frames: { name: string; data: unknown }[] = [];
    let takes = true;
    const leave = feed.follow((frame) => {
      const match = /^event: (\w+)\ndata: (.*)\n\n$/.exec(frame);
      if (match !== null) frames.push({ name: match[1] ?? '', data: JSON.parse(match[2] ?? '') });
      return takes;
    });
    return {
      leave,
      of: (name: string) => frames.filter((frame) => frame.name === name).map(({ data }) => data),
      choke: () => {
        takes = false;
      },
    };
  };
  return { clock, history, feed, asked, view, say: (next: string) => (line = next) };
}

const key = (name: string): ServiceKey => `root/svc/${name}` as ServiceKey;

describe('the feed', () => {
  test('costs nothing while nobody looks', async () => {
    const { clock, feed, asked } = rig();
    for (let i = 0; i < 1000; i++) feed.touch(key(`s${i}`));
    await clock.advance(60_000);
    assert.deepEqual(asked, []);
  });

  test('tells a service once that changed ten times between two looks', async () => {
    const { clock, feed, asked, view } = rig();
    const viewer = view();
    for (let i = 0; i < 10; i++) feed.touch(key('web'));
    await clock.advance(200);
    assert.deepEqual(asked, [key('web')]);
    assert.deepEqual(viewer.of('exposures'), [[{ service: 'web', rows: [{ service: key('web') }] }]]);
  });

  test('does a bounded piece of work at a time, and tells all of them in the end', async () => {
    const { clock, feed, asked, view } = rig();
    view();
    for (let i = 0; i < 1000; i++) feed.touch(key(`s${i}`));
    await clock.advance(200);
    assert.equal(asked.length, 150);
    await clock.advance(2000);
    assert.equal(new Set(asked).size, 1000);
    assert.equal(asked.length, 1000);
  });

  test('tells events that come after the viewer, and the line when it changes', async () => {
    const { clock, history, view, say } = rig();
    history.note({ kind: 'order', service: null, server: null, text: 'before' });
    const viewer = view();
    assert.deepEqual(viewer.of('gateway'), [{ line: 'in sync' }]);
    history.note({ kind: 'order', service: null, server: null, text: 'after' });
    await clock.advance(3000);
    assert.deepEqual(
      (viewer.of('events') as { text: string }[][]).flat().map(({ text }) => text),
      ['after'],
    );
    const told = viewer.of('gateway').length;
    await clock.advance(5000);
    assert.equal(viewer.of('gateway').length, told);
    say('one change on the way');
    await clock.advance(1000);
    assert.deepEqual(viewer.of('gateway').at(-1), { line: 'one change on the way' });
  });

  test('says reload when everything may be different, in place of the rows', async () => {
    const { clock, feed, asked, view } = rig();
    const viewer = view();
    feed.touch(key('web'));
    feed.touchAll();
    await clock.advance(200);
    assert.equal(viewer.of('reload').length, 1);
    assert.deepEqual(asked, []);
  });

  test('lets go of who leaves or chokes, and takes 32 at most', async () => {
    const { clock, feed, view } = rig();
    const one = view();
    const other = view();
    one.leave?.();
    assert.equal(feed.viewers(), 1);
    other.choke();
    feed.touch(key('web'));
    await clock.advance(200);
    assert.equal(feed.viewers(), 0);
    const all = Array.from({ length: 33 }, view);
    assert.equal(all.at(31)?.leave === null, false);
    assert.equal(all.at(32)?.leave, null);
  });
});
