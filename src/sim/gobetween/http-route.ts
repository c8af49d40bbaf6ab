/**
 * Paths as gin routes them: decoded before they are matched, one segment of any bytes for a name, and a redirect
 * where only a final slash is too much. Source: reference/gobetween-rest.md §1.
 */

export type Route =
  | { readonly kind: 'info' | 'ping' | 'dump' | 'list' }
  | { readonly kind: 'get' | 'create' | 'remove' | 'stats'; readonly name: string }
  | { readonly kind: 'redirect'; readonly status: 301 | 307; readonly location: string }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'bad-request' };

export interface Target {
  readonly route: Route;
  readonly query: URLSearchParams;
}

/** Routes a raw request target; names come out as bytes in a latin1 string. */
export function routeOf(method: string, target: string): Target {
  const relative = target.replace(/^[a-z]+:\/\/[^/?]*/i, '');
  const mark = relative.indexOf('?');
  const raw = mark < 0 ? relative : relative.slice(0, mark);
  const queryText = mark < 0 ? '' : relative.slice(mark);
  const query = new URLSearchParams(queryText);
  const path = unescapePath(raw);
  if (path === null) return { route: { kind: 'bad-request' }, query };
  const matched = match(method, path);
  if (matched !== null) return { route: matched, query };
  const shorter = path.replace(/\/$/, '');
  if (path.endsWith('/') && path !== '/' && match(method, shorter) !== null) {
    const location = escapePath(shorter) + queryText;
    return { route: { kind: 'redirect', status: method === 'GET' ? 301 : 307, location }, query };
  }
  return { route: { kind: 'not-found' }, query };
}

function match(method: string, path: string): Route | null {
  if (method === 'GET') {
    if (path === '/') return { kind: 'info' };
    if (path === '/ping') return { kind: 'ping' };
    if (path === '/dump') return { kind: 'dump' };
    if (path === '/servers') return { kind: 'list' };
    const stats = /^\/servers\/([^/]*)\/stats$/s.exec(path);
    if (stats !== null) return { kind: 'stats', name: stats[1] ?? '' };
  }
  const one = /^\/servers\/([^/]+)$/s.exec(path);
  if (one === null) return null;
  const kinds = { GET: 'get', POST: 'create', DELETE: 'remove' } as const;
  const kind = Object.hasOwn(kinds, method) ? kinds[method as keyof typeof kinds] : undefined;
  return kind === undefined ? null : { kind, name: one[1] ?? '' };
}

/** url.PathUnescape on bytes; null for a malformed escape. */
function unescapePath(raw: string): string | null {
  if (/%(?![0-9a-fA-F]{2})/.test(raw)) return null;
  return raw.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** url.URL.EscapedPath of a decoded path. */
function escapePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@]/g, (c) => {
    return `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
