/**
 * How the value of one keyword is read. Each reader takes trimmed, non-empty text and gives a typed value or says what is
 * wrong and what to write. Invariant: a value that a reader lets through is one that GoBetween accepts and survives
 * (gobetween-rest.md §2, §8).
 */
import { canonicalAddress } from './address.js';
import { formatListen } from './bind.js';
import { formatDuration, parseDuration } from './duration.js';
import { unquote } from './go-string.js';
import { printable, unprintable } from './printable.js';
import type { ProblemCode } from './problem.js';
import type { ServiceKey } from './service.js';
import { parsePort } from './word.js';

/** What a reader may need to know beside the text. */
export interface ReadRules {
  readonly key: ServiceKey;
  readonly allowExec: boolean;
  readonly allowAcme: boolean;
  readonly tlsDir: string | null;
}

export interface Remark {
  readonly code?: ProblemCode;
  readonly message: string;
  readonly mend: string;
}

export type Reading<T> =
  | { readonly ok: true; readonly value: T; readonly warning?: Remark }
  | ({ readonly ok: false } & Remark);

export type Reader<T> = (text: string, rules: ReadRules) => Reading<T>;

export function good<T>(value: T, warning?: Remark): Reading<T> {
  return warning === undefined ? { ok: true, value } : { ok: true, value, warning };
}

export function bad(message: string, mend: string, code?: ProblemCode): { readonly ok: false } & Remark {
  return code === undefined ? { ok: false, message, mend } : { ok: false, message, mend, code };
}

/** One of a few words, compared without case and sent in lower case. */
export function oneOf<const T extends string>(...values: readonly T[]): Reader<T> {
  return (text) => {
    const found = values.find((value) => value === text.toLowerCase());
    return found === undefined
      ? bad(`${printable(text, 40)} is none of ${values.join(', ')}`, `write one of: ${values.join(', ')}`)
      : good(found);
  };
}

export function integer(from: number, to: number): Reader<number> {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= from && value <= to
      ? good(value)
      : bad(
          `${printable(text, 40)} is no whole number from ${from} to ${to}`,
          `write a number from ${from} to ${to}`,
        );
  };
}

/**
 * A Go duration of at least `floor`, in canonical text. `zero` says what 0 does where it is below the floor: undefined
 * refuses it.
 */
export function duration(floor: string, zero?: Remark): Reader<string> {
  const least = parseDuration(floor) ?? 0n;
  return (text) => {
    const value = parseDuration(text);
    if (value === null) {
      const guess = /^\d{1,6}$/.test(text) ? `${text}s` : floor === '0' ? '30s' : floor;
      return bad(
        `${printable(text, 40)} is no duration with a unit, as Go writes them`,
        `write for instance ${guess}`,
      );
    }
    if (value === 0n && zero !== undefined) return good('0', zero);
    if (value < least)
      return bad(`${printable(text, 40)} is less than the least allowed, ${floor}`, `write ${floor} or more`);
    return good(formatDuration(value));
  };
}

/** `ip[:port]`, IPv6 with a port in brackets; a host name with a warning. The port is null where none is given. */
export const lookupServer: Reader<{ readonly host: string; readonly port: number | null }> = (text) => {
  const whole = canonicalAddress(text);
  if (whole !== null) return good({ host: whole, port: null });
  const match = /^(?:\[([^\]]*)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const port = match?.[3] === undefined ? null : parsePort(match[3]);
  const host = match?.[1] ?? match?.[2] ?? '';
  if (match === null || (match[3] !== undefined && port === null)) {
    return bad(
      `${printable(text, 60)} is no DNS server`,
      'write <IP address> or <IP address>:<port>, IPv6 in brackets',
    );
  }
  const addr = canonicalAddress(host);
  if (addr !== null) return good({ host: addr, port });
  // Digits and dots only is a mistyped address: a resolver would be asked for it for ever.
  if (match[1] !== undefined || /^[\d.]+$/.test(host) || !isDnsName(host)) {
    return bad(
      `${printable(host, 60)} is no IP address`,
      'write <IP address> or <IP address>:<port>, IPv6 in brackets',
    );
  }
  return good(
    { host: host.toLowerCase(), port },
    {
      code: 'lookup-host-name',
      message: `${printable(host, 60)} is a host name, which GoBetween resolves anew for each lookup`,
      mend: 'write its IP address',
    },
  );
};

/** `host:port` as GoBetween wants it. */
export function lookupText(
  server: { readonly host: string; readonly port: number | null },
  port: number,
): string {
  return formatListen(server.host, server.port ?? port);
}

/** A record name; the final dot that GoBetween needs is added. */
export const recordName: Reader<string> = (text) => {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return isDnsName(name)
    ? good(`${name}.`)
    : bad(`${printable(text, 60)} is no DNS name`, 'write for instance _443._tcp.web.root.svc.cluster1.');
};

export function isDnsName(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => /^[A-Za-z0-9_-]{1,63}$/.test(label));
}

/** Plain text of at most `limit` characters. */
export function plain(limit: number): Reader<string> {
  return (text) => {
    const why = unprintable(text);
    if (why !== null) return bad(why, 'write plain text');
    return text.length > limit
      ? bad(`it is ${text.length} characters long, more than ${limit}`, `shorten it to ${limit} characters`)
      : good(text);
  };
}

/** Text with Go's escapes (`PING\r\n`), which GoBetween unquotes. The value stays as written. */
export const probeText: Reader<string> = (text, rules) => {
  const read = plain(1024)(text, rules);
  if (!read.ok) return read;
  if (unquote(text) === null) {
    return bad(
      'it is no text with Go escapes, or stands for bytes that are no UTF-8 text',
      'write for instance PING\\r\\n, with \\" for a quote',
    );
  }
  return good(text);
};

export const names: Reader<readonly string[]> = (text, rules) => {
  const read = plain(4096)(text, rules);
  if (!read.ok) return read;
  const words = text.split(/\s+/).filter((word) => word !== '');
  return words.length > 64
    ? bad(`it names ${words.length} gateways; at most 64`, 'shorten the list')
    : good(words);
};

/** Only srv exists here: anything else is reported. */
export const srvOnly: Reader<'srv'> = (text) =>
  text.toLowerCase() === 'srv'
    ? good('srv')
    : good('srv', {
        code: 'forced-default',
        message: `${printable(text, 40)} is ignored: backends are always found by SRV lookups`,
        mend: 'remove the keyword, or write srv',
      });

export const healthcheckKind: Reader<'ping' | 'none' | 'probe' | 'exec'> = (text, rules) => {
  const read = oneOf('ping', 'none', 'probe', 'exec')(text, rules);
  if (!read.ok || read.value !== 'exec' || rules.allowExec) return read;
  return bad(
    'exec runs a command on the gateway, which this gateway does not allow',
    'write ping, probe or none; or ask for --allow-exec-healthcheck',
    'not-allowed',
  );
};
