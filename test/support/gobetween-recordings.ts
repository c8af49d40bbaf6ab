/** The recordings of the real GoBetween (test/fixtures/gobetween), and how an answer is compared with one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RawAnswer, RawRequest } from './gobetween-http.js';
import type { PortRange } from './gobetween-ports.js';
import type { FileConfig } from './gobetween-target.js';

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/gobetween/', import.meta.url));
const RECORDED_TLS = '/etc/gobetween/tls/';

export interface RecordedResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly bodyText?: string;
  readonly connectionClosed?: boolean;
  readonly processExited?: boolean;
  readonly processExitedAfterReply?: boolean;
  readonly exitCode?: number;
}

export interface RecordedCase {
  readonly name: string;
  readonly action?: string;
  readonly delayMsBefore?: number;
  readonly nondeterministicReply?: boolean;
  readonly request?: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly rawBody?: string;
  };
  readonly response?: RecordedResponse;
}

export interface RecordedFile {
  readonly name: string;
  readonly config: FileConfig;
  readonly cases: readonly RecordedCase[];
}

/** Reads one recording with this run's ports, and the certificates' paths on this machine. */
function readMoved(name: string, ports: PortRange): unknown {
  const text = readFileSync(`${FIXTURES}${name}.json`, 'utf8').replaceAll(RECORDED_TLS, `${FIXTURES}tls/`);
  // Integers that a double cannot hold travel as marked strings.
  return JSON.parse(ports.move(text).replace(/(:\s*)(\d{16,})/g, '$1"@integer:$2"'));
}

/** All recorded files, in their order. */
export function readRecordings(ports: PortRange): readonly RecordedFile[] {
  const index = readMoved('index', ports) as { readonly configs: Readonly<Record<string, FileConfig>> };
  return Object.entries(index.configs).map(([name, config]) => ({
    name,
    config,
    cases: readMoved(name, ports) as readonly RecordedCase[],
  }));
}

/** The request to send. */
export function requestOf(recorded: NonNullable<RecordedCase['request']>): RawRequest {
  const { method, path, headers, body, rawBody } = recorded;
  const text = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
  return {
    method,
    path,
    ...(headers === undefined ? {} : { headers }),
    ...(text === undefined ? {} : { body: text.replace(/"@integer:(\d+)"/g, '$1') }),
  };
}

const JUDGED = /^(content-type|location|www-authenticate|access-control-.*)$/;

/** Asserts that an answer is the recorded one: status, the headers that matter, the body to the byte. */
export function assertSame(actual: RawAnswer, expected: RecordedResponse, method: string): void {
  if (expected.connectionClosed === true) {
    assert.equal(actual.closed, true, 'the connection is closed without an answer');
    return;
  }
  assert.ok(!actual.closed, 'an answer came');
  assert.equal(actual.status, expected.status, actual.text);
  const headers = Object.fromEntries(Object.entries(actual.headers).filter(([name]) => JUDGED.test(name)));
  assert.deepEqual(headers, expected.headers ?? {});
  if (expected.bodyText !== undefined) assert.equal(actual.text, expected.bodyText);
  if (expected.body === undefined || method === 'HEAD') return;
  const seen: unknown = JSON.parse(actual.text);
  assert.deepEqual(withVolatile(seen, expected.body), expected.body);
  if (!JSON.stringify(expected.body).includes('<volatile>')) {
    assert.equal(
      actual.text.replaceAll('\\ufffd', '\ufffd'),
      asGoWrites(expected.body),
      'order of keys, indentation, escapes',
    );
  }
}

function withVolatile(seen: unknown, expected: unknown): unknown {
  if (expected === '<volatile>' && seen !== undefined) return expected;
  if (typeof seen !== 'object' || seen === null || typeof expected !== 'object' || expected === null)
    return seen;
  if (Array.isArray(seen)) return seen;
  return Object.fromEntries(
    Object.entries(seen).map(([key, value]) => [
      key,
      withVolatile(value, (expected as Record<string, unknown>)[key]),
    ]),
  );
}

function asGoWrites(value: unknown): string {
  return JSON.stringify(value, null, 4).replace(/[<>&\u2028\u2029]/g, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
