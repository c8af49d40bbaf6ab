import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eachServer, observeAnswer, observeServer } from '../../../src/model/observed.js';
import { bodiesOf, compileEnv } from '../../support/service-config.js';
import { digest } from '../../../src/model/normalise.js';

const [body = ''] = bodiesOf(compileEnv({ igw_gobtw_bind: '80/tcp-[::1]:1080' }));
const shown = JSON.parse(body) as unknown;

/** The names in a list; null when it is none. */
function namesIn(text: string): readonly string[] | null {
  const names: string[] = [];
  return eachServer(Buffer.from(text), ({ name }) => names.push(name)) ? names : null;
}

describe('who a server belongs to', () => {
  test('ours, by its name', () => {
    const server = observeServer('_80._tcp.web.root.svc', shown);
    assert.deepEqual([server.key, server.owned, server.historical], ['root/svc/web', true, false]);
    assert.deepEqual(server.listen, { proto: 'tcp', addr: '::1', port: 1080 });
    assert.equal(server.lookupServer, '10.0.0.1:53');
    assert.equal(server.canonical, body);
    assert.equal(server.digest, digest(body));
  });
  test('historical: owned, of a root service', () => {
    const { key, owned, historical } = observeServer('_80_web', shown);
    assert.deepEqual([key, owned, historical], ['root/svc/web', true, true]);
  });
  test('anything else is foreign', () => {
    for (const name of ['web', '_80._tcp.web', '_80_we b', '_1_a/b', '__proto__', 'constructor', '']) {
      const server = observeServer(name, shown);
      assert.deepEqual([server.key, server.owned], [null, false], name);
    }
  });
});

test('a list of servers', () => {
  const names = namesIn(`{"_80._tcp.web.root.svc": ${body}, "__proto__": ${body}}\n`);
  assert.deepEqual(names, ['_80._tcp.web.root.svc', '__proto__']);
  assert.deepEqual(namesIn(' { }'), []);
});

test('what is no list', () => {
  const others = [
    '{"error":"not found"}',
    '{"x":null}',
    `{"x":${body},"y":{}}`,
    '{"x":{"bind":7}}',
    '{"x":[]}',
  ];
  for (const text of [
    '',
    '[]',
    'null',
    '{"a":',
    '1',
    '"x"',
    '404 page not found',
    `{"x":${body}} {}`,
    ...others,
  ])
    assert.equal(namesIn(text), null, text);
});

test('binds that cannot be understood, or name no port', () => {
  for (const bind of ['x', '127.0.0.1:0', ':http', 7, null])
    assert.equal(observeServer('x', { bind }).listen, null);
  assert.deepEqual(observeServer('x', { bind: 'localhost:80' }).listen, {
    proto: 'tcp',
    addr: '0.0.0.0',
    port: 80,
  });
  assert.equal(observeServer('x', { bind: ':53', protocol: 'udp' }).listen?.proto, 'udp');
});

test('one server', () => {
  assert.equal(observeAnswer('_80._tcp.web.root.svc', body)?.key, 'root/svc/web');
  for (const text of ['', 'null', '[]', '{}', '{"bind":7}', '{"bind":'])
    assert.equal(observeAnswer('a', text), null);
});
