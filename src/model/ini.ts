/**
 * The text of an OpenSVC config file as sections: `[section]`, `keyword = value` or `keyword: value`, values continued by
 * indentation, comments with `#` or `;` on lines of their own; a keyword may carry a scope (`keyword@node`). As the agent
 * reads it: case counts, the last of two equal keywords wins. Source: Python's RawConfigParser, which the agent uses.
 */
export type IniText = Readonly<Record<string, Readonly<Record<string, string>>>>;

export type ParsedIni =
  | { readonly ok: true; readonly sections: IniText }
  /** The first line that cannot be read, counted from 1. */
  | { readonly ok: false; readonly line: number; readonly text: string };

/** Never throws, and holds no inherited names: `constructor` is a keyword like any other. */
export function parseIni(text: string): ParsedIni {
  const sections = Object.create(null) as Record<string, Record<string, string>>;
  let section: Record<string, string> | null = null;
  let keyword: string | null = null;
  let indent = 0;
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const level = raw.length - raw.trimStart().length;
    if (section !== null && keyword !== null && level > indent) {
      section[keyword] = `${section[keyword] ?? ''}\n${line}`.trim();
      continue;
    }
    indent = level;
    const header = /^\[([^\]]+)\]/.exec(line)?.[1];
    if (header !== undefined) {
      section = sections[header] ??= Object.create(null) as Record<string, string>;
      keyword = null;
      continue;
    }
    const end = line.search(/[=:]/);
    const name = line.slice(0, Math.max(0, end)).trim();
    if (section === null || name === '') return { ok: false, line: index + 1, text: line };
    keyword = name;
    section[keyword] = line.slice(end + 1).trim();
  }
  return { ok: true, sections };
}
