/**
 * Generates services whose owners mean harm or know no better: values of the wrong type, unit, case or alphabet, enormous
 * ones, references, JSON bombs, and names that look like those of our servers (test/fixtures/keywords). `%P` in a text is a
 * port that the test fills in, `%B` one that is taken.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { type KeywordName, keywords } from '../../src/model/keywords.js';
import type { KeywordSet } from './keyword-lab.js';
import { exposed } from './service-config.js';
import { certificate, duration, escaped, privateKey, sections, validEnv } from './valid-keywords.js';

interface Corpus {
  /** Wrong anywhere, or right in one place and deadly in another; by kind. */
  readonly anywhere: Readonly<Record<string, readonly string[]>>;
  readonly goodWords: readonly string[];
  readonly bindWords: readonly string[];
  /** At the very edge of what a keyword accepts, on either side. */
  readonly edges: Readonly<Partial<Record<KeywordName, readonly string[]>>>;
  readonly services: readonly string[];
  readonly namespaces: readonly string[];
  /** Whole configs as no agent would give them. */
  readonly configs: readonly string[];
  /** Keywords that are none. */
  readonly keywords: readonly string[];
}

type Text = fc.Arbitrary<string>;
type Env = Readonly<Record<string, unknown>>;

const file = new URL('../../../test/fixtures/keywords/hostile.json', import.meta.url);
const corpus = JSON.parse(readFileSync(file, 'utf8')) as Corpus;
const names = Object.keys(keywords) as readonly KeywordName[];
const digits = '9'.repeat(400);
const deep = (open: string, close: string, depth: number): string =>
  `${open.repeat(depth)}1${close.repeat(depth)}`;

const anywhere: Text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...Object.values(corpus.anywhere).flat()) },
  fc.constantFrom(digits, `-${digits}`, `0.${digits}`, `${digits}ns`, `/${'d/'.repeat(600)}x`),
  fc.constantFrom('a.'.repeat(200), 'a'.repeat(64), '['.repeat(30_000), '{a'.repeat(500) + '}'.repeat(500)),
  fc.constantFrom(
    deep('[', ']', 15_000),
    deep('{"a":', '}', 5000),
    deep('{"rules":[', ']}', 2500),
    `{"rules":[${'"allow ::1",'.repeat(2000)}"deny ::1"]}`,
    `{"rules":[${'[],'.repeat(9000)}[]]}`,
  ),
  fc.integer({ min: 1, max: 5 }).map((power) => 'x'.repeat(10 ** power)),
  fc.integer({ min: 1, max: 4 }).map((power) => 'é😀 '.repeat(10 ** power)),
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.double().map(String),
  fc.json({ maxDepth: 4 }),
);

const rules = (count: number): string =>
  Array.from({ length: count }, (_, index) => `allow 10.0.${index >> 8}.${index & 255}`).join(',');
const long = 'é'.repeat(1024);
const tls = `cert_path=${certificate} key_path=${privateKey}`;
const odd = ['/etc', '/etc/hosts', '/nonexistent/x', certificate, '/dev/null', '/proc/kmsg', `/${long}`];

/** Beside the fixture's edges: whole sections, and what is too long to write down. */
const moreEdges: Readonly<Partial<Record<KeywordName, Text>>> = {
  igw_gobtw_target_lb: fc.constant(`gw1 ${'n '.repeat(60)}`),
  igw_gobtw_backend_idle_timeout: duration(0),
  igw_gobtw_sni: sections.sni,
  igw_gobtw_tls: fc.oneof(
    sections.tls,
    fc.constantFrom(...odd).map((path) => `cert_path=${path} key_path=${privateKey}`),
    fc.constantFrom(`${tls} min_version=TLS1.3`, `${tls} ciphers=`, `${tls} acme_hosts=a.b`),
    fc.constant('{"acme_hosts":["a.b"]}'),
  ),
  igw_gobtw_backends_tls: fc.oneof(
    sections.backends_tls,
    fc.constantFrom('/etc', '/etc/hosts', '/proc/kmsg').map((path) => `root_ca_cert_path=${path}`),
  ),
  igw_gobtw_udp: sections.udp,
  igw_gobtw_access: fc.oneof(
    sections.access,
    fc.constantFrom(1, 256, 257).map((count) => `default=deny rules="${rules(count)}"`),
  ),
  igw_gobtw_discovery_kind: anywhere,
  igw_gobtw_healthcheck_probe_send: fc.oneof(escaped, fc.constant(long)),
  igw_gobtw_healthcheck_probe_recv: fc.oneof(
    escaped,
    fc.constantFrom(long, '('.repeat(51), 'a|'.repeat(500), '(a|'.repeat(50) + ')'.repeat(50)),
  ),
  igw_gobtw_healthcheck_exec_command: fc.constant(long),
  igw_gobtw_healthcheck_exec_expected_positive_output: anywhere,
};

function edge(name: KeywordName): Text {
  const texts = (corpus.edges[name] ?? []).map((text) => fc.constant(text));
  return fc.oneof(...texts, ...(moreEdges[name] === undefined ? [] : [moreEdges[name]]));
}

const joined = (words: readonly string[], maxLength: number, blanks: string): Text =>
  fc.array(fc.constantFrom(...words), { minLength: 1, maxLength }).map((each) => each.join(blanks));
const bind: Text = fc.oneof(
  { weight: 20, arbitrary: joined(corpus.goodWords, 3, ' ') },
  { weight: 6, arbitrary: joined(corpus.bindWords, 4, '  ') },
  { weight: 1, arbitrary: anywhere },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(3, 64, 65, 5000)
      .map((count) => Array.from({ length: count }, (_, index) => `${index + 1}/tcp`).join('\n')),
  },
);

/** Each keyword at the edge in `edges` of a hundred, and any text at all in `harm` of a hundred. */
function envOf(edges: number, harm: number): fc.Arbitrary<Env> {
  const others = names.filter((name) => name !== 'igw_gobtw_bind');
  const fields = others.map((name) => {
    const text: fc.Arbitrary<string | undefined> = fc.oneof(
      { weight: 100 - edges - harm, arbitrary: fc.constant(undefined) },
      { weight: edges, arbitrary: edge(name) },
      { weight: harm, arbitrary: anywhere },
    );
    return [name, text] as const;
  });
  return fc
    .record({ ...Object.fromEntries(fields), igw_gobtw_bind: bind }, { noNullPrototype: true })
    .map((env) => Object.fromEntries(Object.entries(env).filter(([, text]) => text !== undefined)));
}

const known = fc.constantFrom(...names);
/** A valid service with two keywords at the edge, or with one that holds any text at all. */
const spoiledOnce: fc.Arbitrary<Env> = fc
  .tuple(validEnv, known, known, fc.nat(9))
  .chain(([env, one, two, dice]) => {
    const changes = dice < 2 ? { [one]: anywhere } : { [one]: edgeOf(one), [two]: edgeOf(two) };
    return fc.record(changes, { noNullPrototype: true }).map((texts) => ({ ...env, ...texts }));
  });

function edgeOf(name: KeywordName): Text {
  return name === 'igw_gobtw_bind' ? bind : edge(name);
}

const strangers: fc.Arbitrary<Env> = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...corpus.keywords, `igw_gobtw_${'x'.repeat(9000)}`),
    fc.string({ maxLength: 12 }),
  ),
  anywhere,
  { maxKeys: 3 },
);

const env: fc.Arbitrary<Env> = fc.oneof(
  { weight: 6, arbitrary: spoiledOnce },
  { weight: 5, arbitrary: envOf(5, 0) },
  { weight: 2, arbitrary: envOf(10, 1) },
  { weight: 1, arbitrary: envOf(30, 30) },
  { weight: 1, arbitrary: fc.tuple(validEnv, strangers).map(([one, two]) => ({ ...one, ...two })) },
);

/** The whole config as no agent would give it. */
const bomb: Text = fc.oneof(
  anywhere,
  fc.json({ maxDepth: 5 }),
  fc.constantFrom(...corpus.configs),
  fc
    .tuple(
      fc.constantFrom('igw_gobtw_bind', 'igw_gobtw_access', 'x', 'igw_gobtw_bind@gw1'),
      fc.constantFrom(
        deep('[', ']', 50_000),
        deep('{"a":', '}', 50_000),
        '[[1,[2]],{"a":1}]',
        '1e999',
        'true',
      ),
    )
    .map(([name, value]) => `{"env":{"igw_gobtw_bind":"80/tcp",${JSON.stringify(name)}:${value}}}`),
);

/** What an agent might make of it, types included. */
const evaluated = (given: Env): fc.Arbitrary<string | undefined> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    env.map((other) => JSON.stringify({ ...exposed, env: { ...given, ...other } })),
    fc
      .dictionary(known, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })
      .map((typed) => JSON.stringify({ env: { ...given, ...typed } })),
    bomb,
  );

/** The name still wants something that makes it new. */
export type HostileSet = Omit<KeywordSet, 'key'> & { readonly namespace: string; readonly name: string };

export const hostileSet: fc.Arbitrary<HostileSet> = fc
  .tuple(
    fc.oneof({ weight: 30, arbitrary: env }, { weight: 1, arbitrary: bomb }),
    fc.record(
      { allowExec: fc.boolean(), allowAcme: fc.boolean(), tlsDir: fc.constantFrom(null, null, null, '/t') },
      { noNullPrototype: true },
    ),
    fc.oneof({ weight: 9, arbitrary: fc.constant('web') }, fc.constantFrom(...corpus.services)),
    fc.oneof({ weight: 9, arbitrary: fc.constant('root') }, fc.constantFrom(...corpus.namespaces)),
  )
  .chain(([config, allowed, name, namespace]) => {
    const common = { allowed, name, namespace };
    if (typeof config === 'string') return fc.constant({ ...common, raw: config });
    const raw = JSON.stringify({ DEFAULT: {}, ...exposed, env: config });
    return evaluated(config).map((text) =>
      text === undefined ? { ...common, raw } : { ...common, raw, evaluated: text },
    );
  });
