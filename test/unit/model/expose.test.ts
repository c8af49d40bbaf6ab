import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { notExposed, readExpose } from '../../../src/model/expose.js';
import type { L4 } from '../../../src/model/server.js';

function why(expose: Record<string, string>, port: number, proto: L4 = 'tcp', dialect: 'v2' | 'v3' = 'v2') {
  const word = { text: `${port}/${proto}`, port, proto, addr: '0.0.0.0', listen: null };
  const sections = Object.fromEntries(
    Object.entries(expose).map(([at, value]) => {
      const [section = '', name = 'expose'] = at.split('.');
      return [section, { [name]: value }];
    }),
  );
  return notExposed(word, readExpose(sections, dialect), dialect);
}

describe('words that a record exists for', () => {
  test('in any section, scope and order', () => {
    assert.equal(why({ 'ip#1': '80/tcp 443/tcp' }, 443), null);
    assert.equal(why({ 'ip#1': '80/tcp', 'container#2.expose@n1': '443-tcp' }, 443), null);
    assert.equal(why({ 'ip#1': '53/udp' }, 53, 'udp'), null);
  });
  test('v2.1 publishes the left number, v3 the right one', () => {
    const line = { 'ip#1': '8443/tcp:443' };
    assert.equal(why(line, 8443), null);
    assert.equal(why(line, 443, 'tcp', 'v3'), null);
    assert.equal(why({ 'ip#1': '443/tcp' }, 443, 'tcp', 'v3'), null);
  });
  test('a reference or another resource could publish anything', () => {
    for (const open of ['container#1', '{env.expose}', '$(80)/tcp', 'http/tcp', '443/{env.proto}']) {
      assert.equal(why({ 'ip#1': open }, 443), null, open);
    }
  });
});

describe('words that none exists for', () => {
  test('say the line to write', () => {
    for (const expose of [{}, { 'ip#1': '80/tcp' }, { 'ip#1': '443/udp' }]) {
      const found = why(expose, 443);
      assert.match(found?.message ?? '', /no expose line publishes 443\/tcp/);
      assert.match(found?.mend ?? '', /expose = 443\/tcp/);
    }
  });
  test('or the other number of a mapped port', () => {
    assert.match(why({ 'ip#1': '8443/tcp:443' }, 443)?.mend ?? '', /write 8443\/tcp instead of 443\/tcp/);
    assert.match(
      why({ 'ip#1': '8443/tcp:443' }, 8443, 'tcp', 'v3')?.mend ?? '',
      /write 443\/tcp instead of 8443\/tcp/,
    );
  });
});

test('however many lines there are, each word is looked up once', () => {
  const exposed = readExpose({ 'ip#1': { expose: '1/tcp '.repeat(200_000) } }, 'v2');
  const cpuMs = (words: number): number => {
    const before = process.cpuUsage();
    for (let port = 2; port < words + 2; port += 1)
      notExposed({ text: '', port, proto: 'tcp', addr: '0.0.0.0', listen: null }, exposed, 'v2');
    return process.cpuUsage(before).user / 1000;
  };
  cpuMs(64);
  assert.ok(cpuMs(64) < 20, '64 words, the most that a service may have');
});
