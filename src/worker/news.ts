/**
 * What is news in a long list of which most is known (DESIGN §5.2). Pure; runs on any thread. Invariant: an item whose digest
 * is known costs its reader nothing: it comes back as one mark, and the object that stands for it is used on.
 */

/** What an item is recognised by: its name, and the digest of all that counts of it. */
export interface Known {
  readonly name: string;
  readonly digest: string;
}

export interface News<T> {
  /** By position in what is known: 1 where the list has it unchanged. */
  readonly same: Uint8Array;
  /** All others. */
  readonly changed: readonly T[];
}

export interface NewsFinder<T> {
  see(item: T): void;
  /** After the whole list was seen. */
  found(): News<T>;
}

export function createNewsFinder<T>(known: readonly Known[], identify: (item: T) => Known): NewsFinder<T> {
  const places = new Map<string, { readonly at: number; readonly digest: string }>();
  known.forEach(({ name, digest }, at) => places.set(name, { at, digest }));
  const same = new Uint8Array(known.length);
  const changed = new Map<string, T>();
  return {
    // Should a name be there twice, the last one counts, as in any JSON object.
    see(item) {
      const { name, digest } = identify(item);
      const place = places.get(name);
      const isSame = place?.digest === digest;
      if (place !== undefined) same[place.at] = isSame ? 1 : 0;
      if (isSame) changed.delete(name);
      else changed.set(name, item);
    },
    found: () => ({ same, changed: [...changed.values()] }),
  };
}

/** The whole list again: `known` itself where nothing changed. */
export function applyNews<T>(known: readonly T[], { same, changed }: News<T>): readonly T[] {
  if (changed.length === 0 && same.every((mark) => mark === 1)) return known;
  return [...known.filter((_, at) => same[at] === 1), ...changed];
}
