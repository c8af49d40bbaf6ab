/**
 * The stand-in's process: every timer and every callback goes through it, so that it can hang (SIGSTOP) and die.
 * Invariant: after `end` nothing scheduled here runs; while hung nothing runs, and all of it runs in order on resume.
 */
export interface Runtime {
  readonly alive: boolean;
  readonly hung: boolean;
  /** Runs `fn` now, or on resume, or never when the process has ended. */
  run(fn: () => void): void;
  /** Runs `fn` in a later turn of the event loop, as a new goroutine would. */
  spawn(fn: () => void): void;
  after(ms: number, fn: () => void): () => void;
  /** Calls `fn` every 2 s from now on: the beat of GoBetween's statistics and clean-ups. */
  everyTwoSeconds(fn: () => void): () => void;
  /** log.Fatal (1) or a panic outside a handler (2): the whole process ends. */
  die(code: number, why: string): void;
  readonly log: (line: string) => void;
}

export interface RuntimeControl extends Runtime {
  hang(): void;
  resume(): void;
  end(): void;
}

const SLOTS = 20;
const SLOT_MS = 100;

/** A fresh process. `onDeath` is called once, by `die`. */
export function createRuntime(
  log: (line: string) => void,
  onDeath: (code: number, why: string) => void,
): RuntimeControl {
  let alive = true;
  let hung = false;
  const waiting: (() => void)[] = [];
  const timers = new Set<NodeJS.Timeout>();
  // One timer for all two-second beats: thousands of servers would otherwise each keep one.
  const wheel = Array.from({ length: SLOTS }, () => new Set<() => void>());
  let slot = 0;
  const beat = setInterval(() => {
    slot = (slot + 1) % SLOTS;
    for (const fn of [...(wheel[slot] ?? [])]) run(fn);
  }, SLOT_MS);
  beat.unref();

  function run(fn: () => void): void {
    if (!alive) return;
    if (hung) waiting.push(fn);
    else fn();
  }

  const control: RuntimeControl = {
    get alive() {
      return alive;
    },
    get hung() {
      return hung;
    },
    log,
    run,
    spawn(fn) {
      setImmediate(() => run(fn));
    },
    after(ms, fn) {
      const timer = setTimeout(
        () => {
          timers.delete(timer);
          run(fn);
        },
        Math.min(Math.max(1, ms), 2 ** 31 - 1),
      );
      timers.add(timer);
      return () => {
        clearTimeout(timer);
        timers.delete(timer);
      };
    },
    everyTwoSeconds(fn) {
      const mine = wheel[slot];
      mine?.add(fn);
      return () => mine?.delete(fn);
    },
    die(code, why) {
      if (!alive) return;
      log(`process exits with ${code}: ${why}`);
      onDeath(code, why);
    },
    hang() {
      hung = true;
    },
    resume() {
      hung = false;
      while (waiting.length > 0 && alive && !control.hung) waiting.shift()?.();
    },
    end() {
      alive = false;
      waiting.length = 0;
      clearInterval(beat);
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      for (const set of wheel) set.clear();
    },
  };
  return control;
}
