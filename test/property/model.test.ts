import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignNames } from '../../src/model/assign-names.js';
import {
  conflicts,
  fillBind,
  formatListen,
  parseBind,
  parseListen,
  splitWords,
} from '../../src/model/bind.js';
import { canonicalDuration, formatDuration, parseDuration } from '../../src/model/duration.js';
import { quote, unquote } from '../../src/model/go-string.js';
import { decodeName, encodeName, unusableName } from '../../src/model/name.js';
import { canonical, digest, normalise } from '../../src/model/normalise.js';
import { eachServer } from '../../src/model/observed.js';
import type { Listen, ServerName } from '../../src/model/server.js';
import { serviceKey } from '../../src/model/service.js';

const defaults = { addr: '0.0.0.0', proto: 'tcp' } as const;
const port = fc.integer({ min: 1, max: 65535 });
const proto = fc.constantFrom('tcp' as const, 'udp' as const);
const addr = fc.oneof(
  fc.constantFrom('0.0.0.0', '::', '127.0.0.1', '10.0.0.1', '::1', 'fe80::1'),
  fc.ipV4(),
  fc.ipV6().filter((text) => parseListen(`[${text}]:1`)?.addr.includes(':') ?? false),
);
const word = fc
  .record(
    {
      port,
      proto: fc.option(proto),
      addr: fc.option(addr),
      listen: fc.option(fc.oneof(port, fc.constant('*'))),
    },
    { noNullPrototype: true },
  )
  .map((part) => {
    const label = `${part.port}${part.proto === null ? '' : `/${part.proto}`}`;
    const host = part.addr === null ? '' : part.addr.includes(':') ? `[${part.addr}]` : part.addr;
    if (host === '' && part.listen === null) return label;
    return `${label}-${host}${part.listen === null ? '' : `:${part.listen}`}`;
  });
const junkWord = fc.string({ minLength: 1, maxLength: 12 }).map((text) => text.replace(/\s/g, '_'));
const blanks = fc.constantFrom(' ', '  ', '\t', '\n', ' \r\n ');
const bindText = fc
  .array(fc.tuple(blanks, fc.oneof({ weight: 4, arbitrary: word }, junkWord)), { maxLength: 12 })
  .map((parts) => parts.flat().join(''));
const name = fc.stringMatching(/^[A-Za-z0-9_]([A-Za-z0-9_-]{0,6}[A-Za-z0-9_])?(\.[a-z0-9]{1,4}){0,2}$/);
const key = fc
  .tuple(name, fc.stringMatching(/^[a-z0-9]{1,8}$/))
  .map(([service, namespace]) => serviceKey({ namespace, kind: 'svc', name: service }));
const canonicalListen: fc.Arbitrary<Listen> = fc.tuple(proto, addr, port).map(([l4, text, number]) => ({
  proto: l4,
  ...(parseListen(formatListen(text, number)) ?? { addr: '0.0.0.0', port: number }),
}));

test('the order of words never matters', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(word, junkWord), { maxLength: 10 }),
      fc.infiniteStream(fc.nat()),
      (words, order) => {
        const shuffled = words
          .map((text) => ({ text, rank: Number(order.next().value) }))
          .sort((a, b) => a.rank - b.rank);
        const one = parseBind(words.join(' '), defaults);
        assert.deepEqual(parseBind(shuffled.map(({ text }) => text).join(' '), defaults), one);
      },
    ),
  );
});

test('filling in a port fills in ports, and changes nothing else', () => {
  fc.assert(
    fc.property(bindText, port, (text, first) => {
      const before = parseBind(text, defaults);
      const open = before.words.filter(({ listen }) => listen === null);
      const fills = new Map(
        open.flatMap((item, index) =>
          [item.text, ...(item.again ?? [])].map(
            (text) => [text, { addr: item.addr, port: ((first + index) % 65535) + 1 }] as const,
          ),
        ),
      );
      const filled = fillBind(text, fills);
      assert.deepEqual(filled.split(/[^ \t\r\n]+/), text.split(/[^ \t\r\n]+/), 'blanks');
      const after = splitWords(filled);
      splitWords(text).forEach((was, index) => {
        const is = after[index] ?? '';
        if (was !== is) assert.ok(is.startsWith(was.split('-')[0] ?? ''), `${was} ${is}`);
      });
      assert.equal(fillBind(filled, fills), filled, 'once is enough');
      const explicit = parseBind(filled, defaults).words;
      for (const item of open) {
        const fill = fills.get(item.text);
        assert.ok(
          explicit.some(
            (now) =>
              now.port === item.port &&
              now.proto === item.proto &&
              now.addr === fill?.addr &&
              now.listen === fill.port,
          ),
        );
      }
      assert.deepEqual(fillBind(text, new Map()), text);
    }),
  );
});

test('conflicts is symmetric, and follows the spelled address', () => {
  fc.assert(
    fc.property(canonicalListen, canonicalListen, (a, b) => {
      assert.equal(conflicts(a, b), conflicts(b, a));
      assert.equal(conflicts(a, a), true);
      if (a.proto !== b.proto || a.port !== b.port) assert.equal(conflicts(a, b), false);
      assert.equal(conflicts(a, { ...a, addr: '::' }), true);
    }),
  );
});

test('names round-trip', () => {
  fc.assert(
    fc.property(key, port, proto, fc.option(canonicalListen), (service, label, l4, listen) => {
      fc.pre(unusableName(service) === null);
      const at = listen === null ? null : { addr: listen.addr, port: listen.port };
      assert.deepEqual(decodeName(encodeName(service, label, l4, at)), {
        kind: 'ours',
        key: service,
        port: label,
        proto: l4,
        at,
      });
    }),
  );
});

test('whatever decodes as ours encodes to itself', () => {
  const near = fc.tuple(
    fc.constantFrom('_80._tcp.', '_080._tcp.', '_80_', '_80._udp.x.'),
    fc.string(),
    fc.constantFrom('', '.root.svc', '.svc', '.r.svc@1.2.3.4:5', '.r.svc@[::1]:5'),
    fc.string({ maxLength: 2 }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        near.map((parts) => parts.join('')),
        fc.string({ unit: 'binary' }),
      ),
      (text) => {
        const decoded = decodeName(text);
        if (decoded?.kind === 'ours')
          assert.equal(encodeName(decoded.key, decoded.port, decoded.proto, decoded.at), text);
      },
    ),
    { numRuns: 500 },
  );
});

test('names of one service are distinct, stick, and do not depend on the order of words', () => {
  const places = fc.uniqueArray(
    fc.record(
      {
        label: fc.constantFrom(80, 443),
        proto,
        addr: fc.constantFrom('0.0.0.0', '10.0.0.1', '::1'),
        port: fc.integer({ min: 1, max: 4 }),
      },
      { noNullPrototype: true },
    ),
    { selector: (place) => JSON.stringify(place), maxLength: 10 },
  );
  const service = serviceKey({ namespace: 'root', kind: 'svc', name: 'web' });
  const placed = (list: readonly { label: number; proto: 'tcp' | 'udp'; addr: string; port: number }[]) =>
    list.map((place) => ({
      word: { port: place.label, proto: place.proto },
      addr: place.addr,
      port: place.port,
    }));
  fc.assert(
    fc.property(places, places, fc.nat(), (before, after, seed) => {
      const running = placed(before);
      const existing = assignNames(service, running, []).map((given, index) => {
        const at = running[index];
        return {
          name: given,
          listen: { proto: at?.word.proto ?? 'tcp', addr: at?.addr ?? '', port: at?.port ?? 0 },
        };
      });
      const words = placed(after);
      const names = assignNames(service, words, existing);
      assert.equal(new Set(names).size, words.length);
      words.forEach((item, index) => {
        const same = before.findIndex(
          (place) =>
            place.label === item.word.port &&
            place.proto === item.word.proto &&
            place.addr === item.addr &&
            place.port === item.port,
        );
        if (same >= 0)
          assert.equal(names[index], existing[same]?.name, 'a server that exists keeps its name');
      });
      const turned = words
        .map((_, index) => words[(index + seed) % words.length])
        .filter((item) => item !== undefined);
      const again = new Map(
        assignNames(service, turned, existing).map(
          (given, index) => [turned[index], given] as [unknown, ServerName],
        ),
      );
      words.forEach((item, index) => assert.equal(again.get(item), names[index]));
    }),
  );
});

test('durations: formatting parses back, equal values share one text', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(1n << 62n), max: 1n << 62n }), (value) => {
      const text = formatDuration(value);
      assert.equal(parseDuration(text), value);
      assert.equal(canonicalDuration(text), text);
      if (value >= 0n) assert.equal(canonicalDuration(`${value / 1000n}us${value % 1000n}ns`), text);
    }),
  );
});

test('Go strings: unquoting what was quoted gives the text', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => assert.equal(unquote(quote(text)), text)));
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (text) => assert.equal(unquote(quote(text)), text)),
  );
});

const anyServer = fc.record(
  {
    bind: fc.oneof(fc.constantFrom('0.0.0.0:80', ':80', '[::1]:080', 'x:1'), fc.string()),
    protocol: fc.constantFrom('tcp', 'udp', 'tls', ''),
    client_idle_timeout: fc.oneof(fc.constantFrom('60s', '1m', '', 'abc'), fc.string()),
    sni: fc.oneof(
      fc.constant(null),
      fc.record({ read_timeout: fc.constantFrom('2s', '', '1m') }, { noNullPrototype: true }),
    ),
    access: fc.oneof(
      fc.constant(null),
      fc.record({ rules: fc.array(fc.string()) }, { noNullPrototype: true }),
    ),
    discovery: fc.record(
      {
        kind: fc.constantFrom('srv', 'static', 'json', 'x'),
        interval: fc.constantFrom('', '5s', '5000ms', 'abc'),
      },
      { noNullPrototype: true },
    ),
    healthcheck: fc.record(
      {
        kind: fc.constantFrom('none', 'ping', 'probe', 'exec'),
        probe_strategy: fc.constantFrom('starts_with', 'regexp', ''),
        probe_send: fc.string(),
        probe_recv: fc.string(),
        fails: fc.integer(),
      },
      { noNullPrototype: true },
    ),
    more: fc.anything(),
  },
  { noNullPrototype: true, requiredKeys: [] },
);

test('normalising twice changes nothing, and the canonical text is a POST payload of the same server', () => {
  fc.assert(
    fc.property(
      fc.oneof(anyServer, fc.jsonValue()),
      fc.constantFrom('post' as const, 'get' as const),
      (json, side) => {
        const once = normalise(json, side);
        assert.deepEqual(normalise(once, 'get'), once);
        const text = canonical(once);
        assert.equal(digest(canonical(normalise(JSON.parse(text), 'post'))), digest(text));
      },
    ),
    { numRuns: 500 },
  );
});

test('no text of GET /servers makes the observer throw, or owns what is not exactly ours', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.dictionary(fc.string(), anyServer).map((all) => JSON.stringify(all)),
      ),
      (text) => {
        eachServer(Buffer.from(text), ({ name, owned }) => assert.equal(owned, decodeName(name) !== null));
      },
    ),
  );
});
