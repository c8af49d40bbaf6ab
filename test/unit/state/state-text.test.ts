import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Digest, ServerName } from '../../../src/model/server.js';
import type { ServiceKey } from '../../../src/model/service.js';
import { decodeState, encodeState, type SavedState } from '../../../src/state/state-text.js';

const noPause = async (): Promise<void> => undefined;

function textOf(state: SavedState, maxBytes?: number): Buffer {
  return Buffer.from([...encodeState(state, maxBytes)].join(''));
}

const small: SavedState = {
  cluster: 'c1',
  services: [
    {
      key: 'root/svc/web' as ServiceKey,
      claims: [{ proto: 'tcp', label: 80, addr: '0.0.0.0', port: 1024, since: 1_700_000_000_000 }],
      servers: [
        {
          name: '_80._tcp.web.root.svc' as ServerName,
          listen: { proto: 'tcp', addr: '0.0.0.0', port: 1024 },
          digest: 'abc' as Digest,
          body: '{"bind":"0.0.0.0:1024"}',
          lookupServer: '127.0.0.1:53',
        },
      ],
    },
  ],
  configs: [
    { name: '["root/svc/web","c"]', raw: '[DEFAULT]\nénv = ü\n', needsEvaluation: false, loop: null },
    { name: '["root/svc/web","c","k","n1"]', raw: '{}', needsEvaluation: true, loop: 'env.a -> env.a' },
  ],
};

async function codeOf(bytes: Uint8Array): Promise<string> {
  const decoded = await decodeState(bytes, noPause);
  return decoded.ok ? 'ok' : decoded.failure.code;
}

describe('state text', () => {
  test('any state comes back as it was', async () => {
    const text = fc.string({ unit: 'binary' });
    const listen = fc.record({
      proto: fc.constantFrom('tcp' as const, 'udp' as const),
      addr: text,
      port: fc.nat(),
    });
    const server = fc.record({
      ...{ name: text.map((t) => t as ServerName), listen, digest: text.map((t) => t as Digest) },
      ...{ body: text, lookupServer: text },
    });
    const claim = fc.record({
      ...{ proto: fc.constantFrom('tcp' as const, 'udp' as const), addr: text },
      ...{ label: fc.nat(), port: fc.nat(), since: fc.nat() },
    });
    const state: fc.Arbitrary<SavedState> = fc.record({
      cluster: text,
      services: fc.array(
        fc.record({
          key: text.map((t) => t as ServiceKey),
          claims: fc.array(claim, { maxLength: 3 }),
          servers: fc.array(server, { maxLength: 3 }),
        }),
      ),
      configs: fc.array(
        fc.record({ name: text, raw: text, needsEvaluation: fc.boolean(), loop: fc.option(text) }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(state, async (given) => {
        const decoded = await decodeState(textOf(given), noPause);
        // A lone surrogate has no UTF-8: JSON keeps it as an escape.
        assert.deepEqual(decoded, { ok: true, value: JSON.parse(JSON.stringify(given)) as SavedState });
      }),
    );
  });

  test('cut at any byte it is refused', async () => {
    const bytes = textOf(small);
    for (let length = 0; length < bytes.length; length += 1) {
      assert.notEqual(await codeOf(bytes.subarray(0, length)), 'ok', `${length} of ${bytes.length} bytes`);
    }
    assert.equal(await codeOf(bytes), 'ok');
  });

  test('with any bit flipped it is refused, or says the same', async () => {
    const bytes = textOf(small);
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const decoded = await decodeState(flipped, noPause);
      if (!decoded.ok) refused += 1;
      else assert.deepEqual(decoded.value, small, `bit ${bit}`); // a digit's case in the end, say
    }
    assert.ok(refused > bytes.length * 8 - 64, `${refused} of ${bytes.length * 8}`);
  });

  test('lines that were swapped, doubled or left out are refused', async () => {
    const lines = [...encodeState(small)];
    const [head = '', service = '', first = '', second = '', end = ''] = lines;
    for (const other of [
      [head, service, second, first, end],
      [head, service, service, first, second, end],
      [head, service, first, end],
      [head, service, first, second, second, end],
      [head, end],
      [end],
      [head, service, first, second, end, end],
    ]) {
      assert.notEqual(await codeOf(Buffer.from(other.join(''))), 'ok');
    }
  });

  test('another format or version is foreign, whatever else it holds', async () => {
    const [, ...rest] = encodeState(small);
    for (const head of [
      { format: 'gobtw-janitor state', version: 2, cluster: 'c1' },
      { format: 'gobtw-janitor state', version: 0, cluster: 'c1' },
      { format: 'gobtw-janitor state', cluster: 'c1' },
      { format: 'something', version: 1 },
      {},
      null,
      [],
      'state',
    ]) {
      const bytes = Buffer.from(`${JSON.stringify(head)}\n${rest.join('')}`);
      assert.equal(await codeOf(bytes), 'state-foreign', JSON.stringify(head));
    }
    assert.equal(await codeOf(Buffer.from('\n')), 'state-foreign');
    assert.equal(await codeOf(Buffer.from('{"format":\n')), 'state-foreign');
    assert.equal(await codeOf(Buffer.alloc(1000)), 'state-corrupt');
  });

  test('a record of a wrong shape is refused although the digest is right', async () => {
    const wrong = [
      { services: [{ ...small.services[0], claims: [{ proto: 'icmp' }] }] },
      { services: [{ ...small.services[0], claims: null }] },
      { services: [{ ...small.services[0], servers: [{}] }] },
      { services: [{ ...small.services[0], servers: [null] }] },
      { services: [{ key: 5, claims: [], servers: [] }] },
      { configs: [{ ...small.configs[0], raw: 1 }] },
      { configs: [{ ...small.configs[0], loop: 1 }] },
      { configs: [{ ...small.configs[0], needsEvaluation: null }] },
      { cluster: 7 },
    ];
    for (const part of wrong) {
      const bytes = textOf({ ...small, ...part } as unknown as SavedState);
      assert.equal(await codeOf(bytes), 'state-corrupt', JSON.stringify(part));
    }
  });

  test('what does not fit is left out from the end, and what is left is whole', async () => {
    const whole = textOf(small);
    let fewest = 2;
    for (let max = whole.length + 200; max > 0; max -= 7) {
      const bytes = textOf(small, max);
      const decoded = await decodeState(bytes, noPause);
      if (!decoded.ok) break; // not even the head fits
      assert.ok(bytes.length <= Math.max(max, 200));
      assert.deepEqual(decoded.value.configs, small.configs.slice(0, decoded.value.configs.length));
      assert.ok(decoded.value.configs.length <= fewest);
      fewest = decoded.value.configs.length;
    }
    assert.equal(fewest, 0);
  });

  test('long ones are read in slices', async () => {
    const configs = Array.from({ length: 2000 }, (_, index) => ({
      ...{ name: `n${index}`, raw: 'x'.repeat(1000), needsEvaluation: false, loop: null },
    }));
    let pauses = 0;
    const decoded = await decodeState(textOf({ ...small, configs }), async () => {
      pauses += 1;
    });
    assert.equal(decoded.ok, true);
    assert.ok(pauses >= 15, `${pauses} pauses in 2 MB`);
  });
});
