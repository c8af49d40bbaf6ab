/**
 * From a template and a granted port to the exact body that is posted (SPEC §4). Pure; runs on any thread. Invariant: the
 * body is the canonical text itself, so what is sent and what is compared cannot differ.
 */
import { formatListen } from '../model/bind.js';
import { fillBody } from '../model/body-text.js';
import { digest } from '../model/normalise.js';
import type { Digest } from '../model/server.js';
import { keyPath } from '../model/service.js';
import type { BodyText, ServerTemplate, Word } from '../model/spec.js';

/** One server still to be written out, in text only. */
export interface RenderJob {
  readonly text: BodyText;
  /** As GoBetween writes it: `0.0.0.0:1024`. */
  readonly bind: string;
  /** `ip:port`. */
  readonly lookupServer: string;
  readonly pattern: string;
  /** What it is likely to come to: what is there, or was wanted last. Its body is taken over if it does. */
  readonly expected: Rendered | null;
}

export interface Rendered {
  /** The POST payload. */
  readonly body: string;
  readonly digest: Digest;
}

/** The job for one word. The word must be one of the words that the template was made with. */
export function renderJob(
  template: ServerTemplate,
  word: Word,
  place: { readonly listenPort: number; readonly lookupServer: string; readonly expected: Rendered | null },
): RenderJob {
  const text = word.proto === 'udp' ? template.udp : template.tcp;
  if (text === null) throw new Error(`template of ${template.key} has no ${word.proto} body`);
  return {
    text,
    bind: formatListen(word.addr, place.listenPort),
    lookupServer: template.lookup.kind === 'own' ? template.lookup.server : place.lookupServer,
    pattern: template.pattern ?? recordOf(template, word),
    expected: place.expected,
  };
}

export function render(job: RenderJob): Rendered {
  const body = fillBody(job.text, job);
  const made = digest(body);
  // The same text once in memory, not twice.
  return made === job.expected?.digest ? job.expected : { body, digest: made };
}

/** The SRV record that the agent's DNS publishes for a word. */
function recordOf(template: ServerTemplate, word: Word): string {
  const { namespace, name } = keyPath(template.key);
  return `_${word.port}._${word.proto}.${name}.${namespace}.svc.${template.clusterName.replace(/\.$/, '')}.`;
}
