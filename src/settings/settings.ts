/**
 * From flags and environment to one frozen, validated Settings (SPEC §10). A flag beats the environment; an empty
 * variable counts as absent. Invariant: either every value is usable, or all that is wrong is listed, one line each.
 */
import { type Setting, variables } from './row.js';
import { type RowValues, rows, type SettingName, table } from './table.js';
import { realSystem, type System } from './system.js';

/** What the command line gave, by flag without dashes; true for a switch. */
export type Given = Readonly<Record<string, string | true | readonly string[] | undefined>>;
export type Environment = Readonly<Record<string, string | undefined>>;

type Derived = 'gobetween' | 'addr' | 'port' | 'gobetweenPasswordFile' | 'workers' | 'logFormat';

export interface Settings extends Omit<RowValues, Derived> {
  /** Root of GoBetween's API without a trailing slash, from --gobetween or from --addr and --port. */
  readonly gobetweenUrl: string;
  /** Contents of the file or the variable; never printed. */
  readonly gobetweenPassword: string | null;
  /** Contents of the PEM file. */
  readonly gobetweenCa: string | null;
  readonly workers: number;
  readonly logFormat: 'json' | 'pretty';
  /** The settings that were given, by flag or variable. */
  readonly given: readonly SettingName[];
  /** Variables that begin with GOBTW_JANITOR_ and are none of ours. */
  readonly unknownVariables: readonly string[];
}

export type ParsedSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly errors: readonly string[] };

interface Source {
  readonly text: string;
  /** `--rate` or `GOBTW_JANITOR_RATE`. */
  readonly place: string;
  readonly level: 'flag' | 'environment';
}

/** Parses and validates everything. Errors are for people: which flag or variable, its value, what is wrong, an example. */
export function parseSettings(given: Given, env: Environment, system: System = realSystem): ParsedSettings {
  const errors: string[] = [];
  const sources = new Map<SettingName, Source>();
  const values: Record<string, unknown> = {};
  for (const [name, row] of rows) {
    const source = find(row, given, env);
    values[name] = row.fallback;
    if (source === undefined) continue;
    sources.set(name, source);
    const parsed = source.text === '' ? ({ ok: false, wrong: 'is empty' } as const) : row.parse(source.text);
    if (parsed.ok) values[name] = parsed.value;
    else errors.push(complaint(row, source, parsed.wrong));
  }
  const read = values as unknown as RowValues;
  const readText = (name: SettingName, path: string | null): string | null => {
    const content = path === null ? null : system.readFile(path);
    if (content === null || content.ok) return content?.value ?? null;
    errors.push(complaint(table[name], sources.get(name), content.wrong));
    return null;
  };
  const fromFile = passwordFile(read, sources, errors);
  const filePassword = readText('gobetweenPasswordFile', fromFile)?.replace(/\r?\n$/, '') ?? null;
  if (filePassword === '') {
    errors.push(
      complaint(table.gobetweenPasswordFile, sources.get('gobetweenPasswordFile'), 'is an empty file'),
    );
  }
  const gobetweenUrl = apiRoot(read, sources, errors);
  const settings: Settings = {
    ...read,
    gobetweenUrl,
    gobetweenPassword: fromFile === null ? read.gobetweenPassword : filePassword,
    gobetweenCa: readText('gobetweenCa', read.gobetweenCa),
    workers: read.workers ?? Math.max(1, system.cores - 1),
    logFormat: read.logFormat ?? (system.terminal ? 'pretty' : 'json'),
    given: [...sources.keys()],
    unknownVariables: unknownVariables(env),
  };
  errors.push(...contradictions(settings, sources));
  return errors.length > 0 ? { ok: false, errors } : { ok: true, settings: Object.freeze(settings) };
}

function find(row: Setting<unknown>, given: Given, env: Environment): Source | undefined {
  const flag = row.secret === true ? undefined : given[row.flag];
  if (flag !== undefined) {
    const text = flag === true ? 'on' : typeof flag === 'string' ? flag : flag.join(' ');
    return { text, place: `--${row.flag}`, level: 'flag' };
  }
  for (const place of variables(row)) {
    const text = env[place];
    if (text !== undefined && text !== '') return { text, place, level: 'environment' };
  }
  return undefined;
}

function complaint(row: Setting<unknown>, source: Source | undefined, wrong: string): string {
  const place = source?.place ?? `--${row.flag}`;
  const shown = row.secret === true ? '' : ` "${printable(source?.text ?? '')}"`;
  const example = `${place}${source?.level === 'environment' ? '=' : ' '}${row.example}`;
  return `${place}${shown} ${wrong}; write for example ${example}`;
}

/** One line, without the credentials of a URL. */
function printable(value: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is hidden
  const line = value.replaceAll(/[\u0000-\u001f\u007f]/g, '?').replace(/\/\/.*@/, '//***@');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

/** --addr and --port against --gobetween: the nearer level wins, and on one level only one may speak. */
function apiRoot(read: RowValues, sources: ReadonlyMap<SettingName, Source>, errors: string[]): string {
  const url = sources.get('gobetween');
  const parts = [sources.get('addr'), sources.get('port')].filter((source) => source !== undefined);
  const near = parts.filter((source) => source.level === 'flag' || url?.level !== 'flag');
  if (url !== undefined && near.some((source) => source.level === url.level)) {
    errors.push(
      `${url.place} and ${near.map((source) => source.place).join(', ')} name GoBetween twice; give one of them`,
    );
  }
  if (near.length === 0 || (url !== undefined && near.every((source) => source.level === url.level))) {
    return read.gobetween;
  }
  return `http://${read.addr ?? '127.0.0.1'}:${read.port ?? 8888}`;
}

/** The file to read the password from, or null when the variable (or nothing) gives it. */
function passwordFile(
  read: RowValues,
  sources: ReadonlyMap<SettingName, Source>,
  errors: string[],
): string | null {
  const file = sources.get('gobetweenPasswordFile');
  const variable = sources.get('gobetweenPassword');
  if (file?.level === 'environment' && variable !== undefined) {
    errors.push(`${file.place} and ${variable.place} both give the password; give one of them`);
  }
  return read.gobetweenPasswordFile;
}

function contradictions(settings: Settings, sources: ReadonlyMap<SettingName, Source>): readonly string[] {
  const found: string[] = [];
  const place = (name: SettingName): string => sources.get(name)?.place ?? `--${table[name].flag}`;
  const password = sources.get('gobetweenPasswordFile') ?? sources.get('gobetweenPassword');
  if (settings.gobetweenUser === null && password !== undefined) {
    found.push(`${password.place} is given without a user; write for example --gobetween-user admin`);
  }
  if (settings.gobetweenUser !== null && password === undefined) {
    found.push(
      `${place('gobetweenUser')} is given without a password; write for example --gobetween-password-file /etc/gobtw-janitor/password`,
    );
  }
  if (sources.has('gobetweenCa') && !settings.gobetweenUrl.startsWith('https:')) {
    found.push(
      `${place('gobetweenCa')} is given, but ${settings.gobetweenUrl} is not https; write for example --gobetween https://127.0.0.1:8888`,
    );
  }
  const { listen, metricsListen } = settings;
  if (listen !== null && metricsListen !== null && listen.port !== 0 && listen.port === metricsListen.port) {
    const wild = [listen.addr, metricsListen.addr].some((addr) => addr === '0.0.0.0' || addr === '::');
    if (wild || listen.addr === metricsListen.addr) {
      found.push(
        `${place('metricsListen')} and ${place('listen')} share port ${listen.port}; write for example --metrics-listen 0.0.0.0:9889`,
      );
    }
  }
  return found;
}

function unknownVariables(env: Environment): readonly string[] {
  const known = new Set(rows.flatMap(([, row]) => variables(row)));
  return Object.keys(env).filter((name) => name.startsWith('GOBTW_JANITOR_') && !known.has(name));
}

/** One line for each variable that looks like ours and is none. */
export function notices(settings: Settings): readonly string[] {
  return settings.unknownVariables.map((name) => `${name} is no variable of gobtw-janitor; it is ignored`);
}

/** Ports that no service may take: those of this gateway's own programs and --reserve (SPEC §5). */
export function reservedPorts(settings: Settings): ReadonlySet<number> {
  const api = new URL(settings.gobetweenUrl);
  const apiPort = api.port === '' ? (api.protocol === 'https:' ? 443 : 80) : Number(api.port);
  const own = [settings.listen?.port ?? 0, settings.metricsListen?.port ?? 0];
  return new Set([apiPort, ...own, 9284, 1214, 1215, ...settings.reserve].filter((number) => number > 0));
}
