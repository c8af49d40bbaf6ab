/**
 * Go durations (time.ParseDuration), to the nanosecond: `1h30m`, `1.5s`, `.5ms`, `-3s`, `0`. Invariant: what this refuses
 * GoBetween refuses too, or worse (a bad discovery interval ends its process); equal values have one canonical text.
 * Source: gobetween-rest.md §8; Go's src/time/format.go.
 */
const units: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);
const limit = 1n << 63n;

/** Nanoseconds, or null when Go refuses the text (overflow included). */
export function parseDuration(text: string): bigint | null {
  if (text.length > 64) return null;
  const negative = text.startsWith('-');
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0n;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(body)) return null;
  let total = 0n;
  for (const [, whole = '', fraction = '', name = ''] of body.matchAll(
    /(\d*)\.?(\d*)([a-z\u00b5\u03bc]+)/g,
  )) {
    const unit = units.get(name) ?? 1n;
    const amount = BigInt(whole === '' ? '0' : whole);
    if (amount > limit) return null;
    total += amount * unit + fractionOf(fraction, unit);
    if (total > limit) return null;
  }
  if (negative) return -total;
  return total < limit ? total : null;
}

/** Go computes the fraction in float64 and drops digits beyond the int64 range; so do we, for equal results. */
function fractionOf(digits: string, unit: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (value > (limit - 1n) / 10n || next > limit) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}

/** The shortest text of this value with one unit: `90s`, `500ms`, `0`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0';
  for (const [name, unit] of [...units].reverse()) {
    if (name !== '\u00b5s' && name !== '\u03bcs' && nanoseconds % unit === 0n)
      return `${nanoseconds / unit}${name}`;
  }
  return `${nanoseconds}ns`;
}

const remembered = new Map<string, string | null>();

/** Canonical text of a Go duration, or null. Remembers a few: thousands of servers share a handful of durations. */
export function canonicalDuration(text: string): string | null {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const value = parseDuration(text);
  const canonical = value === null ? null : formatDuration(value);
  if (remembered.size >= 256) remembered.clear();
  remembered.set(text, canonical);
  return canonical;
}
