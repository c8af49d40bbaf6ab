import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeName, encodeName, unusableName } from '../../../src/model/name.js';
import type { ServiceKey } from '../../../src/model/service.js';

const web = 'root/svc/web' as ServiceKey;

test("a server's name is its SRV record without the cluster", () => {
  assert.equal(encodeName(web, 443, 'tcp'), '_443._tcp.web.root.svc');
  assert.equal(encodeName('ns1/svc/0.scaled' as ServiceKey, 53, 'udp'), '_53._udp.0.scaled.ns1.svc');
  assert.equal(
    encodeName(web, 443, 'tcp', { addr: '10.0.0.1', port: 8443 }),
    '_443._tcp.web.root.svc@10.0.0.1:8443',
  );
  assert.equal(encodeName(web, 443, 'tcp', { addr: '::1', port: 8443 }), '_443._tcp.web.root.svc@[::1]:8443');
});

test('names decode to who owns them', () => {
  assert.deepEqual(decodeName('_53._udp.a.b.ns1.svc'), {
    kind: 'ours',
    key: 'ns1/svc/a.b',
    port: 53,
    proto: 'udp',
    at: null,
  });
  assert.deepEqual(decodeName('_443._tcp.web.root.svc@[::1]:8443'), {
    kind: 'ours',
    key: 'root/svc/web',
    port: 443,
    proto: 'tcp',
    at: { addr: '::1', port: 8443 },
  });
});

test('historical names count as owned, by root services', () => {
  assert.deepEqual(decodeName('_80_web'), { kind: 'historical', port: 80, key: web });
  assert.deepEqual(decodeName('_80_web_x'), { kind: 'historical', port: 80, key: 'root/svc/web_x' });
});

describe('any other name is foreign', () => {
  const foreign = [
    '',
    'web',
    '_80web',
    '_80_',
    '_80_we b',
    '_80_ns1/svc/web',
    'x_80_web',
    '_http._tcp.web.root.svc',
    '_080._tcp.web.root.svc',
    '_0._tcp.web.root.svc',
    '_65536._tcp.web.root.svc',
    '_80._TCP.web.root.svc',
    '_80._sctp.web.root.svc',
    '_80._tcp.web.svc',
    '_80._tcp.web.root.svc.cluster1',
    '_80._tcp..root.svc',
    '_80._tcp.we b.root.svc',
    '_80._tcp.web.root.svc@',
    '_80._tcp.web.root.svc@10.0.0.1',
    '_80._tcp.web.root.svc@10.0.0.01:80',
    '_80._tcp.web.root.svc@[0:0::1]:80',
    '_80._tcp.web.root.svc@::1:80',
    '_80._tcp.web.root.svc@10.0.0.1:080',
    '_80._tcp.web.root.svc@host:80',
    '_80._tcp.web.root.svc\n',
    `_80._tcp.${'a'.repeat(500)}.root.svc`,
    '__proto__',
  ];
  for (const name of foreign)
    test(JSON.stringify(name).slice(0, 60), () => assert.equal(decodeName(name), null));
});

test('services that cannot be named are refused', () => {
  for (const name of [
    '',
    '.',
    '..',
    'a/b',
    'a..b',
    'a b',
    'wéb',
    '-web',
    'web-',
    'a@b',
    'x'.repeat(64),
    '\u0000',
  ]) {
    assert.notEqual(unusableName(`root/svc/${name}` as ServiceKey), null, JSON.stringify(name));
  }
  assert.notEqual(unusableName('n.s/svc/web' as ServiceKey), null);
  assert.notEqual(unusableName('root/vol/web' as ServiceKey), null);
  for (const key of ['root/svc/web', 'ns1/svc/0.rscaled', 'ns_1/svc/Web-2', 'a/svc/_x']) {
    assert.equal(unusableName(key as ServiceKey), null, key);
  }
});
