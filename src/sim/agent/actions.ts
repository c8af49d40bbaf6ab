/**
 * The requests that change objects: `set`, `unset` and `get` by `object_action`, `create`, and target states. Each runs
 * the real command line in a process of its own, hence `out`, `err` and `ret` in the answer.
 */
import { canonical } from '../cluster/object-path.js';
import type { SimCluster } from '../cluster/cluster.js';
import { parseIni } from '../cluster/ini.js';
import { type Answer, body, httpError, internal } from './answers.js';
import { type Options, pathOption } from './config-read.js';
import type { Flaws } from './flaws.js';

const ran = (ret: number, out = '', err = ''): Answer => body({ status: 0, data: { out, err, ret } });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function keywordValue(cluster: SimCluster, path: string, keyword: string): string {
  const parsed = parseIni(cluster.configText(path) ?? '');
  const dot = keyword.indexOf('.');
  const section = dot < 0 ? 'DEFAULT' : keyword.slice(0, dot);
  return (parsed.ok ? parsed.sections.get(section)?.get(keyword.slice(dot + 1)) : undefined) ?? '';
}

/** `kw=v`, `kw+=v` (appends a word), `kw|=v` (appends it unless there), `kw-=v` (removes it). */
function applyKeyword(cluster: SimCluster, path: string, expression: string): void {
  const at = expression.indexOf('=');
  const left = expression.slice(0, at);
  const value = expression.slice(at + 1);
  const operator = /[-+|]$/.exec(left)?.[0];
  const keyword = operator === undefined ? left : left.slice(0, -1);
  if (operator === undefined) {
    cluster.set(path, keyword, value);
    return;
  }
  const words = keywordValue(cluster, path, keyword)
    .split(/\s+/)
    .filter((word) => word !== '');
  const index = words.indexOf(value);
  if (operator === '-' && index >= 0) words.splice(index, 1);
  if (operator === '+' || (operator === '|' && index < 0)) words.push(value);
  cluster.set(path, keyword, words.join(' '));
}

async function set(
  cluster: SimCluster,
  path: string,
  words: readonly string[],
  flaws: Flaws,
): Promise<Answer> {
  const malformed = words.find((word) => !word.includes('='));
  if (malformed !== undefined) return ran(1, '', `malformed kw expression: ${malformed}: no '='\n`);
  const apply = (): void => {
    for (const word of words) applyKeyword(cluster, path, word);
  };
  switch (flaws.setOutcome) {
    case 'ok':
      apply();
      return ran(0);
    case 'ret':
      return ran(1, '', 'timeout waiting for lock\n');
    case 'internal':
      return body(internal('[Errno 12] Cannot allocate memory'));
    case 'lost':
      apply();
      return { kind: 'closed' };
    case 'late':
      await pause(flaws.setMs * 3);
      apply();
      return { kind: 'silent' };
  }
}

const words = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [];

/** `object_action` and `service_action`. */
export async function runAction(
  cluster: SimCluster,
  on: string,
  options: Options,
  flaws: Flaws,
): Promise<Answer> {
  const path = pathOption(options);
  if (path === undefined) return body(httpError(400, 'required option path is not set'));
  if (cluster.file(path, on) === undefined) return body(httpError(404, `${path} not found`));
  if (options['cmd'] !== undefined)
    return body(internal('sequence item 0: expected str instance, list found'));
  const action = options['action'];
  if (typeof action !== 'string' || action === '') return body(httpError(400, 'action not set'));
  const given = (options['options'] ?? {}) as Options;
  await pause(flaws.setMs);
  if (action === 'set') return set(cluster, path, words(given['kw']), flaws);
  if (action === 'unset') {
    for (const keyword of words(given['kw'])) cluster.unset(path, keyword);
    return ran(0);
  }
  if (action === 'get' || action === 'eval') {
    const keyword = given['param'];
    if (typeof keyword !== 'string') return ran(1, '', 'no parameter. set --param\n');
    if (action === 'eval') return ran(1, '', 'no such option: --param\n');
    return ran(0, `${keywordValue(cluster, path, keyword)}\n`);
  }
  if (action === 'delete' || action === 'purge') {
    cluster.delete(path, { announced: false });
    return ran(0, '', `@ n:${on} o:${path} sc:n\n  remove $ROOT/etc/${path}.conf\n`);
  }
  return ran(1, '', `om svc ${action}...\n\n  --help   display action description and supported options.\n`);
}

/** `create` and `object_create`: `data` is `{path: {section: {keyword: value}}}`; new objects are born frozen. */
export function createObjects(cluster: SimCluster, on: string, options: Options): Answer {
  const data = (options['data'] ?? {}) as Readonly<Record<string, Readonly<Record<string, Options>>>>;
  const created: string[] = [];
  for (const [path, sections] of Object.entries(data)) {
    const blocks = Object.entries(sections).map(([section, values]) => {
      const lines = Object.entries(values).map(
        ([key, value]) => `${key} = ${String(value).replaceAll('\n', '\n\t')}`,
      );
      return `[${section}]\n${lines.join('\n')}\n`;
    });
    const text = blocks.join('\n');
    if (cluster.configText(path) === undefined) cluster.create(path, text, { frozen: true });
    else cluster.edit(path, text);
    created.push(canonical(path));
  }
  const out = created.map((path) => `create ${path}\n`).join('');
  return body({ nodes: { [on]: { status: 0, data: { out, err: '', ret: 0 } } }, status: 0 });
}

/** `object_monitor` and `set_service_monitor`. */
export function setTarget(cluster: SimCluster, options: Options): Answer {
  const path = pathOption(options);
  if (path === undefined) return body(httpError(400, 'required option path is not set'));
  if (cluster.configText(path) === undefined) {
    return body({ data: {}, status: 1, error: [`object ${path} does not exist`] });
  }
  const target = options['global_expect'];
  if (target === 'deleted' || target === 'purged') {
    cluster.announceDelete(path, target);
    setTimeout(() => {
      if (cluster.configText(path) !== undefined) cluster.delete(path, { announced: false });
    }, 5);
  } else if (target === 'started' || target === 'stopped') {
    cluster.setFrozen(path, target === 'stopped');
    cluster.setUp(path, target === 'started');
  } else if (target === 'frozen' || target === 'thawed') cluster.setFrozen(path, target === 'frozen');
  const info = [`${path} defer target state set to ${String(target)}`];
  return body({ data: { global_expect: target }, status: 0, info });
}
