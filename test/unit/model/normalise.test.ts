import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { canonical, digest, normalise } from '../../../src/model/normalise.js';

interface Step {
  readonly name: string;
  readonly request?: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response?: { readonly status?: number; readonly body?: unknown };
}

const recording = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/gobetween/06_normalisation.json', import.meta.url), 'utf8'),
) as readonly Step[];

function posted(json: unknown): string {
  return digest(canonical(normalise(json, 'post')));
}

const minimal = {
  bind: '0.0.0.0:80',
  discovery: { kind: 'srv', srv_lookup_server: '10.0.0.1:53', srv_lookup_pattern: '_80._tcp.w.root.svc.c1.' },
};

describe('what the recorded GoBetween made of each POST', () => {
  let pairs = 0;
  recording.forEach((step, index) => {
    const next = recording[index + 1];
    if (step.request?.method !== 'POST' || step.response?.status !== 200) return;
    if (next?.request?.method !== 'GET' || next.request.path !== step.request.path) return;
    pairs += 1;
    test(step.name, () => {
      const wanted = normalise(step.request?.body, 'post');
      const shown = normalise(next.response?.body, 'get');
      assert.deepEqual(wanted, shown);
      assert.equal(digest(canonical(wanted)), digest(canonical(shown)));
      assert.equal(
        posted(JSON.parse(canonical(shown))),
        digest(canonical(shown)),
        'canonical is a POST payload',
      );
    });
  });
  test('the recording holds enough of them', () => assert.ok(pairs > 60, `${pairs} pairs`));
});

describe('equality', () => {
  test('durations compare by value', () => {
    assert.equal(
      posted({ ...minimal, client_idle_timeout: '60s' }),
      posted({ ...minimal, client_idle_timeout: '1m0s' }),
    );
    assert.notEqual(
      posted({ ...minimal, client_idle_timeout: '60s' }),
      posted({ ...minimal, client_idle_timeout: '61s' }),
    );
  });
  test('garbage in the three top-level timeouts acts as 0', () => {
    for (const garbage of ['', 'abc', '5', '0s', null]) {
      assert.equal(posted({ ...minimal, backend_idle_timeout: garbage }), posted(minimal), String(garbage));
    }
  });
  test('garbage elsewhere is no zero', () => {
    const odd = { ...minimal, discovery: { ...minimal.discovery, timeout: 'abc' } };
    assert.notEqual(posted(odd), posted(minimal));
  });
  test('unknown fields and the groups of other kinds do not count', () => {
    const more = {
      ...minimal,
      x: 1,
      discovery: { ...minimal.discovery, static_list: ['a:1'], new_field: true },
    };
    assert.equal(posted(more), posted(minimal));
  });
  test('posted keys match without case, the last one wins', () => {
    assert.equal(posted({ ...minimal, BALANCE: 'iphash' }), posted({ ...minimal, balance: 'iphash' }));
    assert.equal(
      posted({ ...minimal, Access: { DEFAULT: 'deny' } }),
      posted({ ...minimal, access: { default: 'deny' } }),
    );
  });
  test('every setting that has an effect counts', () => {
    const changes: readonly Record<string, unknown>[] = [
      { max_connections: 1 },
      { bind: '0.0.0.0:81' },
      { bind: '127.0.0.1:80' },
      { balance: 'leastconn' },
      { sni: {} },
      { access: { default: 'deny' } },
      { access: { rules: ['deny 10.0.0.1'] } },
      { proxy_protocol: { version: '1' } },
      { tls: { cert_path: '/a', key_path: '/b' } },
      { backends_tls: {} },
      { healthcheck: { kind: 'ping', interval: '2s' } },
      { discovery: { ...minimal.discovery, interval: '5s' } },
      { discovery: { ...minimal.discovery, srv_lookup_server: '10.0.0.2:53' } },
      { discovery: { ...minimal.discovery, srv_dns_protocol: 'tcp' } },
    ];
    const digests = changes.map((change) => posted({ ...minimal, ...change }));
    assert.equal(new Set([...digests, posted(minimal)]).size, changes.length + 1);
  });
  test('an address has one spelling', () => {
    assert.equal(posted({ ...minimal, bind: '[0:0::1]:080' }), posted({ ...minimal, bind: '[::1]:80' }));
    assert.equal(
      posted({ ...minimal, bind: '[::ffff:127.0.0.1]:80' }),
      posted({ ...minimal, bind: '127.0.0.1:80' }),
    );
    assert.notEqual(
      posted({ ...minimal, bind: 'localhost:80' }),
      posted({ ...minimal, bind: '127.0.0.1:80' }),
    );
  });
});

test('any JSON at all normalises', () => {
  for (const odd of [null, 1, 'x', [], {}, { discovery: 3, healthcheck: [], sni: 'x', bind: {} }]) {
    assert.equal(typeof canonical(normalise(odd, 'get')), 'string');
  }
});
