/** What a person with curl sees of a world's GoBetween. Counts as anybody's calls do, so read with GET where calls are counted. */
import { request } from 'node:http';

export interface ShownBackend {
  readonly host: string;
  readonly port: string;
  readonly live: boolean;
}

export type ShownServers = Readonly<
  Record<string, { readonly bind: string; readonly [field: string]: unknown }>
>;

/** A connection for each call: one that is kept would be a dead one after a restart. */
function call(url: string, method = 'GET', body = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent: false, timeout: 5000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(text);
        else reject(new Error(`${method} ${url}: ${answer.statusCode ?? 0} ${text}`));
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${url}: no answer`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

const serverUrl = (url: string, name: string): string => `${url}/servers/${encodeURIComponent(name)}`;

/** `GET /servers`. Throws when GoBetween does not answer. */
export async function showServers(url: string): Promise<ShownServers> {
  return JSON.parse(await call(`${url}/servers`)) as ShownServers;
}

/** The backends that GoBetween knows for one server; empty while it knows none. */
export async function showBackends(url: string, name: string): Promise<readonly ShownBackend[]> {
  const stats = JSON.parse(await call(`${serverUrl(url, name)}/stats`)) as {
    backends?: readonly { host: string; port: string; stats: { live: boolean } }[] | null;
  } | null;
  return (stats?.backends ?? []).map(({ host, port, stats: { live } }) => ({ host, port, live }));
}

/** Creates a server by hand, as somebody else's tool would. */
export async function postServer(url: string, name: string, body: unknown): Promise<void> {
  await call(serverUrl(url, name), 'POST', JSON.stringify(body));
}

export async function deleteServer(url: string, name: string): Promise<void> {
  await call(serverUrl(url, name), 'DELETE');
}
