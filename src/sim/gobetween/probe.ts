/** The two checks that go over the network: a bare connect, and one that sends bytes and judges the answer. */
import { createSocket } from 'node:dgram';
import { type Socket, connect, isIPv6 } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ProbeConfig } from './config.js';
import { compileRegexp } from './go-regexp.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Beyond it a timer of Node fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Whether a tcp connection can be made; a time-out of 0 is none. */
export function ping(address: Address, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    guard(socket, timeoutMs, () => resolve(false));
    socket.on('connect', () => {
      resolve(true);
      socket.destroy();
    });
  });
}

/** Whether the backend answers as expected: healthcheck/probe.go. */
export async function probe(config: ProbeConfig, address: Address, timeoutMs: number): Promise<boolean> {
  const expected = Buffer.from(config.probe_recv, 'utf8');
  const wanted = config.probe_recv_len === 0n ? expected.length : Number(config.probe_recv_len);
  const exchange = config.probe_protocol === 'udp' ? overUdp : overTcp;
  const answer = await exchange(config, address, timeoutMs, wanted);
  if (answer === null) return false;
  if (config.probe_strategy === 'starts_with') return answer.equals(expected);
  const compiled = compileRegexp(config.probe_recv);
  return 'regexp' in compiled && compiled.regexp.test(answer.toString('utf8'));
}

/** Ends in `failed` on an error, a close or a time-out; harmless once the caller has its answer. */
function guard(socket: Socket, timeoutMs: number, failed: () => void): void {
  const timer =
    timeoutMs > 0 ? setTimeout(() => socket.destroy(), Math.min(timeoutMs, LONGEST_MS)) : undefined;
  socket.on('error', failed);
  socket.on('close', () => {
    clearTimeout(timer);
    failed();
  });
}

function overTcp(
  config: ProbeConfig,
  address: Address,
  timeoutMs: number,
  wanted: number,
): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const tls = config.probe_protocol === 'tls';
    const socket = tls ? connectTls({ ...address, minVersion: 'TLSv1.2' }) : connect(address);
    guard(socket, timeoutMs, () => resolve(null));
    let received = Buffer.alloc(0);
    socket.on(tls ? 'secureConnect' : 'connect', () => socket.write(config.probe_send));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < wanted) return;
      resolve(received.subarray(0, wanted));
      socket.destroy();
    });
  });
}

function overUdp(
  config: ProbeConfig,
  address: Address,
  timeoutMs: number,
  wanted: number,
): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address.host) ? 'udp6' : 'udp4');
    let received = Buffer.alloc(0);
    let closed = false;
    const finish = (answer: Buffer | null): void => {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    // Without a time-out the real one waits for ever; half a minute is enough to see the same.
    const timer = setTimeout(() => finish(null), timeoutMs > 0 ? Math.min(timeoutMs, LONGEST_MS) : 30_000);
    timer.unref();
    socket.on('error', () => finish(null));
    socket.on('message', (message) => {
      received = Buffer.concat([received, message]);
      if (received.length >= wanted) finish(received.subarray(0, wanted));
    });
    // Called with the error, too, where the name does not resolve.
    socket.connect(address.port, address.host, (error?: Error | null) => {
      if (error) finish(null);
      else if (!closed) socket.send(config.probe_send);
    });
  });
}
