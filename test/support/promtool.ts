/** Prometheus' own judge of metrics and rules; Debian's package `prometheus` has it. Tests that need it say loudly that they were skipped. */
import { execFileSync, spawnSync } from 'node:child_process';

/** Why tests with promtool cannot run here; false: they can. For the `skip` of a test. */
export const withoutPromtool: string | false = isInstalled('promtool')
  ? false
  : 'SKIPPED: promtool is not installed (Debian: prometheus)';

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What it says, and its exit code: 0 is content. */
export function promtool(
  args: readonly string[],
  input = '',
): { readonly said: string; readonly code: number | null } {
  const { stdout, stderr, status } = spawnSync('promtool', [...args], { input, encoding: 'utf8' });
  return { said: `${stdout}${stderr}`.trim(), code: status };
}
