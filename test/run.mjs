// Runs the compiled tests by name: node 20 knows no globs and would take helpers for tests, and an empty list
// would silently run something else. Arguments select by substring: `node test/run.mjs unit/model`.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../dist/test/', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(root, { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort()
  .map((name) => root + name);
if (files.length === 0) {
  console.error(`no compiled test matches ${wanted.join(' ') || 'dist/test/**/*.test.js'}`);
  process.exit(1);
}
// The real program is asked far more than its stand-in.
const timeoutMs = process.env.GOBETWEEN_BIN ? 900_000 : 300_000;
const node = spawn(
  process.execPath,
  [
    '--enable-source-maps',
    '--test',
    '--test-reporter=spec',
    '--test-concurrency=4',
    `--test-timeout=${timeoutMs}`,
    ...files,
  ],
  { stdio: 'inherit' },
);
node.on('exit', (code, signal) => process.exit(signal ? 1 : code));
