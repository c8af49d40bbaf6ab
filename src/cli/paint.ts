/** Colours of a terminal, or none. Invariant: no meaning is in a colour alone. */

export interface Painter {
  bold(text: string): string;
  good(text: string): string;
  wait(text: string): string;
  bad(text: string): string;
  dim(text: string): string;
}

export function painter(colour: boolean): Painter {
  const paint =
    (code: number) =>
    (text: string): string =>
      colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { bold: paint(1), good: paint(32), wait: paint(33), bad: paint(31), dim: paint(2) };
}
