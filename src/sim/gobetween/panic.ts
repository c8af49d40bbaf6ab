/** Where the real program hits a nil pointer: in a handler it drops the connection, in the background it kills all. */
export class GoPanic extends Error {}

/** Dereferences a Go pointer. */
export function deref<T>(pointer: T | null | undefined): T {
  if (pointer === null || pointer === undefined) {
    throw new GoPanic('invalid memory address or nil pointer dereference');
  }
  return pointer;
}
