/**
 * The registry speaks OpenMetrics for ever, for switching it per request renames counters for good and mixes concurrent
 * scrapes. Those who do not ask for OpenMetrics get the older text format, derived from it here.
 */

export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
export const textType = 'text/plain; version=0.0.4; charset=utf-8';

/** Whether an Accept header asks for OpenMetrics. */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  return accept?.toLowerCase().includes('application/openmetrics-text') === true;
}

/** Text format 0.0.4: counters are named with `_total` in HELP and TYPE, and there are neither exemplars nor an end mark. */
export function textOf(openMetrics: string): string {
  const lines = openMetrics.split('\n');
  const counters = new Set<string>();
  for (const line of lines) {
    const counter = /^# TYPE (\S+) counter$/.exec(line)?.[1];
    if (counter !== undefined) counters.add(counter);
  }
  return lines
    .filter((line) => line !== '# EOF')
    .map((line) => {
      const [, mark, name = '', rest] = /^# (HELP|TYPE) (\S+)(.*)$/.exec(line) ?? [];
      if (mark !== undefined) return `# ${mark} ${name}${counters.has(name) ? '_total' : ''}${rest}`;
      return line.replace(/ # \{[^}]*\} \S+( \S+)?$/, '');
    })
    .join('\n');
}
