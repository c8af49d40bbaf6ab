/**
 * The kinds of value that settings have, each as one parser from text. A refusal is half a sentence that reads well
 * after `--flag "text": ` and says what is wanted; the table adds the example.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { parseDurationMs } from './duration.js';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly wrong: string };
export type Parse<T> = (text: string) => Parsed<T>;

/** `addr` is an IP literal without brackets; port 0 lets the system choose. */
export interface ListenAddress {
  readonly addr: string;
  readonly port: number;
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export const good = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const bad = (wrong: string): Parsed<never> => ({ ok: false, wrong });

/** Any text without control characters. */
export const text: Parse<string> = (input) => {
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  return /[\u0000-\u001f\u007f]/.test(input) ? bad('has control characters') : good(input);
};

/** A DNS or node name: letters, digits, `-`, `_` and dots, no longer than a DNS name. */
export const hostName: Parse<string> = (input) => {
  const wellFormed =
    /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;
  return input.length <= 253 && wellFormed.test(input) ? good(input) : bad('is not a host or service name');
};

export const ipLiteral: Parse<string> = (input) => {
  const addr = input.startsWith('[') && input.endsWith(']') ? input.slice(1, -1) : input;
  if (addr !== input && !isIPv6(addr)) return bad('has brackets around something else than an IPv6 address');
  return isIP(addr) !== 0 && !addr.includes('%') ? good(addr) : bad('is not an IP address');
};

/** A Go duration of at least `leastMs`. */
export function duration(leastMs: number): Parse<number> {
  return (input) => {
    const ms = parseDurationMs(input);
    if (ms === null) {
      return bad(/^\d+$/.test(input) ? 'has no unit' : 'is not a duration between 0 and 24 days');
    }
    return ms >= leastMs ? good(ms) : bad(`is shorter than ${leastMs} ms`);
  };
}

/** Seconds as a plain number, or a Go duration; more than 0. */
export const seconds: Parse<number> = (input) => {
  const ms = parseDurationMs(/^\d+(\.\d+)?$/.test(input) ? `${input}s` : input);
  if (ms === null) return bad('is not a number of seconds');
  return ms > 0 ? good(ms) : bad('must be more than 0');
};

export function integer(least: number, most: number): Parse<number> {
  return (input) => {
    const value = /^\d{1,15}$/.test(input) ? Number(input) : Number.NaN;
    return value >= least && value <= most
      ? good(value)
      : bad(`is not a whole number between ${least} and ${most}`);
  };
}

/** A number of calls a second, `/s` allowed behind it; 0 is no limit. */
export const rate: Parse<number> = (input) => {
  const value = /^\d{1,9}(\.\d{1,6})?(\/s)?$/.test(input) ? Number.parseFloat(input) : Number.NaN;
  return Number.isNaN(value) ? bad('is not a number of calls a second (0 is no limit)') : good(value);
};

/** One of a few words, without regard to case. */
export function oneOf<const W extends string>(...words: readonly W[]): Parse<W> {
  return (input) => {
    const word = words.find((candidate) => candidate === input.toLowerCase());
    return word === undefined ? bad(`is none of ${words.join(', ')}`) : good(word);
  };
}

/** What a boolean variable of the environment may say. */
export const onOff: Parse<boolean> = (input) => {
  if (/^(on|true|yes|1)$/i.test(input)) return good(true);
  return /^(off|false|no|0)$/i.test(input) ? good(false) : bad('is neither on nor off');
};

/** `off` is null. */
export function orOff<T>(parse: Parse<T>): Parse<T | null> {
  return (input) => (input.toLowerCase() === 'off' ? good(null) : parse(input));
}

/** Blank- or comma-separated; an empty list is refused. */
export function list<T>(parse: Parse<T>): Parse<readonly T[]> {
  return (input) => {
    const items = input.split(/[\s,]+/).filter((item) => item !== '');
    if (items.length === 0) return bad('is empty');
    const values: T[] = [];
    for (const item of items) {
      const parsed = parse(item);
      if (!parsed.ok) return bad(items.length > 1 ? `has "${item}", which ${parsed.wrong}` : parsed.wrong);
      values.push(parsed.value);
    }
    return good(values);
  };
}

export const port = integer(1, 65_535);

export const portRange: Parse<PortRange> = (input) => {
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(input) ?? [];
  const from = Number(first ?? 0);
  const to = Number(last ?? 0);
  if (from < 1 || to > 65_535) return bad('is not two ports between 1 and 65535');
  return from <= to ? good({ from, to }) : bad('begins after its end');
};

/** `127.0.0.1:8889`, `[::1]:8889`, `localhost:8889`, or `:8889` for every IPv4 address. */
export const listenAddress: Parse<ListenAddress> = (input) => {
  const [, host, digits] = /^(\[[^\]]*\]|[^:[\]]*):(\d{1,5})$/.exec(input) ?? [];
  if (host === undefined) {
    return bad(
      isIPv6(input) || /^[^[]*:.*:/.test(input)
        ? 'needs brackets around the IPv6 address'
        : 'is not ADDR:PORT',
    );
  }
  const number = Number(digits);
  if (number > 65_535) return bad('has a port above 65535');
  if (host === '') return good({ addr: '0.0.0.0', port: number });
  if (host.toLowerCase() === 'localhost') return good({ addr: '127.0.0.1', port: number });
  const addr = ipLiteral(host);
  return addr.ok ? good({ addr: addr.value, port: number }) : bad('has an address that is not an IP address');
};

/** The root of GoBetween's API, without a trailing slash. Credentials in it are refused and never repeated. */
export const apiUrl: Parse<string> = (input) => {
  if (!/^https?:\/\//i.test(input) || !URL.canParse(input)) return bad('is not an http or https URL');
  const url = new URL(input);
  if (url.username !== '' || url.password !== '') return bad('holds credentials');
  if (url.search !== '' || url.hash !== '') return bad('has a query or a fragment');
  if (url.pathname !== '/') return bad('has a path: only the host and the port are wanted');
  return good(url.origin);
};

/** The host of a URL: an IP literal or a name. */
export const urlHost: Parse<string> = (input) => {
  const addr = ipLiteral(input);
  if (addr.ok) return good(isIPv4(addr.value) ? addr.value : `[${addr.value}]`);
  const name = hostName(input);
  return name.ok ? name : bad('is neither an IP address nor a host name');
};

/** A path that the kernel accepts for a unix socket. */
export const socketPath: Parse<string> = (input) => {
  if (Buffer.byteLength(input) > 107) return bad('is longer than the 107 bytes that a socket path may have');
  return text(input);
};

export const absolutePath: Parse<string> = (input) =>
  input.startsWith('/') ? text(input) : bad('is not an absolute path');

export const password: Parse<string> = (input) => good(input);
