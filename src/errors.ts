/**
 * Expected failures are values: a stable code, a retry class and one line for people. Exceptions are bugs or a shutdown.
 * `no`: wait for the input to change. `soon`: retry after milliseconds. `backoff`: retry with growing pauses.
 */
export type Retry = 'no' | 'soon' | 'backoff';

export interface Failure {
  readonly code: string;
  readonly retry: Retry;
  readonly message: string;
}

export type Result<T, F extends Failure = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: F };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function fail<F extends Failure>(failure: F): { readonly ok: false; readonly failure: F } {
  return { ok: false, failure };
}
