/**
 * One change when idle: a service gets one more word; from the last byte of the agent's event to GoBetween's answer to
 * the POST, on stand-ins, with the default settings. Exit code 1 when the median exceeds the window plus 10 ms.
 * Run: `npm run bench:latency` (`-- 200` for 200 changes). The program under test is the built one, in its own process.
 */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startWorld } from '../src/sim/world.js';
import { machineLines, percentile, summary } from './machine.js';
import { startTap } from './tap.js';

const WINDOW_MS = 20;
const ALLOWANCE_MS = 10;
const QUIET_SERVICES = 20;
const changes = Number(process.argv[2] ?? 60);

const world = await startWorld();
const seen = { eventAt: Number.NaN, answeredAt: Number.NaN };
const socketPath = `${world.socketPath}.tap`;
const tapPort = world.ports.take();
const taps = [
  await startTap({ path: socketPath }, { path: world.socketPath }, (chunk, now) => {
    if (chunk.includes('"kind": "patch"') && chunk.includes('"csum"')) seen.eventAt = now;
  }),
  await startTap(
    { host: '127.0.0.1', port: tapPort },
    { host: '127.0.0.1', port: Number(new URL(world.gobetweenUrl).port) },
    (_chunk, now) => {
      seen.answeredAt = now;
    },
  ),
];
for (let i = 0; i < QUIET_SERVICES; i++) {
  world.addService(`quiet${i}`, { bind: `${8000 + i}/tcp`, expose: [`${8000 + i}/tcp`], instances: 1 });
}
const one = `8080/tcp-127.0.0.1:${world.ports.take()}`;
const spare = world.ports.take();
const path = world.addService('changing', { bind: one, expose: ['8080/tcp'], instances: 1 });

const flags = { ...world.flags, socket: socketPath, gobetween: `http://127.0.0.1:${tapPort}` };
const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
const janitor = spawn(process.execPath, [main, 'run', ...args], {
  stdio: ['ignore', 'ignore', process.env['BENCH_LOG'] === undefined ? 'ignore' : 'inherit'],
});

const samples: number[] = [];
try {
  await has(QUIET_SERVICES + 1);
  await pause(3000); // the write-backs and the second look at GoBetween are over
  for (let i = 0; i < changes; i++) {
    seen.eventAt = Number.NaN;
    const before = world.writes().posts;
    // Another label each time: the same server again and again would be held back as flapping.
    world.setBind(path, `${one} ${9000 + i}/tcp-127.0.0.1:${spare}`);
    while (world.writes().posts === before) await pause(1);
    await pause(5); // the answer has passed the tap
    samples.push(seen.answeredAt - seen.eventAt);
    world.setBind(path, one);
    await has(QUIET_SERVICES + 1);
    await pause(100 + (i % 7) * 10);
  }
} finally {
  janitor.kill('SIGTERM');
  for (const tap of taps) await tap.close();
  await world.stop();
}

const median = percentile(samples, 0.5);
const bound = WINDOW_MS + ALLOWANCE_MS;
console.log(`event's last byte to GoBetween's answer, one change when idle, window ${WINDOW_MS} ms`);
console.log(`latency  ${summary(samples)}`);
for (const line of machineLines()) console.log(line);
console.log(
  median <= bound ? `ok: the median is within ${bound} ms` : `FAILED: the median is above ${bound} ms`,
);
process.exitCode = median <= bound ? 0 : 1;

async function has(servers: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (Object.keys(await world.servers()).length === servers) return;
    await pause(50);
  }
  throw new Error(`GoBetween never had ${servers} servers`);
}
