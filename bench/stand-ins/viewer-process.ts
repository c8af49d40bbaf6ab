/** A process that looks at the status page as browsers do: each viewer asks for every exposure, then follows the live stream. */
import { get } from 'node:http';
import { serve } from '../remote.js';

export type ViewerProcess = typeof methods;

const seen = { viewers: 0, bytes: 0, services: 0, snapshots: 0 };

const methods = {
  look({ address, viewers }: { readonly address: string; readonly viewers: number }) {
    for (let i = 0; i < viewers; i += 1) follow(address);
  },
  seen: () => seen,
};

function follow(address: string): void {
  get(`${address}/api/v1/live`, { agent: false }, (response) => {
    seen.viewers += 1;
    void snapshot(address);
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      seen.bytes += chunk.length;
      seen.services += chunk.split('{"service":"').length - 1;
    });
    response.on('error', () => undefined);
  });
}

async function snapshot(address: string): Promise<void> {
  const answer = (await (await fetch(`${address}/api/v1/exposures`)).json()) as { exposures: unknown[] };
  if (answer.exposures.length > 0) seen.snapshots += 1;
}

serve(methods);
