/** One check of the demo, as its two halves see it. */
export interface Seen {
  readonly ok: boolean;
  /** What was seen, for the line under the check. */
  readonly text: string;
}

/** Runs one check and prints its line. `look` is asked again until it is content or the time is up. */
export type Check = (title: string, look: () => Promise<Seen> | Seen) => Promise<void>;
