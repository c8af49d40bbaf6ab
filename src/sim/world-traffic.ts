/** Clients of a world: they connect to what the gateway exposes and tell which backend answered. */
import { createSocket } from 'node:dgram';
import { request } from 'node:http';

export type Reply =
  /** `who` is one backend: `0.web@127.64.0.1`; `service` is the service that it is an instance of. */
  | { readonly ok: true; readonly who: string; readonly service: string }
  /** `why` is the system's word: ECONNREFUSED, ECONNRESET, or `no answer`. */
  | { readonly ok: false; readonly why: string };

const ANSWER_MS = 1500;

/** One request on a connection of its own, so that the balancer chooses a backend each time. */
export function askTcp(port: number, host = '127.0.0.1'): Promise<Reply> {
  return new Promise((resolve) => {
    const sent = request({ host, port, path: '/', agent: false, timeout: ANSWER_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(identify(text)));
      response.on('error', (error) => resolve({ ok: false, why: reason(error) }));
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', (error) => resolve({ ok: false, why: reason(error) }));
    sent.end();
  });
}

/** One datagram from a socket of its own. */
export function askUdp(port: number, host = '127.0.0.1'): Promise<Reply> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const timer = setTimeout(() => finish({ ok: false, why: 'no answer' }), ANSWER_MS);
    function finish(reply: Reply): void {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      socket.close();
      resolve(reply);
    }
    socket.on('error', (error) => finish({ ok: false, why: reason(error) }));
    socket.on('message', (message) => finish(identify(message.toString())));
    socket.send('who are you?', port, host);
  });
}

/** `count` requests one after the other. */
export async function askMany(
  port: number,
  count: number,
  proto: 'tcp' | 'udp' = 'tcp',
): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (let index = 0; index < count; index += 1) {
    replies.push(await (proto === 'tcp' ? askTcp(port) : askUdp(port)));
  }
  return replies;
}

/** Backends say who they are in JSON; the slaves of a scaler answer for it. */
function identify(text: string): Reply {
  try {
    const { service, address } = JSON.parse(text) as { service: string; address: string };
    return {
      ok: true,
      who: `${service}@${address}`,
      service: service.replace(/(^|\/)\d+\.([^/]+)$/, '$1$2'),
    };
  } catch {
    return { ok: false, why: `not one of our backends: ${text.slice(0, 60)}` };
  }
}

function reason(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
