/** A bare HTTP client for contract tests: sends a target as it is, and tells a closed connection from an answer. */
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export type RawAnswer =
  | {
      readonly closed: false;
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly text: string;
    }
  | { readonly closed: true };

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own; a connection that ends without an answer is not an error. */
export function send(base: string, request: RawRequest): Promise<RawAnswer> {
  const { protocol, hostname, port } = new URL(base);
  const start = protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const outgoing = start(
      {
        hostname,
        port,
        method: request.method,
        path: request.path,
        headers: { ...request.headers, 'Content-Length': String(Buffer.byteLength(request.body ?? '')) },
        agent: false,
        rejectUnauthorized: false,
        timeout: 10_000,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', () => resolve({ closed: true }));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ closed: false, status: answer.statusCode ?? 0, headers: answer.headers, text });
        });
      },
    );
    outgoing.on('error', () => resolve({ closed: true }));
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.end(request.body);
  });
}
