import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assignNames } from '../../../src/model/assign-names.js';
import { parseListen } from '../../../src/model/bind.js';
import type { ServerName } from '../../../src/model/server.js';
import type { ServiceKey } from '../../../src/model/service.js';

const key = 'root/svc/web' as ServiceKey;
const plain = '_443._tcp.web.root.svc';

function place(bind: string, port = 443, proto: 'tcp' | 'udp' = 'tcp') {
  const listen = parseListen(bind);
  assert.ok(listen !== null);
  return { word: { port, proto }, ...listen };
}

function server(name: string, bind: string, proto: 'tcp' | 'udp' = 'tcp') {
  const listen = parseListen(bind);
  assert.ok(listen !== null);
  return { name: name as ServerName, listen: { proto, ...listen } };
}

describe('names of a service with several words', () => {
  test('the smallest place takes the plain name, the others say where they listen', () => {
    const names = assignNames(key, [place('10.0.0.2:443'), place('10.0.0.1:443'), place('10.0.0.1:80')], []);
    assert.deepEqual(names, [`${plain}@10.0.0.2:443`, `${plain}@10.0.0.1:443`, plain]);
  });
  test('other ports and protocols have names of their own', () => {
    const names = assignNames(key, [place(':80', 80), place(':443'), place(':443', 443, 'udp')], []);
    assert.deepEqual(names, ['_80._tcp.web.root.svc', plain, '_443._udp.web.root.svc']);
  });
  test('a server that exists keeps its name', () => {
    const existing = [server(plain, '10.0.0.2:443'), server(`${plain}@10.0.0.3:443`, '10.0.0.3:443')];
    const words = [place('10.0.0.1:443'), place('10.0.0.2:443'), place('10.0.0.3:443')];
    assert.deepEqual(assignNames(key, words, existing), [
      `${plain}@10.0.0.1:443`,
      plain,
      `${plain}@10.0.0.3:443`,
    ]);
  });
  test('a lone word keeps the name with a place as long as it listens there', () => {
    const existing = [server(`${plain}@10.0.0.3:443`, '10.0.0.3:443')];
    assert.deepEqual(assignNames(key, [place('10.0.0.3:443')], existing), [`${plain}@10.0.0.3:443`]);
    assert.deepEqual(assignNames(key, [place('10.0.0.4:443')], existing), [plain]);
  });
  test('a word that moves takes over the plain name', () => {
    assert.deepEqual(assignNames(key, [place(':8443')], [server(plain, ':443')]), [plain]);
  });
  test('names of others, of another label or that lie about their place are not kept', () => {
    const existing = [
      server('_443._tcp.web2.root.svc', ':443'),
      server('_80._tcp.web.root.svc', ':443'),
      server('_443_web', ':443'),
      server(`${plain}@10.0.0.9:1`, ':443'),
      server(plain, ':443', 'udp'),
    ];
    assert.deepEqual(assignNames(key, [place(':443')], existing), [plain]);
  });
});
