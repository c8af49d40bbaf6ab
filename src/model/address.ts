/**
 * IP addresses as text, read as Go's net package reads them: no leading zeros, no zones. Invariant: two spellings of one
 * address have one canonical form (RFC 5952; an IPv4-mapped address is its IPv4 address), so equal means the same.
 */

/** Canonical text of an IPv4 or IPv6 literal without brackets, or null. */
export function canonicalAddress(text: string): string | null {
  if (/^[0-9.]{7,15}$/.test(text)) return parseIpv4(text) === null ? null : text;
  const groups = parseIpv6(text);
  if (groups === null) return null;
  const [a, b, c, d, e, f, g = 0, h = 0] = groups;
  if (a === 0 && b === 0 && c === 0 && d === 0 && e === 0 && f === 0xffff) {
    return [g >> 8, g & 255, h >> 8, h & 255].join('.');
  }
  return formatIpv6(groups);
}

/** `0.0.0.0`, `::` and the empty address listen on every address of both families (gobetween-rest.md §3). */
export function isWildcard(addr: string): boolean {
  return addr === '' || addr === '0.0.0.0' || addr === '::';
}

/** What Go's net.ParseCIDR accepts, but for leading zeros in the prefix length. */
export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return false;
  const addr = text.slice(0, slash);
  const length = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(length)) return false;
  if (parseIpv4(addr) !== null) return Number(length) <= 32;
  return parseIpv6(addr) !== null && Number(length) <= 128;
}

function parseIpv4(text: string): readonly number[] | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

/** The eight groups of an IPv6 literal, or null. */
function parseIpv6(text: string): readonly number[] | null {
  if (text.length < 2 || text.length > 45 || !text.includes(':')) return null;
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head = '', tail] = halves;
  const left = parseGroups(head, tail === undefined);
  const right = tail === undefined ? [] : parseGroups(tail, true);
  if (left === null || right === null) return null;
  const missing = 8 - left.length - right.length;
  if (tail === undefined) return missing === 0 ? left : null;
  // Go: the :: must stand for at least one group.
  return missing >= 1 ? [...left, ...new Array<number>(missing).fill(0), ...right] : null;
}

function parseGroups(text: string, mayEndInIpv4: boolean): readonly number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const bytes = mayEndInIpv4 && index === parts.length - 1 ? parseIpv4(part) : null;
    if (bytes === null) return null;
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    groups.push((a << 8) | b, (c << 8) | d);
  }
  return groups.length <= 8 ? groups : null;
}

/** RFC 5952: lower case, the first longest run of two or more zero groups as `::`. */
function formatIpv6(groups: readonly number[]): string {
  let start = -1;
  let length = 1;
  for (let index = 0; index < 8; index += 1) {
    let end = index;
    while (end < 8 && groups[end] === 0) end += 1;
    if (end - index > length) {
      start = index;
      length = end - index;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (start < 0) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}
