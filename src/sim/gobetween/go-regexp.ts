/** Go regular expressions on a JavaScript engine: named groups translated, and the common compile errors in Go's words. */

export type Compiled = { readonly regexp: RegExp } | { readonly error: string };

/** regexp.Compile. Covers what configurations hold; exotic RE2 syntax is compiled as JavaScript would. */
export function compileRegexp(pattern: string): Compiled {
  const problem = structureProblem(pattern);
  if (problem !== null) return { error: `error parsing regexp: ${problem}` };
  const flags = /^\(\?([is]+)\)/.exec(pattern);
  const body = (flags === null ? pattern : pattern.slice(flags[0].length))
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$');
  try {
    return { regexp: new RegExp(body, flags?.[1] ?? '') };
  } catch {
    return { error: `error parsing regexp: invalid or unsupported Perl syntax: \`${pattern}\`` };
  }
}

/** The letters that RE2 knows after a backslash; back-references are not among them. */
const ESCAPES = 'AbBzCpPQdDsSwWaftnrvx';

function structureProblem(pattern: string): string | null {
  let depth = 0;
  let canRepeat = false;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] ?? '';
    if (c === '\\') {
      const escaped = pattern[i + 1];
      if (escaped === undefined) return 'trailing backslash at end of expression: ``';
      const octal = /^\\[1-7][0-7]/.test(pattern.slice(i));
      if (!octal && /[A-Za-z1-9_\u0080-\uffff]/.test(escaped) && !ESCAPES.includes(escaped)) {
        return `invalid escape sequence: \`\\${escaped}\``;
      }
      i++;
      canRepeat = true;
    } else if (c === '[') {
      const from = i;
      i = endOfClass(pattern, i);
      if (i < 0) return `missing closing ]: \`${pattern.slice(from)}\``;
      canRepeat = true;
    } else if (c === '(') {
      depth++;
      canRepeat = false;
      if (pattern[i + 1] === '?') {
        const look = /^\(\?(?:[=!]|<[=!])/.exec(pattern.slice(i));
        if (look !== null) return `invalid or unsupported Perl syntax: \`${look[0].slice(0, 3)}\``;
        i++;
      }
    } else if (c === ')') {
      depth--;
      if (depth < 0) return `unexpected ): \`${pattern}\``;
      canRepeat = true;
    } else if ('*+?'.includes(c)) {
      if (!canRepeat) return `missing argument to repetition operator: \`${c}\``;
      if (pattern[i + 1] === '?') i++;
      if ('*+'.includes(pattern[i + 1] ?? '-')) {
        return `invalid nested repetition operator: \`${pattern.slice(i, i + 2)}\``;
      }
    } else {
      canRepeat = c !== '|' && c !== '^';
    }
  }
  return depth > 0 ? `missing closing ): \`${pattern}\`` : null;
}

function endOfClass(pattern: string, open: number): number {
  let i = open + 1;
  if (pattern[i] === '^') i++;
  if (pattern[i] === ']') i++;
  for (; i < pattern.length; i++) {
    if (pattern[i] === '\\') i++;
    else if (pattern[i] === ']') return i;
  }
  return -1;
}
