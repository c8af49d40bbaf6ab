import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diffCanonical } from '../../../src/plan/canonical-diff.js';
import type { Change } from '../../../src/plan/change.js';
import { applyPolicy, type Policy } from '../../../src/plan/policy.js';
import { renderPlan, reportPlan } from '../../../src/plan/report.js';
import { desiredServer, digestOf, observedServer, web } from '../../support/servers.js';

describe('differences of canonical configs', () => {
  test('equal texts differ in nothing, whatever they hold', () => {
    assert.deepEqual(diffCanonical('{"a":1}', '{"a":1}'), []);
    assert.deepEqual(diffCanonical('x', 'x'), []);
    assert.deepEqual(diffCanonical('{"a":1,"b":2}', '{"b":2,"a":1}'), []);
  });
  test('changed, added and removed fields by their path', () => {
    const before = JSON.stringify({ bind: ':80', healthcheck: { kind: 'ping', interval: '2s' }, sni: null });
    const after = JSON.stringify({ bind: ':81', healthcheck: { kind: 'ping', timeout: '1s' }, sni: null });
    assert.deepEqual(diffCanonical(before, after), [
      { field: 'bind', before: '":80"', after: '":81"' },
      { field: 'healthcheck.interval', before: '"2s"', after: null },
      { field: 'healthcheck.timeout', before: null, after: '"1s"' },
    ]);
  });
  test('a list is one value, an empty section too', () => {
    assert.deepEqual(diffCanonical('{"rules":["a","b"],"udp":{}}', '{"rules":["b","a"],"udp":null}'), [
      { field: 'rules', before: '["a","b"]', after: '["b","a"]' },
      { field: 'udp', before: '{}', after: 'null' },
    ]);
  });
  test('a text that is no JSON is one field', () => {
    assert.deepEqual(diffCanonical('oops', '3'), [{ field: '(content)', before: '"oops"', after: '3' }]);
  });
});

const NAME = '_80._tcp.web.root.svc';
const changes: readonly Change[] = [
  {
    kind: 'replace',
    key: web,
    desired: { ...desiredServer(NAME, 'd'), body: '{"balance":"weight"}' },
    before: { ...observedServer(NAME, 'o'), canonical: '{"balance":"iphash"}' },
    reason: 'edited',
  },
  { kind: 'create', key: web, desired: desiredServer('_443._tcp.web.root.svc', 'd', 8443), reason: 'new' },
  {
    kind: 'delete',
    key: null,
    name: observedServer('_1_x', 'o').name,
    before: { ...observedServer('_1_x', 'o'), listen: null },
    reason: 'extra',
  },
  {
    kind: 'adopt',
    key: web,
    desired: desiredServer('_5_web', 'd'),
    digest: digestOf('d'),
    reason: 'adopted',
  },
];

function report(policy: Policy, list = changes) {
  return reportPlan({ policy, filtered: applyPolicy(() => policy, list), servers: 100 });
}

describe('the plan', () => {
  test('as data: every change once, by server, with its fields', () => {
    const { changes: planned, counts, heldBack, slow } = report('sync');
    assert.deepEqual(counts, { create: 1, replace: 1, delete: 1, adopt: 1 });
    assert.equal(heldBack, 0);
    assert.deepEqual(slow, []);
    assert.deepEqual(
      planned.map(({ server }) => server),
      ['_1_x', '_443._tcp.web.root.svc', '_5_web', NAME],
    );
    assert.deepEqual(planned[3], {
      kind: 'replace',
      server: NAME,
      service: 'web',
      listen: '0.0.0.0:8080/tcp',
      reason: 'edited',
      fields: [{ field: 'balance', before: '"iphash"', after: '"weight"' }],
      heldBack: null,
      connections: null,
    });
    assert.equal(planned[0]?.service, null);
    assert.equal(planned[0]?.listen, null);
    assert.deepEqual(JSON.parse(JSON.stringify(planned)), planned);
  });

  test('as text: before and after of each field, and why', () => {
    assert.equal(
      renderPlan(report('sync')),
      [
        '- _1_x (extra)',
        '+ _443._tcp.web.root.svc on 0.0.0.0:8443/tcp for web (new)',
        `~ ${NAME} on 0.0.0.0:8080/tcp for web (edited)`,
        '    balance: "iphash" → "weight"',
        'How many client connections it would drop is not known: GoBetween did not say.',
        '1 to create, 1 to replace, 1 to delete, 1 already as wanted',
        '',
      ].join('\n'),
    );
  });

  test('the client connections that it would drop: of each change, and of all that are carried out', () => {
    const filtered = applyPolicy(() => 'sync', changes);
    const connectionsOf = (server: string): number | null => (server === NAME ? 3 : 1);
    const told = reportPlan({ policy: 'sync', filtered, servers: 4, connectionsOf });
    assert.equal(told.connections, 4);
    const text = renderPlan(told);
    assert.match(text, /^- _1_x \(extra\), drops 1 connection$/m);
    assert.match(text, /for web \(edited\), drops 3 connections$/m);
    assert.match(text, /^It would drop 4 client connections\.$/m);
    assert.match(text, /^\+ .* \(new\)$/m);
  });

  test('what the policy holds back is shown with the reason', () => {
    const text = renderPlan(report('upsert-only'));
    assert.match(text, /^- _1_x \(extra\) \[held back: policy upsert-only: nothing is deleted\]$/m);
    assert.match(text, /0 to delete, 1 already as wanted, 1 held back by policy upsert-only$/m);
  });

  test('nothing to change says so', () => {
    assert.match(renderPlan(report('sync', changes.slice(3))), /^Nothing to change\.$/m);
    assert.doesNotMatch(renderPlan(report('observe')), /Nothing to change/);
  });

  test('a cause that replaces many servers is named', () => {
    const many = Array.from({ length: 21 }, (_, index): Change => {
      const name = `_${index + 1}._tcp.web.root.svc`;
      return {
        kind: 'replace',
        key: web,
        desired: desiredServer(name, 'd'),
        before: observedServer(name, 'o'),
        reason: 'dns',
      };
    });
    assert.match(
      renderPlan(report('sync', many)),
      /^21 replacements have one cause \(dns\): they go at a tenth of the replace rate$/m,
    );
  });

  test('fields are those of the canonical form', () => {
    const filtered = applyPolicy(() => 'sync', changes.slice(0, 1));
    const canonicalOf = (): string => '{"balance":"iphash","sni":null}';
    const { changes: planned } = reportPlan({ policy: 'sync', filtered, servers: 1, canonicalOf });
    assert.deepEqual(planned[0]?.fields, [{ field: 'sni', before: null, after: 'null' }]);
  });

  test('IPv6 addresses are in brackets', () => {
    const desired = { ...desiredServer(NAME, 'd'), listen: { proto: 'tcp' as const, addr: '::1', port: 80 } };
    const text = renderPlan(report('sync', [{ kind: 'create', key: web, desired, reason: 'new' }]));
    assert.match(text, /on \[::1\]:80\/tcp/);
  });
});
