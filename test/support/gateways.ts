/** Several gateways over one store of bind values: each sees it late, chooses ports, and writes them back. */
import { ok } from '../../src/errors.js';
import type { ServiceKey } from '../../src/model/service.js';
import { type Claim, createArbiter } from '../../src/ports/arbiter.js';
import { createWriteBack } from '../../src/ports/write-back.js';
import { claimOf, keyOf } from './claims.js';
import type { FakeClock } from './fake-clock.js';

/** Bind values by service; a word is `LABEL` or `LABEL:PORT`. */
export type Store = Map<string, string>;

export interface Gateway {
  /** Reads the whole store, as a poll does, and acts on it. */
  readonly poll: () => void;
  readonly writes: string[];
  /** `service label` → port, or the code of what is wrong. */
  readonly layout: () => Record<string, number | string>;
}

export interface GatewayOptions {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly range: { readonly from: number; readonly to: number };
  readonly writeMs: number;
  readonly serves: (name: string) => boolean;
}

function claimsIn(name: string, value: string, served: boolean): Claim[] {
  return value
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [label, port] = word.split(':');
      const claim = claimOf(name, Number(label), port === undefined ? null : Number(port), { served });
      return { ...claim, wordText: word };
    });
}

export function createGateway({ clock, store, range, writeMs, serves }: GatewayOptions): Gateway {
  const arbiter = createArbiter({ clock, range, reserved: new Set() });
  const seen = new Map<string, string>();
  const writes: string[] = [];
  const nameOf = (key: ServiceKey): string => key.slice('root/svc/'.length);
  const later = (): Promise<void> => new Promise((resolve) => clock.after(writeMs, resolve));
  const writeBack = createWriteBack({
    clock,
    random: { next: () => 0 },
    allowed: () => true,
    async readRaw(key) {
      await later();
      return ok({ bindText: store.get(nameOf(key)) ?? '', origin: 'plain' });
    },
    fill: (text, fills) =>
      text
        .split(' ')
        .map((word) => (fills.has(word) ? `${word}:${fills.get(word)?.port}` : word))
        .join(' '),
    async write(key, value) {
      writes.push(nameOf(key));
      await later();
      store.set(nameOf(key), value);
      return ok(undefined);
    },
    onProblem: () => {},
  });

  function poll(): void {
    for (const [name, value] of store) {
      if (seen.get(name) !== value) arbiter.setClaims(keyOf(name), claimsIn(name, value, serves(name)));
      seen.set(name, value);
    }
    for (const name of [...seen.keys()]) {
      if (store.has(name)) continue;
      seen.delete(name);
      arbiter.removeKey(keyOf(name));
      writeBack.forget(keyOf(name));
    }
    const { grants } = arbiter.decide([...seen.keys()].map(keyOf));
    for (const [name, value] of seen) {
      const fills = new Map<string, { addr: string; port: number }>();
      for (const { id, listen, wordText } of claimsIn(name, value, serves(name))) {
        const grant = grants.get(id);
        if (listen === null && grant?.kind === 'granted' && serves(name)) fills.set(wordText, grant);
      }
      writeBack.want(keyOf(name), fills, value);
    }
  }

  return {
    poll,
    writes,
    layout() {
      const { grants } = arbiter.decide([...seen.keys()].map(keyOf));
      const entries = [...seen].flatMap(([name, value]) =>
        claimsIn(name, value, serves(name)).map(({ id, label }) => {
          const grant = grants.get(id);
          return [
            `${name} ${label}`,
            grant?.kind === 'granted' ? grant.port : (grant?.code ?? 'none'),
          ] as const;
        }),
      );
      return Object.fromEntries(entries.sort());
    },
  };
}
