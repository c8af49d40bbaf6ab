/**
 * The ini dialect of OpenSVC configs: Python's RawConfigParser as the v2.1 agent uses it (case kept, duplicates allowed,
 * the last one wins, continuation by indentation, `=` and `:` both delimit, comments only on lines of their own).
 * Edits are made on the text, line by line, so that whatever is not touched stays byte for byte.
 */
export type Sections = ReadonlyMap<string, ReadonlyMap<string, string>>;

export type Parsed =
  | { readonly ok: true; readonly sections: Sections }
  | { readonly ok: false; readonly line: number; readonly text: string };

interface Line {
  readonly section: string | null;
  /** The keyword that this line starts or continues; null for headers, comments and lines between sections. */
  readonly keyword: string | null;
  readonly kind: 'header' | 'start' | 'more' | 'blank' | 'comment' | 'bad';
  readonly value: string;
}

/** One entry for each line of the text, classified as configparser would. */
function classify(text: string): readonly Line[] {
  const lines: Line[] = [];
  let section: string | null = null;
  let keyword: string | null = null;
  let indent = 0;
  for (const raw of text.split('\n')) {
    const value = raw.trim();
    if (value === '') {
      lines.push({ section, keyword, kind: 'blank', value: '' });
      continue;
    }
    if (value.startsWith('#') || value.startsWith(';')) {
      lines.push({ section, keyword, kind: 'comment', value });
      continue;
    }
    const level = raw.length - raw.trimStart().length;
    if (section !== null && keyword !== null && level > indent) {
      lines.push({ section, keyword, kind: 'more', value });
      continue;
    }
    indent = level;
    const header = /^\[([^\]]+)\]/.exec(value);
    if (header?.[1] !== undefined) {
      section = header[1];
      keyword = null;
      lines.push({ section, keyword, kind: 'header', value });
      continue;
    }
    const option = /^(.*?)\s*[=:]\s*(.*)$/.exec(value);
    const name = option?.[1];
    if (section === null || name === undefined || name === '') {
      lines.push({ section, keyword: null, kind: 'bad', value });
      continue;
    }
    keyword = name;
    lines.push({ section, keyword, kind: 'start', value: option?.[2] ?? '' });
  }
  return lines;
}

/** Sections and keywords in file order; the first line that no parser would take makes the whole text unreadable. */
export function parseIni(text: string): Parsed {
  const sections = new Map<string, Map<string, string[]>>();
  for (const [index, line] of classify(text).entries()) {
    if (line.kind === 'bad') return { ok: false, line: index + 1, text: line.value };
    if (line.section === null) continue;
    let section = sections.get(line.section);
    if (section === undefined) {
      section = new Map();
      sections.set(line.section, section);
    }
    if (line.keyword === null) continue;
    if (line.kind === 'start') section.set(line.keyword, [line.value]);
    else if (line.kind === 'more' || line.kind === 'blank') section.get(line.keyword)?.push(line.value);
  }
  const joined = new Map<string, Map<string, string>>();
  for (const [name, section] of sections) {
    const values = new Map<string, string>();
    for (const [keyword, parts] of section) values.set(keyword, parts.join('\n').trimEnd());
    joined.set(name, values);
  }
  return { ok: true, sections: joined };
}

function withoutKeyword(text: string, section: string, keyword: string): { lines: string[]; at: number } {
  const kinds = classify(text);
  const lines: string[] = [];
  let at = -1;
  let endOfSection = -1;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = kinds[index];
    const mine = line?.section === section && line.keyword === keyword;
    if (mine && (line.kind === 'start' || line.kind === 'more')) {
      if (at === -1) at = lines.length;
      continue;
    }
    lines.push(raw);
    if (line?.section === section && line.kind !== 'blank') endOfSection = lines.length;
  }
  return { lines, at: at === -1 ? endOfSection : at };
}

/** The text with one keyword set; a new section is added at the end. `keyword` may carry a scope (`kw@node`). */
export function setKeyword(text: string, section: string, keyword: string, value: string): string {
  const line = `${keyword} = ${value.replaceAll('\n', '\n\t')}`;
  const { lines, at } = withoutKeyword(text, section, keyword);
  if (at === -1) return `${text.trimEnd()}\n\n[${section}]\n${line}\n`.trimStart();
  lines.splice(at, 0, line);
  const joined = lines.join('\n');
  return joined.endsWith('\n') ? joined : `${joined}\n`;
}

/** The text without one keyword; the same text when it is not there. */
export function unsetKeyword(text: string, section: string, keyword: string): string {
  return withoutKeyword(text, section, keyword).lines.join('\n');
}
