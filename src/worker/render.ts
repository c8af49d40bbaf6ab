/**
 * From a template and a granted port to the exact body that is posted (SPEC §4). Pure; runs on any thread. Invariant: the
 * body is the canonical text itself, so what is sent and what is compared cannot differ.
 */
import { formatListen } from '../model/bind.js';
import { canonical, digest } from '../model/normalise.js';
import type { Digest, Listen } from '../model/server.js';
import { keyPath } from '../model/service.js';
import type { ServerTemplate, Word } from '../model/spec.js';

export interface RenderJob {
  readonly template: ServerTemplate;
  readonly word: Word;
  readonly listenPort: number;
  /** `ip:port`. Used where the service sets no lookup server itself. */
  readonly lookupServer: string;
}

export interface Rendered {
  /** The POST payload. */
  readonly body: string;
  readonly canonical: string;
  readonly digest: Digest;
  readonly listen: Listen;
  /** Fields that a keyword sets, by path. */
  readonly setFields: readonly string[];
}

/** The server of one word. The word must be one of the words that the template was made with. */
export function render({ template, word, listenPort, lookupServer }: RenderJob): Rendered {
  const shape = word.proto === 'udp' ? template.udp : template.tcp;
  if (shape === null) throw new Error(`template of ${template.key} has no ${word.proto} shape`);
  const config = {
    ...shape,
    bind: formatListen(word.addr, listenPort),
    discovery: {
      ...shape.discovery,
      srv_lookup_server: template.lookup.kind === 'own' ? template.lookup.server : lookupServer,
      srv_lookup_pattern: template.pattern ?? recordOf(template, word),
    },
  };
  const body = canonical(config);
  return {
    body,
    canonical: body,
    digest: digest(body),
    listen: { proto: word.proto, addr: word.addr, port: listenPort },
    setFields: template.setFields,
  };
}

/** The SRV record that the agent's DNS publishes for a word. */
function recordOf(template: ServerTemplate, word: Word): string {
  const { namespace, name } = keyPath(template.key);
  return `_${word.port}._${word.proto}.${name}.${namespace}.svc.${template.clusterName.replace(/\.$/, '')}.`;
}
