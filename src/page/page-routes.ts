/**
 * The files of the status page, as they are beside this one. Invariant: nothing is loaded from elsewhere and nothing inline is
 * run, which the content security policy enforces; only the files named here are served.
 */
import { readFileSync } from 'node:fs';
import type { Route } from '../telemetry/http.js';

/** Scripts and styles of our own; the answers of the API; nothing else, and inside no other page. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const types = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  js: 'text/javascript; charset=utf-8',
} as const;

const files: readonly (readonly [path: string, file: string, type: keyof typeof types])[] = [
  ['/', 'index.html', 'html'],
  ['/page/style.css', 'style.css', 'css'],
  ['/page/icon.svg', 'icon.svg', 'svg'],
  ...['main', 'rows', 'table', 'live', 'detail', 'panels', 'dom', 'address', 'answers'].map(
    (name) => [`/page/${name}.js`, `client/${name}.js`, 'js'] as const,
  ),
];

/** Read once, when the janitor starts. */
export function pageRoutes(): ReadonlyMap<string, Route> {
  return new Map(
    files.map(([path, file, type]): [string, Route] => {
      const body = readFileSync(new URL(file, import.meta.url), 'utf8');
      return [path, () => ({ status: 200, contentType: types[type], contentSecurityPolicy, body })];
    }),
  );
}
