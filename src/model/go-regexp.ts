/**
 * Whether Go's regexp package (RE2) compiles an expression, for probe_recv. Deliberately narrower than RE2: what passes
 * here compiles there, and stays small enough to run at every probe. Source: Go's regexp/syntax.
 */

/** Repeats multiply: a{50}{50} is 2,500 a's, and is refused by Go beyond 1,000. */
const largestRepeat = 1000;
const largestProgram = 10_000;
const deepest = 50;

/** null when Go accepts `text`; else what is wrong with it. */
export function checkGoRegexp(text: string): string | null {
  const reader: Reader = { text, index: 0 };
  const parsed = readAlternatives(reader, 0);
  if (typeof parsed === 'string') return parsed;
  if (reader.index < text.length) return 'a ) has no (';
  return parsed.size > largestProgram ? 'it is too large' : null;
}

interface Reader {
  readonly text: string;
  index: number;
}

/** `size`: how many steps it compiles to, roughly. `repeat`: the largest product of nested counts. */
interface Part {
  readonly size: number;
  readonly repeat: number;
}

function readAlternatives(reader: Reader, depth: number): Part | string {
  if (depth > deepest) return 'its groups are nested too deeply';
  let size = 0;
  let repeat = 1;
  while (reader.index < reader.text.length && reader.text[reader.index] !== ')') {
    if (reader.text[reader.index] === '|') {
      reader.index += 1;
      size += 1;
      continue;
    }
    const flags = /^\(\?[ims]{1,3}\)/.exec(reader.text.slice(reader.index, reader.index + 6));
    if (flags !== null) {
      reader.index += flags[0].length;
      continue;
    }
    const atom = readAtom(reader, depth);
    if (typeof atom === 'string') return atom;
    const counted = readCount(reader, atom);
    if (typeof counted === 'string') return counted;
    size += counted.size;
    repeat = Math.max(repeat, counted.repeat);
    if (size > largestProgram) return 'it is too large';
  }
  return { size, repeat };
}

function readAtom(reader: Reader, depth: number): Part | string {
  const char = reader.text[reader.index] ?? '';
  if (char === '(') return readGroup(reader, depth);
  if (char === '[') return readClass(reader);
  if (char === '\\') return readEscape(reader);
  if ('*+?'.includes(char)) return `nothing stands before ${char}`;
  if (char === '{' && countAt(reader) !== null) return 'nothing stands before the count in braces';
  reader.index += char.length;
  return { size: 1, repeat: 1 };
}

function readGroup(reader: Reader, depth: number): Part | string {
  const open = /^\((?:\?(?:(?:[ims]{1,3})?:|P?<[A-Za-z_]\w{0,30}>))?/.exec(
    reader.text.slice(reader.index, reader.index + 40),
  );
  const opening = open?.[0] ?? '(';
  if (opening === '(' && reader.text[reader.index + 1] === '?')
    return 'this kind of (?…) group is not supported';
  if (opening.includes('<')) return 'named groups are not supported';
  reader.index += opening.length;
  const inner = readAlternatives(reader, depth + 1);
  if (typeof inner === 'string') return inner;
  if (reader.text[reader.index] !== ')') return 'a ( is not closed';
  reader.index += 1;
  return { size: inner.size + 2, repeat: inner.repeat };
}

function readClass(reader: Reader): Part | string {
  const match = /^\[\^?(?:[^[\]\\-]|\\[dDwWsSnrtfv]|\\[\\\][^.*+?(){}|$/-])+(?:-?\])/.exec(
    expandRanges(reader),
  );
  if (match === null) return 'a [class] cannot be read (plain characters, ranges like a-z, and escapes)';
  const end = classEnd(reader);
  const body = reader.text.slice(reader.index, end);
  for (const [, from = '', to = ''] of body.matchAll(/([A-Za-z0-9])-([A-Za-z0-9])/g)) {
    if (from > to) return `the range ${from}-${to} is the wrong way round`;
  }
  reader.index = end;
  return { size: 1, repeat: 1 };
}

/** The class with its ranges between letters or digits (the only ranges understood) taken out. */
function expandRanges(reader: Reader): string {
  return reader.text.slice(reader.index, classEnd(reader)).replace(/([A-Za-z0-9])-([A-Za-z0-9])/g, '$1');
}

function classEnd(reader: Reader): number {
  for (let index = reader.index + 1; index < reader.text.length; index += 1) {
    if (reader.text[index] === '\\') index += 1;
    else if (reader.text[index] === ']') return index + 1;
  }
  return reader.text.length;
}

function readEscape(reader: Reader): Part | string {
  const match = /^\\(?:[dDwWsSbBAznrtfv]|x[0-7][0-9a-fA-F]|[\\.*+?()|[\]{}^$/"'#&,:;<=>@!%~`-])/.exec(
    reader.text.slice(reader.index, reader.index + 4),
  );
  if (match === null)
    return `the escape ${JSON.stringify(reader.text.slice(reader.index, reader.index + 2))} is not supported`;
  reader.index += match[0].length;
  return { size: 1, repeat: 1 };
}

function countAt(reader: Reader): RegExpExecArray | null {
  return /^\{(\d+)(?:(,)(\d*))?\}/.exec(reader.text.slice(reader.index));
}

/** One repetition, perhaps lazy; Go refuses two in a row. */
function readCount(reader: Reader, atom: Part): Part | string {
  const char = reader.text[reader.index] ?? '';
  let part = atom;
  if (char !== '' && '*+?'.includes(char)) {
    reader.index += 1;
    part = { size: atom.size + 1, repeat: atom.repeat };
  } else if (char === '{') {
    const count = countAt(reader);
    if (count === null) return part;
    const least = Number(count[1]);
    const most = count[2] === undefined ? least : count[3] === '' ? least + 1 : Number(count[3]);
    const repeat = atom.repeat * Math.max(1, least, most);
    if (most < least || repeat > largestRepeat)
      return `the count ${count[0]} is too large or the wrong way round`;
    reader.index += count[0].length;
    part = { size: atom.size * Math.max(1, most), repeat };
  } else {
    return part;
  }
  if (reader.text[reader.index] === '?') reader.index += 1;
  const next = reader.text[reader.index] ?? '';
  if ((next !== '' && '*+?'.includes(next)) || (next === '{' && countAt(reader) !== null))
    return 'two repetitions stand in a row';
  return part;
}
