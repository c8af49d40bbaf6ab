/**
 * One word of `igw_gobtw_bind`: `<port>[/<proto>][-[<addr>][:[<port or *>]]]` (SPEC §3, grammar corners). Each refusal
 * says what is wrong and, where it can be guessed, the word that was meant.
 */
import { canonicalAddress } from './address.js';
import { printable } from './printable.js';
import type { L4 } from './server.js';
import type { Word } from './spec.js';

/** What a word that does not say takes. */
export interface WordDefaults {
  readonly addr: string;
  readonly proto: L4;
}

export type ParsedWord =
  | { readonly ok: true; readonly word: Word; readonly protoGiven: boolean }
  | { readonly ok: false; readonly message: string; readonly mend: string };

export function parseWord(text: string, defaults: WordDefaults): ParsedWord {
  if (text.includes(',')) {
    return refuse(
      'a comma does not separate words',
      `separate the words with blanks: ${printable(text.replace(/,+/g, ' '))}`,
    );
  }
  const dash = text.indexOf('-');
  const label = dash < 0 ? text : text.slice(0, dash);
  const slash = label.indexOf('/');
  const portText = slash < 0 ? label : label.slice(0, slash);
  const port = parsePort(portText);
  if (port === null) return refusePort(text, portText);
  const proto = slash < 0 ? defaults.proto : label.slice(slash + 1).toLowerCase();
  if (proto !== 'tcp' && proto !== 'udp') {
    const message =
      proto === '' ? 'the protocol after / is missing' : `${printable(proto, 20)} is no protocol: tcp or udp`;
    return refuse(message, `write ${port}/tcp or ${port}/udp`);
  }
  const front =
    dash < 0
      ? { ok: true as const, addr: defaults.addr, listen: null }
      : parseFront(text.slice(dash + 1), label, defaults);
  if (!front.ok) return front;
  return {
    ok: true,
    protoGiven: slash >= 0,
    word: { text, port, proto, addr: front.addr, listen: front.listen },
  };
}

type Front =
  | { readonly ok: true; readonly addr: string; readonly listen: number | null }
  | { readonly ok: false; readonly message: string; readonly mend: string };

/** What follows the dash: where to listen. */
function parseFront(front: string, label: string, defaults: WordDefaults): Front {
  if (front === '')
    return refuse('nothing follows the -', `write ${label} (a free port), or ${label}-:<port>`);
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\*|[^:]*))?$/.exec(front);
  if (match === null) {
    const bare = canonicalAddress(front);
    const mend = bare === null ? `write ${label}-[<IPv6 address>]:<port>` : `write ${label}-[${bare}]`;
    return refuse('the address cannot be read; IPv6 stands in brackets', mend);
  }
  const [, host = '', portText = ''] = match;
  if (/^\d+$/.test(front))
    return refuse(
      `${printable(front, 20)} is an address here, not a port`,
      `did you mean ${label}-:${front.slice(0, 20)}?`,
    );
  const listen = portText === '' || portText === '*' ? null : parsePort(portText);
  if (listen === null && portText !== '' && portText !== '*') {
    return refuse(
      `${printable(portText, 20)} is no port to listen on (1 to 65535, or *)`,
      `write ${label}-${printable(host, 50)}:<port>`,
    );
  }
  if (host === '') return { ok: true, addr: defaults.addr, listen };
  if (host === '*')
    return refuse('* is no address', `write ${label}-0.0.0.0:${listen ?? '*'} for every address`);
  const bracketed = host.startsWith('[');
  const inner = bracketed ? host.slice(1, -1) : host;
  if (inner.includes('%'))
    return refuse('an address with a zone cannot be bound', `write ${label}-[<address without %zone>]`);
  const addr = bracketed && !inner.includes(':') ? null : canonicalAddress(inner);
  if (addr === null)
    return refuse(
      `${printable(host, 50)} is no IP address`,
      `write ${label}-<IP address>:<port>; IPv6 in brackets`,
    );
  return { ok: true, addr, listen };
}

/** The label of a word that cannot be read, as far as it can be; null when it may be any. */
export function labelOf(text: string): number | null {
  return text.includes(',') ? null : parsePort(/^\d+(?=[/-]|$)/.exec(text)?.[0] ?? '');
}

/** 1 to 65535 in plain digits, without leading zeros. */
export function parsePort(text: string): number | null {
  if (!/^[1-9]\d{0,4}$/.test(text)) return null;
  const port = Number(text);
  return port <= 65535 ? port : null;
}

function refusePort(text: string, portText: string): ParsedWord {
  if (portText === '')
    return refuse('the exposed port is missing', 'write <port>/<proto>, for instance 443/tcp');
  if (/^\d+$/.test(portText))
    return refuse(
      `${printable(portText, 20)} is no port: 1 to 65535, without leading zeros`,
      'write for instance 443/tcp',
    );
  return refuse(
    `${printable(portText, 40)} is no port number`,
    `write the number, for instance ${text.includes('/udp') ? '53/udp' : '443/tcp'}`,
  );
}

function refuse(
  message: string,
  mend: string,
): { readonly ok: false; readonly message: string; readonly mend: string } {
  return { ok: false, message, mend };
}
