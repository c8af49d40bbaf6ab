/**
 * Which ports the agent's DNS publishes, read from the `expose` lines of the raw config (SPEC §3 "SRV label"). Of
 * `8443/tcp:443` v2.1 publishes the left number, v3 the right one. Only ever a warning: what cannot be read, a reference
 * or another resource's port (`#rid`), could publish anything.
 */
import { isExpression } from './references.js';
import type { Word } from './spec.js';

interface Exposed {
  /** What it publishes, `443/tcp`, and what its other number would be. */
  readonly label: string;
  readonly other: string | null;
  readonly text: string;
}

export interface NotExposed {
  readonly message: string;
  readonly mend: string;
}

export type Sections = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Expositions {
  /** What is published: `443/tcp`. */
  readonly labels: ReadonlySet<string>;
  /** By the number that a line does not publish: the first such line. */
  readonly swapped: ReadonlyMap<string, Exposed>;
  /** True when a line may publish a port that cannot be known from here. */
  readonly open: boolean;
}

/** Every expose line of a config, in any section and scope. Indexed, for an owner may write a million of them. */
export function readExpose(sections: Sections, dialect: 'v2' | 'v3'): Expositions {
  const labels = new Set<string>();
  const swapped = new Map<string, Exposed>();
  let open = false;
  for (const section of Object.values(sections)) {
    for (const [name, value] of Object.entries(section)) {
      if (name !== 'expose' && !name.startsWith('expose@')) continue;
      if (isExpression(value)) open = true;
      for (const text of value.split(/[\s,]+/)) {
        if (text === '') continue;
        const line = readLine(text, dialect);
        if (line === null) {
          open = true;
          continue;
        }
        labels.add(line.label);
        if (line.other !== null && !swapped.has(line.other)) swapped.set(line.other, line);
      }
    }
  }
  return { labels, swapped, open };
}

function readLine(text: string, dialect: 'v2' | 'v3'): Exposed | null {
  const match = /^(\d{1,5})[/-](tcp|udp)(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return null;
  const left = `${Number(match[1])}/${match[2] ?? ''}`;
  const right = match[3] === undefined ? null : `${Number(match[3])}/${match[2] ?? ''}`;
  if (dialect === 'v2') return { label: left, other: right, text };
  return { label: right ?? left, other: right === null ? null : left, text };
}

/** Why no record will exist for this word, and the line to write; null when one does, or could. */
export function notExposed(
  word: Word,
  { labels, swapped, open }: Expositions,
  dialect: 'v2' | 'v3',
): NotExposed | null {
  const wanted = `${word.port}/${word.proto}`;
  if (open || labels.has(wanted)) return null;
  const line = swapped.get(wanted);
  if (line !== undefined) {
    const meant = line.label;
    const side = dialect === 'v2' ? 'left' : 'right';
    return {
      message: `expose = ${line.text} publishes its ${side} number: ${meant}, not ${wanted}`,
      mend: `write ${meant} instead of ${wanted} in igw_gobtw_bind`,
    };
  }
  return {
    message: `no expose line publishes ${wanted}, so GoBetween finds no backend`,
    mend: `write expose = ${wanted} in the service's ip resource`,
  };
}
