/** A real Prometheus for one test: scrapes the given targets each second, answers queries, and ends with the test. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import { eventually } from './world.js';

export const withoutPrometheus: string | false = isInstalled()
  ? false
  : 'SKIPPED: prometheus is not installed (Debian: prometheus)';

function isInstalled(): boolean {
  try {
    execFileSync('prometheus', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface Prometheus {
  /** The number of series that the query gives now; an error of the query fails the test. */
  series(query: string): Promise<number>;
}

/** `targets`: `addr:port` by job. */
export async function startPrometheus(
  t: TestContext,
  port: number,
  targets: Readonly<Record<string, string>>,
): Promise<Prometheus> {
  const dir = mkdtempSync(join(tmpdir(), 'igw-prometheus-'));
  const scrapes = Object.entries(targets).map(([job, target]) => ({
    job_name: job,
    static_configs: [{ targets: [target], labels: { cluster: 'c1' } }],
  }));
  const config = { global: { scrape_interval: '1s' }, scrape_configs: scrapes };
  writeFileSync(join(dir, 'prometheus.yml'), stringify(config));
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  t.after(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
    rmSync(dir, { recursive: true, force: true });
  });
  await eventually(async () => {
    assert.equal(child.exitCode, null, said);
    assert.equal((await fetch(`http://127.0.0.1:${port}/-/ready`)).status, 200);
  });
  return {
    async series(query) {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`);
      const { status, error, data } = (await answer.json()) as {
        status: string;
        error?: string;
        data?: { result: readonly unknown[] };
      };
      assert.equal(status, 'success', `${query}: ${error ?? ''}`);
      return data?.result.length ?? 0;
    },
  };
}
