/** Randomness, injected: used for jitter only, never for a decision that two gateways must agree on. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

export const systemRandom: Random = { next: () => Math.random() };
