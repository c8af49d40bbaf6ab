/**
 * `support-bundle`: everything that helps to understand this gateway from afar, in one JSON document. Invariant: no secret is
 * in it: settings are those of the command line without password, CA and credentials in URLs, and what services send in
 * their health checks is blanked.
 */
import { arch, cpus, freemem, platform, release, totalmem, uptime } from 'node:os';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Exposure } from '../operator/exposures.js';
import type { Settings } from '../settings/settings.js';
import type { Io } from './io.js';
import { createJanitorClient } from './janitor-client.js';
import { usageLine } from './messages.js';
import { blank } from './redact.js';
import type { Verbs } from './verbs.js';

const parts = ['gateway', 'exposures', 'problems', 'events?limit=2000', 'ports'] as const;
/** Services that are not served as they should are described in full, so many of them. */
const mostServices = 20;

export function createSupportBundle(io: Io): Verbs['support-bundle'] {
  return async (settings, { file }) => {
    const client = createJanitorClient(settings);
    const bundle: Record<string, unknown> = {
      bundle: 1,
      version: io.version,
      node: process.versions.node,
      machine: {
        ...{ platform: platform(), release: release(), arch: arch() },
        ...{ cores: cpus().length, memory: totalmem(), free: freemem(), uptimeSeconds: uptime() },
      },
      settings: redacted(settings),
    };
    for (const part of parts) {
      const answer = await client.get<unknown>(`/api/v1/${part}`);
      if (!answer.ok && part === 'gateway')
        io.err(usageLine(`${answer.failure.message} The bundle says what it can.`));
      bundle[part.replace(/\?.*$/, '')] = answer.ok ? answer.value : { error: answer.failure.message };
    }
    const metrics = await client.text('/metrics');
    bundle.metrics = metrics.ok ? metrics.value.split('\n') : { error: metrics.failure.message };
    const { exposures = [] } = bundle.exposures as { readonly exposures?: readonly Exposure[] };
    const wrong = [...new Set(exposures.filter(isWrong).map(({ service }) => service))].slice(
      0,
      mostServices,
    );
    bundle.services = await Promise.all(
      wrong.map(async (service) => {
        const answer = await client.get<unknown>(`/api/v1/service?path=${encodeURIComponent(service)}`);
        return answer.ok ? answer.value : { service, error: answer.failure.message };
      }),
    );
    const text = `${JSON.stringify(bundle, blank, 1)}\n`;
    if (file === '-') io.out(text);
    else {
      try {
        writeFileSync(file, file.endsWith('.gz') ? gzipSync(text) : text, { mode: 0o600, flag: 'wx' });
      } catch (error) {
        io.err(usageLine(`cannot write ${file}: ${(error as Error).message}`));
        return 1;
      }
      io.out(`${file} is written: look through it before you send it, it names your services and ports\n`);
    }
    return 0;
  };
}

function isWrong({ state, warnings }: Exposure): boolean {
  return (state !== 'serving' && state !== 'elsewhere' && state !== 'slave') || warnings.length > 0;
}

function redacted(settings: Settings): Record<string, unknown> {
  const { gobetweenPassword, gobetweenCa, gobetweenUrl, ...rest } = settings;
  const bare = (url: string): string => url.replace(/\/\/[^@/]*@/, '//***@');
  return {
    ...rest,
    gobetweenUrl: bare(gobetweenUrl),
    gobetweenUser: settings.gobetweenUser === null ? null : '***',
    gobetweenPassword: gobetweenPassword === null ? null : '***',
    gobetweenCa: gobetweenCa === null ? null : '(given)',
  };
}
