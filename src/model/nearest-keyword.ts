/** Typing errors in keyword names: which known keyword was probably meant. */
import { keywords } from './keywords.js';

/** The known keyword nearest to `name`. */
export function nearestKeyword(name: string): string {
  let nearest = '';
  let least = Number.POSITIVE_INFINITY;
  for (const known of Object.keys(keywords)) {
    const far = distance(name.toLowerCase().slice(0, 64), known);
    if (far < least) [nearest, least] = [known, far];
  }
  return nearest;
}

/** Edit distance (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
