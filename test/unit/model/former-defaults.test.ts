import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isStaleDefault } from '../../../src/model/former-defaults.js';
import { canonical, normalise } from '../../../src/model/normalise.js';
import { bodiesOf, compileEnv } from '../../support/service-config.js';

const udp = { igw_gobtw_bind: '53/udp-:53' };

function wanted(env: Record<string, string> = {}) {
  const compiled = compileEnv({ ...udp, ...env });
  return { body: bodiesOf(compiled)[0] ?? '', setFields: compiled.template?.setFields ?? [] };
}

/** `body` as somebody else left it. */
function changed(body: string, change: (server: Record<string, Record<string, unknown>>) => void): string {
  const server = JSON.parse(body) as Record<string, Record<string, unknown>>;
  change(server);
  return canonical(normalise(server, 'get'));
}

describe('a server that differs only where a former default stands', () => {
  const { body, setFields } = wanted();
  test('is adopted as it is', () => {
    const old = changed(body, (server) => Object.assign(server, { client_idle_timeout: '0s' }));
    assert.equal(isStaleDefault(body, old, setFields), true);
  });
  test('not where a keyword sets the field', () => {
    const own = wanted({ igw_gobtw_client_idle_timeout: '5s' });
    const old = changed(own.body, (server) => Object.assign(server, { client_idle_timeout: '0' }));
    assert.equal(isStaleDefault(own.body, old, own.setFields), false);
  });
  test('not where the value was never a default', () => {
    const old = changed(body, (server) => Object.assign(server, { client_idle_timeout: '7s' }));
    assert.equal(isStaleDefault(body, old, setFields), false);
  });
  test('not where another field differs too', () => {
    const changes: readonly ((server: Record<string, Record<string, unknown>>) => void)[] = [
      (server) => Object.assign(server, { bind: '0.0.0.0:54' }),
      (server) => Object.assign(server, { access: { default: 'deny' } }),
      (server) => Object.assign(server['discovery'] ?? {}, { srv_lookup_pattern: 'x.' }),
      (server) => Object.assign(server['discovery'] ?? {}, { kind: 'static', static_list: [] }),
    ];
    for (const change of changes) {
      const old = changed(body, (server) => {
        Object.assign(server, { client_idle_timeout: '0' });
        change(server);
      });
      assert.equal(isStaleDefault(body, old, setFields), false);
    }
  });
  test('equal servers are not stale', () => assert.equal(isStaleDefault(body, body, setFields), false));
  test('text that is no server is not stale', () => assert.equal(isStaleDefault(body, '', setFields), false));
});

test("the historical janitor's body equals today's for a tcp service that sets nothing", () => {
  const [body = ''] = bodiesOf(compileEnv({ igw_gobtw_bind: '80/tcp-:1080' }));
  const historical = {
    bind: '0.0.0.0:1080',
    protocol: 'tcp',
    balance: 'weight',
    max_connections: 0,
    client_idle_timeout: '0',
    backend_idle_timeout: '0',
    backend_connection_timeout: '0',
    sni: null,
    tls: null,
    backends_tls: null,
    udp: null,
    access: null,
    proxy_protocol: null,
    discovery: {
      failpolicy: 'keeplast',
      kind: 'srv',
      srv_dns_protocol: 'tcp',
      srv_lookup_server: '10.0.0.1:53',
      srv_lookup_pattern: '_80._tcp.web.root.svc.cluster1.',
      interval: '5s',
      timeout: '5s',
    },
    healthcheck: {
      fails: 1,
      passes: 1,
      interval: '2s',
      kind: 'ping',
      timeout: '500ms',
      initial_status: null,
    },
  };
  assert.equal(canonical(normalise(historical, 'get')), body);
});
