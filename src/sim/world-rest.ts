/** What a person with curl sees of a world's GoBetween. Counts as anybody's calls do, so read with GET where calls are counted. */
export interface ShownBackend {
  readonly host: string;
  readonly port: string;
  readonly live: boolean;
}

export type ShownServers = Readonly<Record<string, { readonly bind: string; readonly [field: string]: unknown }>>;

async function call(url: string, init: RequestInit = {}): Promise<string> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(5000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${url}: ${answer.status} ${text}`);
  return text;
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
  await call(serverUrl(url, name), { method: 'POST', body: JSON.stringify(body) });
}

export async function deleteServer(url: string, name: string): Promise<void> {
  await call(serverUrl(url, name), { method: 'DELETE' });
}
