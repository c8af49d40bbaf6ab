/** What a scrape and the page cost with 20,000 servers: sizes, and the time until Prometheus or a browser has them. */
import { nowMs, pause } from './machine-clock.js';
import { percentile } from './machine.js';
import { readOptions } from './options.js';
import { runBench } from './report.js';
import { onStage, settledJanitor } from './stage.js';

const options = readOptions();
const services = Math.round(20_000 * options.scale);
const scrapes = 100;
const pages = 10;
const KIB = 1024;

await runBench('scrape', `${services} servers, ${scrapes} scrapes of /metrics`, options, async () => {
  const seen = await onStage({ services, present: services }, async (stage) => {
    const janitor = await settledJanitor(stage, {});
    const url = `${(await janitor.call('address')) ?? ''}/metrics`;
    const tookMs: number[] = [];
    let bytes = 0;
    for (let i = 0; i < scrapes; i += 1) {
      await pause(50);
      const startedAt = nowMs();
      const body = await (await fetch(url)).arrayBuffer();
      tookMs.push(nowMs() - startedAt);
      bytes = Math.max(bytes, body.byteLength);
    }
    await janitor.call('reset', { withDelay: true });
    const pageMs: number[] = [];
    let pageBytes = 0;
    for (let i = 0; i < pages; i += 1) {
      await pause(200);
      const startedAt = nowMs();
      const body = await (await fetch(url.replace('/metrics', '/api/v1/exposures'))).arrayBuffer();
      pageMs.push(nowMs() - startedAt);
      pageBytes = body.byteLength;
    }
    const { p99 } = await janitor.call('load');
    return { tookMs, bytes, pageMs, pageBytes, delayP99: p99 };
  });
  const figure = (name: string, value: number) => ({ variant: 'janitor', name, unit: 'ms', value });
  return {
    figures: [
      { variant: 'janitor', name: 'size', unit: 'KiB', value: seen.bytes / KIB, bound: { atMost: 60 } },
      { ...figure('p50', percentile(seen.tookMs, 0.5)), bound: { atMost: 20 } },
      figure('p99', percentile(seen.tookMs, 0.99)),
      figure('all exposures for the page, p50', percentile(seen.pageMs, 0.5)),
      figure('main loop delay p99 meanwhile', seen.delayP99),
      { ...figure('size of them', seen.pageBytes / KIB), unit: 'KiB' },
    ],
  };
});
