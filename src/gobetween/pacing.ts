/**
 * Notices a mass replacement: more than 5 % and more than 20 of the servers replaced for one cause that is not each
 * service's own edit (SPEC §7). A wave gathers over rounds, for a round is a batch of services; it ends when nothing
 * of its cause was pending for 10 s. Invariant: `paced` is told once per wave.
 */
import type { Clock } from '../clock.js';
import type { ServerName } from '../model/server.js';
import type { ChangeReason } from '../plan/change.js';

export type MassCause = Extract<ChangeReason, 'dns' | 'setting' | 'drift' | 'stale-default'>;

const causes: readonly MassCause[] = ['dns', 'setting', 'drift', 'stale-default'];
const fewest = 20;
const share = 0.05;
const waveEndMs = 10_000;

interface Wave {
  readonly pending: Set<ServerName>;
  count: number;
  lastMs: number;
  paced: boolean;
}

export interface PacedWave {
  readonly cause: MassCause;
  readonly count: number;
}

export interface Pacing {
  /** A replacement for `reason` was asked for. */
  note(name: ServerName, reason: ChangeReason): void;
  /** It is done, or not wanted any more. */
  done(name: ServerName): void;
  isPaced(reason: ChangeReason): boolean;
  /** Waves in force. */
  waves(): readonly PacedWave[];
}

/** `servers` is the number of owned servers in GoBetween. */
export function createPacing(
  clock: Clock,
  servers: () => number,
  onPaced: (wave: PacedWave) => void,
): Pacing {
  const byCause = new Map<ChangeReason, Wave>();
  const over = (wave: Wave): boolean => wave.pending.size === 0 && clock.now() - wave.lastMs > waveEndMs;

  return {
    note(name, reason) {
      const cause = causes.find((known) => known === reason);
      if (cause === undefined) return;
      let wave = byCause.get(cause);
      if (wave === undefined || over(wave)) {
        wave = { pending: new Set(), count: 0, lastMs: 0, paced: false };
        byCause.set(cause, wave);
      }
      if (!wave.pending.has(name)) wave.count += 1;
      wave.pending.add(name);
      wave.lastMs = clock.now();
      if (!wave.paced && wave.count > fewest && wave.count > share * servers()) {
        wave.paced = true;
        onPaced({ cause, count: wave.count });
      }
    },
    done(name) {
      for (const wave of byCause.values()) {
        if (wave.pending.delete(name)) wave.lastMs = clock.now();
      }
    },
    isPaced(reason) {
      const wave = byCause.get(reason);
      return wave !== undefined && wave.paced && !over(wave);
    },
    waves: () =>
      causes.flatMap((cause) => {
        const wave = byCause.get(cause);
        return wave === undefined || !wave.paced || over(wave) ? [] : [{ cause, count: wave.count }];
      }),
  };
}
