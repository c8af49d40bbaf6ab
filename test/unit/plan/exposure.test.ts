import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Problem } from '../../../src/model/problem.js';
import type { Desired, Digest, Observed, ServerName } from '../../../src/model/server.js';
import { serviceKey } from '../../../src/model/service.js';
import type { Compiled, Word } from '../../../src/model/spec.js';
import { type ExposureInput, type ExposureRow, exposureOf } from '../../../src/plan/exposure.js';

const key = serviceKey({ namespace: 'root', kind: 'svc', name: 'web' });
const rival = serviceKey({ namespace: 'shop', kind: 'svc', name: 'api' });
const word80: Word = { text: '80/tcp', port: 80, proto: 'tcp', addr: '0.0.0.0', listen: null };
const word443: Word = { text: '443/tcp-[::1]:8443', port: 443, proto: 'tcp', addr: '::1', listen: 8443 };
const name80 = '_80._tcp.web.root.svc' as ServerName;

function compiledOf(over: Partial<Compiled> = {}): Compiled {
  return {
    key,
    verdict: 'served',
    words: [word80],
    badWords: false,
    badLabels: [],
    bindOrigin: 'raw',
    bindText: '80/tcp',
    template: null,
    otherTargets: [],
    problems: [],
    ...over,
  };
}

function desiredOf(over: Partial<Desired> = {}): Desired {
  const listen = { proto: 'tcp', addr: '0.0.0.0', port: 1025 } as const;
  return { name: name80, key, listen, digest: 'd1' as Digest, body: '{}', lookupServer: '', ...over };
}

function observedOf(over: Partial<Observed> = {}): Observed {
  return {
    name: name80,
    key,
    owned: true,
    historical: false,
    listen: { proto: 'tcp', addr: '0.0.0.0', port: 1025 },
    digest: 'd1' as Digest,
    lookupServer: '',
    canonical: '{}',
    ...over,
  };
}

function problemOf(over: Partial<Problem>): Problem {
  return {
    code: 'bad-word',
    severity: 'problem',
    key,
    place: 'igw_gobtw_bind 80/tcp',
    message: 'it is wrong',
    keeps: '',
    mend: '',
    ...over,
  };
}

function inputOf(over: Partial<ExposureInput> = {}): ExposureInput {
  return {
    key,
    facts: { state: 'present', reason: '' },
    compiled: compiledOf(),
    granted: [{ word: word80, addr: '0.0.0.0', port: 1025 }],
    held: [],
    desired: [desiredOf()],
    present: [observedOf()],
    setFields: [],
    problems: [],
    policy: 'sync',
    heldBack: null,
    ...over,
  };
}

const brief = (rows: readonly ExposureRow[]) =>
  rows.map(({ word, state, server, why }) => ({ word, state, server, why }));

describe('a served word', () => {
  test('serves once GoBetween has the server as it is wanted', () => {
    assert.deepEqual(exposureOf(inputOf()), [
      {
        service: 'web',
        word: '80/tcp',
        label: '80/tcp',
        listen: '0.0.0.0:1025',
        proto: 'tcp',
        state: 'serving',
        server: name80,
        code: null,
        why: '',
      },
    ]);
  });

  test('is pending before its creation, and says why when GoBetween refused', () => {
    assert.deepEqual(brief(exposureOf(inputOf({ present: [] }))), [
      { word: '80/tcp', state: 'pending', server: name80, why: 'to be created' },
    ]);
    const busy = problemOf({ code: 'port-busy', place: `server ${name80}`, message: 'taken by a process' });
    assert.deepEqual(brief(exposureOf(inputOf({ present: [], problems: [busy] }))), [
      { word: '80/tcp', state: 'pending', server: name80, why: 'port-busy: taken by a process' },
    ]);
  });

  test('is pending while a replacement is due', () => {
    const present = [observedOf({ digest: 'd0' as Digest })];
    assert.deepEqual(brief(exposureOf(inputOf({ present }))), [
      { word: '80/tcp', state: 'pending', server: name80, why: 'to be replaced' },
    ]);
  });

  test('that moves to another port shows its former server too', () => {
    const moved = { proto: 'tcp', addr: '0.0.0.0', port: 1026 } as const;
    const rows = exposureOf(
      inputOf({
        granted: [{ word: word80, addr: '0.0.0.0', port: 1026 }],
        desired: [desiredOf({ listen: moved, digest: 'd2' as Digest })],
      }),
    );
    assert.deepEqual(brief(rows), [
      { word: '80/tcp', state: 'pending', server: name80, why: 'to be replaced' },
    ]);
    assert.equal(rows[0]?.listen, '0.0.0.0:1026');
  });

  test('serves through a historical name, and through a former default that was adopted', () => {
    const historical = observedOf({ name: '_80_web' as ServerName, historical: true });
    assert.deepEqual(brief(exposureOf(inputOf({ present: [historical] }))), [
      { word: '80/tcp', state: 'serving', server: '_80_web', why: '' },
    ]);
    const body = '{"healthcheck":{"kind":"ping","interval":"1s"}}';
    const stale = { digest: 'd0' as Digest, canonical: body.replace('1s', '2s') };
    const desired = [desiredOf({ body })];
    const rows = (setFields: string[]) =>
      brief(exposureOf(inputOf({ desired, present: [observedOf(stale)], setFields })));
    assert.deepEqual(rows(['healthcheck.interval']), [
      { word: '80/tcp', state: 'pending', server: name80, why: 'to be replaced' },
    ]);
    assert.deepEqual(rows([]), [{ word: '80/tcp', state: 'serving', server: name80, why: '' }]);
  });

  test('on an IPv6 address is shown in brackets', () => {
    const listen = { proto: 'tcp', addr: '::1', port: 8443 } as const;
    const rows = exposureOf(
      inputOf({
        compiled: compiledOf({ words: [word443] }),
        granted: [{ word: word443, addr: '::1', port: 8443 }],
        desired: [desiredOf({ listen })],
        present: [observedOf({ listen })],
      }),
    );
    assert.equal(rows[0]?.listen, '[::1]:8443');
    assert.equal(rows[0]?.state, 'serving');
  });
});

describe('a word without a port', () => {
  test('is held, and names the winner', () => {
    const grant = { code: 'port-conflict' as const, winner: { key: rival }, detail: 'taken' };
    const rows = exposureOf(
      inputOf({
        compiled: compiledOf({ words: [word443] }),
        granted: [],
        held: [{ word: word443, grant }],
        desired: [],
        present: [],
      }),
    );
    assert.deepEqual(brief(rows), [
      { word: word443.text, state: 'held', server: null, why: 'port-conflict: shop/svc/api has it' },
    ]);
    assert.equal(rows[0]?.listen, '[::1]:8443');
  });

  test('says what is in the way when nobody is', () => {
    const grant = { code: 'port-exhausted' as const, winner: null, detail: 'no port is free' };
    const rows = exposureOf(
      inputOf({ granted: [], held: [{ word: word80, grant }], desired: [], present: [] }),
    );
    assert.deepEqual(brief(rows), [
      { word: '80/tcp', state: 'held', server: null, why: 'port-exhausted: no port is free' },
    ]);
    assert.equal(rows[0]?.listen, null);
  });

  test('is held while no DNS can be asked', () => {
    const noDns = problemOf({ code: 'no-dns', message: 'the cluster has no DNS server' });
    assert.deepEqual(brief(exposureOf(inputOf({ desired: [], present: [], problems: [noDns] }))), [
      { word: '80/tcp', state: 'held', server: null, why: 'no-dns: the cluster has no DNS server' },
    ]);
  });

  test('keeps the former server of a held word in a row of its own', () => {
    const grant = { code: 'port-conflict' as const, winner: { key: rival }, detail: '' };
    const rows = exposureOf(inputOf({ granted: [], held: [{ word: word80, grant }], desired: [] }));
    assert.deepEqual(
      brief(rows).map(({ word, state, server }) => ({ word, state, server })),
      [
        { word: '80/tcp', state: 'held', server: null },
        { word: '', state: 'kept', server: name80 },
      ],
    );
  });
});

describe('what is wrong', () => {
  test('a bad word is spoiled, the good one beside it serves', () => {
    const problems = [
      problemOf({ place: 'igw_gobtw_bind 443/tcp-8443', message: 'did you mean 443/tcp-:8443' }),
    ];
    const rows = exposureOf(inputOf({ compiled: compiledOf({ badWords: true, problems }) }));
    assert.deepEqual(brief(rows), [
      { word: '443/tcp-8443', state: 'spoiled', server: null, why: 'bad-word: did you mean 443/tcp-:8443' },
      { word: '80/tcp', state: 'serving', server: name80, why: '' },
    ]);
  });

  test('a server that a bad word may have meant is kept', () => {
    const problems = [problemOf({ place: 'igw_gobtw_bind 80/' })];
    const compiled = compiledOf({ words: [], badWords: true, problems });
    const rows = exposureOf(inputOf({ compiled, granted: [] }));
    assert.deepEqual(
      brief(rows).map(({ word, state }) => ({ word, state })),
      [
        { word: '80/', state: 'spoiled' },
        { word: '', state: 'kept' },
      ],
    );
  });

  test('a bad keyword keeps what serves and spoils what does not', () => {
    const problems = [problemOf({ code: 'bad-keyword', place: 'igw_gobtw_balance', message: 'it is none' })];
    const compiled = compiledOf({ verdict: 'spoiled', words: [word443, word80], problems });
    const granted = [
      { word: word443, addr: '::1', port: 8443 },
      { word: word80, addr: '0.0.0.0', port: 1025 },
    ];
    assert.deepEqual(brief(exposureOf(inputOf({ compiled, granted }))), [
      { word: word443.text, state: 'spoiled', server: null, why: 'bad-keyword: it is none' },
      { word: '80/tcp', state: 'kept', server: name80, why: 'bad-keyword: it is none' },
    ]);
  });

  test('an unreadable and a missing service keep their servers', () => {
    const unreadable = exposureOf(inputOf({ facts: { state: 'unreadable', reason: 'no answer' } }));
    assert.deepEqual(brief(unreadable), [
      { word: '80/tcp', state: 'kept', server: name80, why: 'its configuration cannot be read: no answer' },
    ]);
    const missing = exposureOf(
      inputOf({ facts: { state: 'missing', reason: '' }, compiled: null, granted: [] }),
    );
    assert.deepEqual(
      brief(missing).map(({ word, state, server }) => ({ word, state, server })),
      [{ word: '', state: 'kept', server: name80 }],
    );
  });
});

describe('what is not ours to serve', () => {
  test('a service of another gateway shows its words', () => {
    const rows = exposureOf(
      inputOf({ compiled: compiledOf({ verdict: 'elsewhere' }), desired: [], present: [] }),
    );
    assert.deepEqual(brief(rows), [
      { word: '80/tcp', state: 'elsewhere', server: null, why: 'igw_gobtw_target_lb names other gateways' },
    ]);
  });

  test('a slave is one row, a service that asks for nothing none', () => {
    const slave = compiledOf({ verdict: 'slave', words: [] });
    assert.deepEqual(
      exposureOf(inputOf({ compiled: slave, present: [] })).map(({ state, word }) => ({ state, word })),
      [{ state: 'slave', word: '80/tcp' }],
    );
    const unbound = compiledOf({ verdict: 'unbound', words: [], bindText: '' });
    assert.deepEqual(exposureOf(inputOf({ compiled: unbound, present: [] })), []);
  });

  test('servers that nothing asks for are about to go', () => {
    const unbound = compiledOf({ verdict: 'unbound', words: [], bindText: '' });
    const row = { word: '', state: 'pending', server: name80 };
    const why = 'to be removed: nothing asks for it';
    assert.deepEqual(brief(exposureOf(inputOf({ compiled: unbound, desired: [] }))), [{ ...row, why }]);
    const gone = inputOf({ facts: { state: 'gone', reason: 'announced' }, desired: [] });
    assert.deepEqual(brief(exposureOf(gone)), [{ ...row, why: 'to be removed: the service is gone' }]);
    assert.deepEqual(brief(exposureOf({ ...gone, policy: 'upsert-only' })), [
      { ...row, state: 'kept', why: 'the service is gone; policy upsert-only: nothing is deleted' },
    ]);
  });
});
