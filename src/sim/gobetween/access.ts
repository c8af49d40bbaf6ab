/** Access rules: the first that matches the client's address decides. Source: server/modules/access; rest §2. */
import { isIP, isIPv4 } from 'node:net';
import type { AccessConfig } from './config.js';

interface Rule {
  readonly allow: boolean;
  readonly bytes: Uint8Array;
  /** Leading bits that count; all of them for a single address. */
  readonly bits: number;
}

export interface Access {
  allows(address: string): boolean;
}

export type Parsed = { readonly access: Access } | { readonly error: string };

/** Builds the rules, filling in the default in place; or the error text of the 409. */
export function parseAccess(config: AccessConfig): Parsed {
  if (config.default === '') config.default = 'allow';
  if (config.default !== 'allow' && config.default !== 'deny') {
    return { error: `AccessConfig Unexpected Default: ${config.default}` };
  }
  const allowDefault = config.default === 'allow';
  const rules: Rule[] = [];
  for (const text of config.rules ?? []) {
    const rule = parseRule(text);
    if ('error' in rule) return rule;
    rules.push(rule);
  }
  return {
    access: {
      allows(address) {
        const bytes = addressBytes(address);
        return rules.find((rule) => matches(rule, bytes))?.allow ?? allowDefault;
      },
    },
  };
}

function parseRule(text: string): Rule | { readonly error: string } {
  const [verb, target, ...rest] = text.split(' ');
  if (verb === undefined || target === undefined || rest.length > 0) {
    return { error: `Bad access rule format: ${text}` };
  }
  if (verb !== 'allow' && verb !== 'deny') return { error: `Cant parse rule definition ${text}` };
  const allow = verb === 'allow';
  if (isAddress(target)) {
    const bytes = addressBytes(target);
    return { allow, bytes, bits: bytes.length * 8 };
  }
  const [address = '', mask = '', ...more] = target.split('/');
  const size = isIPv4(address) ? 32 : 128;
  if (more.length > 0 || !isAddress(address) || !/^\d+$/.test(mask) || Number(mask) > size) {
    return { error: `Cant parse acces rule target, not an ip or cidr: ${target}` };
  }
  return { allow, bytes: rawBytes(address), bits: Number(mask) };
}

const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes('%');

function matches(rule: Rule, address: Uint8Array): boolean {
  if (rule.bytes.length !== address.length) return false;
  for (let bit = 0; bit < rule.bits; bit += 8) {
    const keep = Math.min(8, rule.bits - bit);
    const mask = (0xff << (8 - keep)) & 0xff;
    const i = bit >> 3;
    if (((rule.bytes[i] ?? 0) & mask) !== ((address[i] ?? 0) & mask)) return false;
  }
  return true;
}

/** An address as Go compares it: IPv4 in IPv6 counts as IPv4. */
function addressBytes(address: string): Uint8Array {
  const bytes = rawBytes(address.replace(/%.*$/, ''));
  const mapped = bytes.length === 16 && bytes.subarray(0, 12).every((b, i) => b === (i < 10 ? 0 : 0xff));
  return mapped ? bytes.subarray(12) : bytes;
}

/** The bytes of an address in the family it is written in. */
export function rawBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number));
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  let text = address;
  if (dotted !== null) {
    const [, head = '', a, b, c, d] = dotted;
    text = `${head}${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`;
  }
  const [left = '', right = ''] = text.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [groups(left), groups(right)];
  const zeros: number[] = new Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0);
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}
