/** A temporary copy of the project's lint configuration with files planted in it, to prove that each rule fires. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface Planted {
  /** Runs a script of node_modules in the copy and answers its standard output, whatever the exit code. */
  run(script: string, args: readonly string[]): string;
  remove(): void;
}

/** `files` maps a path such as `src/model/planted.ts` to its text. */
export function plant(files: Readonly<Record<string, string>>): Planted {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'planted-'));
  for (const name of ['package.json', 'tsconfig.json', '.eslint.config.mjs', '.dependency-cruiser.cjs']) {
    copyFileSync(join(root, name), join(folder, name));
  }
  symlinkSync(realpathSync(join(root, 'node_modules')), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return {
    run(script, args) {
      const { stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], {
        cwd: folder,
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      });
      if (stdout === '') throw new Error(`${script} printed nothing: ${stderr}`);
      return stdout;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
