import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conflicts, fillBind, formatListen, parseBind, parseListen } from '../../../src/model/bind.js';
import type { Listen } from '../../../src/model/server.js';

const defaults = { addr: '0.0.0.0', proto: 'tcp' } as const;

describe('words that are understood', () => {
  const rows: readonly [string, number, string, string, number | null][] = [
    ['443/tcp', 443, 'tcp', '0.0.0.0', null],
    ['443/tcp-:8443', 443, 'tcp', '0.0.0.0', 8443],
    ['80', 80, 'tcp', '0.0.0.0', null],
    ['80-0.0.0.0:1024', 80, 'tcp', '0.0.0.0', 1024],
    ['80/tcp-127.0.0.6', 80, 'tcp', '127.0.0.6', null],
    ['80/tcp-127.0.0.7:', 80, 'tcp', '127.0.0.7', null],
    ['80/tcp-:*', 80, 'tcp', '0.0.0.0', null],
    ['80/tcp-10.0.0.1:*', 80, 'tcp', '10.0.0.1', null],
    ['53/udp-10.0.0.1:53', 53, 'udp', '10.0.0.1', 53],
    ['443/TCP', 443, 'tcp', '0.0.0.0', null],
    ['443/tcp-[::]:1024', 443, 'tcp', '::', 1024],
    ['443/tcp-[::1]', 443, 'tcp', '::1', null],
    ['443/tcp-[0:0:0:0:0:0:0:1]:*', 443, 'tcp', '::1', null],
    ['443/tcp-[::ffff:10.0.0.1]:443', 443, 'tcp', '10.0.0.1', 443],
    ['65535/tcp-0.0.0.0:65535', 65535, 'tcp', '0.0.0.0', 65535],
  ];
  for (const [text, port, proto, addr, listen] of rows) {
    test(text, () => {
      const { words, issues } = parseBind(text, defaults);
      assert.deepEqual(issues, []);
      assert.deepEqual(words, [{ text, port, proto, addr, listen }]);
    });
  }
  test('blanks, tabs and line breaks separate, as many as you like', () => {
    assert.equal(parseBind('  80/tcp \t 443/tcp\r\n53/udp\n', defaults).words.length, 3);
  });
  test('the default address and protocol apply to what is not said', () => {
    const { words } = parseBind('53 54-:99 55/tcp-[::1]', { addr: '10.0.0.9', proto: 'udp' });
    assert.deepEqual(
      words.map(({ port, proto, addr }) => `${port}${proto}${addr}`),
      ['55tcp::1', '53udp10.0.0.9', '54udp10.0.0.9'],
    );
  });
});

describe('words that are refused, with a hint', () => {
  const rows: readonly [string, RegExp][] = [
    ['80/', /80\/tcp/],
    ['443/tcp-', /443\/tcp-:<port>/],
    ['443/tcp-8443', /did you mean 443\/tcp-:8443/],
    ['443/tcp-*:1', /443\/tcp-0\.0\.0\.0:1/],
    ['0/tcp', /443\/tcp/],
    ['65536/tcp', /443\/tcp/],
    ['080/tcp', /443\/tcp/],
    ['443/tcp-:0', /443\/tcp-:<port>/],
    ['443/tcp-:65536', /<port>/],
    ['http/tcp', /443\/tcp/],
    ['domain/udp', /53\/udp/],
    ['80/tcp,443/tcp', /80\/tcp 443\/tcp/],
    ['443/tcp-[fe80::1%eth0]:443', /without %zone/],
    ['80/sctp', /80\/tcp or 80\/udp/],
    ['80/tls', /80\/tcp or 80\/udp/],
    ['443/tcp-localhost:443', /IP address/],
    ['443/tcp-::1', /443\/tcp-\[::1\]/],
    ['443/tcp-::1:443', /443\/tcp-\[/],
    ['443/tcp-127.0.0.01:443', /IP address/],
    ['443/tcp-256.0.0.1', /IP address/],
    ['443/tcp-[127.0.0.1]:443', /IPv6 in brackets/],
    ['443/tcp-[::1', /443\/tcp-\[/],
    ['443/tcp-1.2.3.4:http', /<port>/],
    ['-:8443', /443\/tcp/],
    ['443/tcp--1', /IP address/],
    ['443/tcp/udp', /443\/tcp or 443\/udp/],
    ['4\u00a043/tcp', /443\/tcp/],
    ['+443/tcp', /443\/tcp/],
  ];
  for (const [text, hint] of rows) {
    test(JSON.stringify(text), () => {
      const { words, issues } = parseBind(text, defaults);
      assert.deepEqual(words, []);
      assert.equal(issues.length, 1);
      assert.equal(issues[0]?.code, 'bad-word');
      assert.match(issues[0]?.mend ?? '', hint);
      assert.notEqual(issues[0]?.message, '');
    });
  }
  test('a bad word does not spoil its neighbours', () => {
    const { words, issues } = parseBind('80/tcp http/tcp 443/tcp', defaults);
    assert.deepEqual([words.length, issues.length], [2, 1]);
  });
  test('more than 64 words: none is taken', () => {
    const many = Array.from({ length: 65 }, (_, index) => `${index + 1}/tcp`);
    const { words, issues } = parseBind(many.join(' '), defaults);
    assert.deepEqual([words.length, issues[0]?.code], [0, 'too-many-words']);
    assert.equal(parseBind(many.slice(1).join(' '), defaults).words.length, 64);
  });
});

test('the same claim twice is kept once, with a warning', () => {
  for (const text of ['443/tcp 443/tcp', '443 443/tcp-:*', '443/tcp-[::1]:1 443/tcp-[0::1]:1']) {
    const { words, issues } = parseBind(text, defaults);
    assert.equal(words.length, 1, text);
    assert.deepEqual(
      issues.map(({ code }) => code),
      ['duplicate-word'],
    );
  }
});

test('two words for one port that listen elsewhere are fine', () => {
  const { words, issues } = parseBind('443/tcp-:8443 443/tcp-:9443 443/tcp 443/udp', defaults);
  assert.deepEqual([words.length, issues.length], [4, 0]);
});

describe('filling in allocated ports', () => {
  const fill = (text: string, ...fills: [string, string, number][]) =>
    fillBind(text, new Map(fills.map(([word, addr, port]) => [word, { addr, port }])));
  test('only the word changes, blanks are kept', () => {
    assert.equal(
      fill(' 80/tcp \t443/tcp\n', ['443/tcp', '0.0.0.0', 1025]),
      ' 80/tcp \t443/tcp-0.0.0.0:1025\n',
    );
  });
  test('the rest of the word is replaced, IPv6 stands in brackets', () => {
    assert.equal(fill('80-10.0.0.1:*', ['80-10.0.0.1:*', '10.0.0.1', 2000]), '80-10.0.0.1:2000');
    assert.equal(fill('80/tcp-[::1]', ['80/tcp-[::1]', '::1', 2000]), '80/tcp-[::1]:2000');
  });
  test('explicit, bad and unnamed words stay', () => {
    const text = '443/tcp-:8443 http/tcp 80/tcp 443/udp';
    assert.equal(
      fill(text, ['443/tcp-:8443', '0.0.0.0', 1], ['http/tcp', '0.0.0.0', 2], ['443/tcp', '0.0.0.0', 3]),
      text,
    );
  });
  test('other spellings of a word come with it', () => {
    const { words } = parseBind('443/tcp-:* 443 443/tcp-10.0.0.1 443', { addr: '10.0.0.1', proto: 'tcp' });
    assert.deepEqual(
      words.map(({ text, again }) => [text, again]),
      [['443', ['443/tcp-10.0.0.1', '443/tcp-:*']]],
    );
  });
});

describe('who may listen beside whom', () => {
  const at = (text: string): Listen => {
    const [proto = '', bind = ''] = text.split(' ');
    const listen = parseListen(bind);
    assert.ok(listen !== null, text);
    return { proto: proto === 'udp' ? 'udp' : 'tcp', ...listen };
  };
  const rows: readonly [string, string, boolean][] = [
    ['tcp 0.0.0.0:80', 'tcp 127.0.0.1:80', true],
    ['tcp :80', 'tcp 0.0.0.0:80', true],
    ['tcp [::]:80', 'tcp 127.0.0.1:80', true],
    ['tcp 0.0.0.0:80', 'tcp [::1]:80', true],
    ['tcp [::1]:80', 'tcp 127.0.0.1:80', false],
    ['tcp 127.0.0.1:80', 'tcp 127.0.0.2:80', false],
    ['tcp 127.0.0.1:80', 'udp 127.0.0.1:80', false],
    ['tcp 0.0.0.0:80', 'udp 0.0.0.0:80', false],
    ['tcp 0.0.0.0:80', 'tcp 0.0.0.0:81', false],
    ['tcp [::1]:80', 'tcp [0:0:0:0:0:0:0:1]:80', true],
    ['tcp [::ffff:127.0.0.1]:80', 'tcp 127.0.0.1:80', true],
    ['tcp localhost:80', 'tcp 127.0.0.1:80', true],
  ];
  for (const [one, other, expected] of rows) {
    test(`${one} and ${other}`, () => {
      assert.equal(conflicts(at(one), at(other)), expected);
      assert.equal(conflicts(at(other), at(one)), expected);
    });
  }
});

test('GoBetween binds that name no fixed port', () => {
  for (const bind of ['', 'x', '127.0.0.1:0', 'host:http-alt', '::1:80', '1.2.3.4', ':99999']) {
    assert.equal(parseListen(bind), null, bind);
  }
  assert.deepEqual(parseListen('127.0.0.1:021915'), { addr: '127.0.0.1', port: 21915 });
});

test('formatting puts IPv6 in brackets', () => {
  assert.equal(formatListen('::1', 80), '[::1]:80');
  assert.equal(formatListen('10.0.0.1', 80), '10.0.0.1:80');
});
