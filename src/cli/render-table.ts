/**
 * Text in columns, for a terminal or a pipe. Cells hold other people's text: control characters never reach the
 * terminal. Widths count what a terminal shows (wide and combining characters), colours excluded.
 */

export interface TableOptions {
  /** Columns of the terminal; null for a pipe, where nothing is cut or wrapped. */
  readonly width: number | null;
  /** What happens to a last column that is too wide. */
  readonly overflow: 'cut' | 'wrap';
  readonly head?: readonly string[];
  readonly indent?: number;
  /** Applied to the head, for instance to make it bold. */
  readonly paint?: (text: string) => string;
}

const gap = '  ';
const narrowest = 20;
const belowIndent = 4;

/** Lines joined by line ends, none trailing; no blanks at line ends. An empty table is its head. */
export function renderTable(rows: readonly (readonly string[])[], options: TableOptions): string {
  const { head, indent = 0, paint = (text) => text } = options;
  const clean = rows.map((row) => row.map(visible));
  const all = head === undefined ? clean : [head, ...clean];
  const columns = Math.max(0, ...all.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...all.map((row) => textWidth(row[column] ?? ''))),
  );
  const before = indent + widths.slice(0, -1).reduce((sum, width) => sum + width + gap.length, 0);
  const room =
    options.width === null ? Number.POSITIVE_INFINITY : Math.max(narrowest, options.width - before);
  const below = overflowsBelow(options, widths.at(-1) ?? 0, before);
  const line = (row: readonly string[]): readonly string[] => {
    const cells = widths.slice(0, -1).map((width, column) => pad(row[column] ?? '', width) + gap);
    const last = row[columns - 1] ?? '';
    if (below !== null && last !== '' && row !== head) {
      const first = `${' '.repeat(indent)}${cells.join('')}`.trimEnd();
      return [first, ...wrapText(last, below).map((part) => `${' '.repeat(indent + belowIndent)}${part}`)];
    }
    const parts = options.overflow === 'wrap' ? wrapText(last, room) : [cutText(last, room)];
    return parts.map((part, index) =>
      `${' '.repeat(indent)}${index === 0 ? cells.join('') : ' '.repeat(before - indent)}${part}`.trimEnd(),
    );
  };
  const body = clean.flatMap(line);
  return (head === undefined ? body : [paint(line(head).join('\n')), ...body]).join('\n');
}

/** Width of a last column that stands below its row, because too little room is left beside it; null: it stands beside. */
function overflowsBelow(options: TableOptions, last: number, before: number): number | null {
  const { width, overflow, indent = 0 } = options;
  if (width === null || overflow === 'cut' || before <= indent) return null;
  const room = width - before;
  return last > room && room < narrowest ? Math.max(narrowest, width - indent - belowIndent) : null;
}

/** What a terminal shows of a text: control characters and line ends become `?`. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '?');
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const invisible = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
const wide =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])|\ufe0f/u;

/** Columns that a terminal needs for a text. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

const graphemeWidth = (segment: string): number => (invisible.test(segment) ? 0 : wide.test(segment) ? 2 : 1);

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of graphemes.segment(text)) {
    used += graphemeWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** Breaks at blanks; a word that is wider than the line stays whole. */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
