/**
 * Which ports the agent's DNS publishes, read from the `expose` lines of the raw config (SPEC §3 "SRV label"). Of
 * `8443/tcp:443` v2.1 publishes the left number, v3 the right one. Only ever a warning: what cannot be read, a reference
 * or another resource's port (`#rid`), could publish anything.
 */
import { isExpression } from './references.js';
import type { Word } from './spec.js';

interface Exposed {
  readonly proto: string;
  readonly label: number;
  readonly other: number | null;
  readonly text: string;
}

export interface NotExposed {
  readonly message: string;
  readonly mend: string;
}

export type Sections = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Expositions {
  readonly lines: readonly Exposed[];
  /** True when a line may publish a port that cannot be known from here. */
  readonly open: boolean;
}

/** Every expose line of a config, in any section and scope. */
export function readExpose(sections: Sections, dialect: 'v2' | 'v3'): Expositions {
  const lines: Exposed[] = [];
  let open = false;
  for (const section of Object.values(sections)) {
    for (const [name, value] of Object.entries(section)) {
      if (name !== 'expose' && !name.startsWith('expose@')) continue;
      if (isExpression(value)) open = true;
      for (const text of value.split(/[\s,]+/)) {
        if (text === '') continue;
        const line = readLine(text, dialect);
        if (line === null) open = true;
        else lines.push(line);
      }
    }
  }
  return { lines, open };
}

function readLine(text: string, dialect: 'v2' | 'v3'): Exposed | null {
  const match = /^(\d{1,5})[/-](tcp|udp)(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return null;
  const left = Number(match[1]);
  const right = match[3] === undefined ? null : Number(match[3]);
  const label = dialect === 'v2' ? left : (right ?? left);
  return {
    proto: match[2] ?? '',
    label,
    other: right === null ? null : dialect === 'v2' ? right : left,
    text,
  };
}

/** Why no record will exist for this word, and the line to write; null when one does, or could. */
export function notExposed(
  word: Word,
  { lines, open }: Expositions,
  dialect: 'v2' | 'v3',
): NotExposed | null {
  if (open || lines.some(({ label, proto }) => label === word.port && proto === word.proto)) return null;
  const wanted = `${word.port}/${word.proto}`;
  const swapped = lines.find(({ other, proto }) => other === word.port && proto === word.proto);
  if (swapped !== undefined) {
    const meant = `${swapped.label}/${word.proto}`;
    const side = dialect === 'v2' ? 'left' : 'right';
    return {
      message: `expose = ${swapped.text} publishes its ${side} number: ${meant}, not ${wanted}`,
      mend: `write ${meant} instead of ${wanted} in igw_gobtw_bind`,
    };
  }
  return {
    message: `no expose line publishes ${wanted}, so GoBetween finds no backend`,
    mend: `write expose = ${wanted} in the service's ip resource`,
  };
}
