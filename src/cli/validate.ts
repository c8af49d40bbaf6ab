/**
 * `validate`: every problem of a service, a config file or a few keywords, with its place, its code and its mending, and
 * what would be exposed. The checks are those of a run (judge.ts). Nothing is changed, and GoBetween is not asked.
 */
import { createReadStream } from 'node:fs';
import { type Ports, createRealPorts } from '../effects.js';
import { type Judgement, judge } from '../judge.js';
import { keywords } from '../model/keywords.js';
import { nearestKeyword } from '../model/nearest-keyword.js';
import { printable } from '../model/printable.js';
import type { Problem } from '../model/problem.js';
import { type ServiceKey, parsePath, serviceKey } from '../model/service.js';
import { type Settings, reservedPorts } from '../settings/settings.js';
import type { Io } from './io.js';
import { usageLine } from './messages.js';
import { renderJson, renderText } from './validate-report.js';
import {
  fileSubject,
  keyOfFile,
  keywordSubject,
  offlineContext,
  serviceSubject,
  type Subject,
} from './validate-subject.js';
import type { ExitCode, ValidateOptions, Verbs } from './verbs.js';

/** As for the agent's answers (SPEC §9). */
const LARGEST_BYTES = 64 * 1024 * 1024;

const usage = [
  'validate wants to know what to check; write one of',
  '  gobtw-janitor validate --service ns1/svc/web             a service of the cluster, as the agent has it',
  '  gobtw-janitor validate --file web.conf                   a config file; - for standard input',
  "  gobtw-janitor validate 'igw_gobtw_bind=80/tcp' …         keywords of an [env] section",
  'With --file or keywords, --service says whose they are.',
];

/** Who it is when nobody says. */
const nameless = serviceKey({ namespace: 'root', kind: 'svc', name: 'NAME' });

export function createValidate(
  io: Io,
  stdin: AsyncIterable<Buffer | string>,
  createPorts: (settings: Settings) => Ports = createRealPorts,
): Verbs['validate'] {
  return async (settings, options) => {
    const wrong = wrongUsage(options);
    if (wrong !== null) {
      for (const [index, line] of wrong.entries()) io.err(index === 0 ? usageLine(line) : `${line}\n`);
      return 64;
    }
    const key = options.service === null ? null : keyOf(options.service);
    const ports = createPorts({ ...settings, logLevel: 'error' });
    try {
      const found = await judgeSubject(key, settings, options, ports);
      if (typeof found === 'string') {
        io.err(usageLine(found));
        return 1;
      }
      io.out(options.output === 'json' ? renderJson(found) : renderText(found, io));
      return exitCodeOf(found);
    } finally {
      await Promise.all([ports.source.close(), ports.balancer.close()]);
    }
  };

  /** A sentence where there is nothing to judge. */
  async function judgeSubject(
    key: ServiceKey | null,
    settings: Settings,
    { file, keywords: words }: ValidateOptions,
    ports: Ports,
  ): Promise<Judgement | string> {
    const rules = {
      clock: ports.clock,
      portRange: settings.portRange,
      reserved: reservedPorts(settings),
    };
    const judged = ({ input, ...more }: Subject): Judgement => judge(input, { ...rules, ...more });
    const context = offlineContext(settings, ports.hostname);
    if (file !== null) {
      const text = await readText(file === '-' ? stdin : createReadStream(file));
      if (typeof text !== 'string')
        return `cannot read ${file === '-' ? 'standard input' : file}: ${text.message}`;
      const owner = key ?? (file === '-' ? nameless : keyOfFile(file));
      const subject = fileSubject(owner, text, context);
      if ('input' in subject) return judged(subject);
      return { key: owner, verdict: 'spoiled', problems: [subject], exposes: [] };
    }
    if (words.length > 0)
      return judgeKeywords(key ?? nameless, words, (env, owner) =>
        judged(keywordSubject(owner, env, context)),
      );
    const subject = await serviceSubject(key ?? nameless, settings, ports);
    return subject.ok ? judged(subject.value) : subject.failure.message;
  }
}

function exitCodeOf({ problems }: Judgement): ExitCode {
  return problems.some(({ severity }) => severity === 'problem') ? 1 : 0;
}

function wrongUsage({ service, file, keywords: words }: ValidateOptions): readonly string[] | null {
  if (service === null && file === null && words.length === 0) return usage;
  if (file !== null && words.length > 0)
    return ['--file and keywords cannot be checked together; give one of them'];
  if (service !== null && keyOf(service) === null)
    return [`--service ${service} is no path of a service; write for example --service ns1/svc/web`];
  const bare = words.find((word) => !/^[^=\s]+=/.test(word));
  if (bare !== undefined) return [`${bare} is no keyword=value; write for example 'igw_gobtw_bind=80/tcp'`];
  return null;
}

function keyOf(path: string): ServiceKey | null {
  const parsed = parsePath(path);
  return parsed?.kind === 'svc' ? serviceKey(parsed) : null;
}

/** Keywords, with or without `env.` before them. Without a bind they are judged as beside one of port 80. */
function judgeKeywords(
  key: ServiceKey,
  words: readonly string[],
  judged: (env: Readonly<Record<string, string>>, key: ServiceKey) => Judgement,
): Judgement {
  const env: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const word of words) {
    const cut = word.indexOf('=');
    env[word.slice(0, cut).replace(/^env\./, '')] = word.slice(cut + 1);
  }
  const names = Object.keys(env);
  const bound = names.some((name) => /^igw_gobtw_bind(@|$)/.test(name));
  const judgement = judged(bound ? env : { ...env, igw_gobtw_bind: '80' }, key);
  // Who publishes which port is said in sections that are not here.
  const problems = judgement.problems.filter(({ code }) => code !== 'not-exposed');
  return {
    ...judgement,
    ...(bound ? {} : { exposes: [] }),
    problems: [...problems, ...strangers(key, names), ...(bound ? [] : [assumed(key)])],
  };
}

function strangers(key: ServiceKey, names: readonly string[]): readonly Problem[] {
  return names
    .map((name) => name.split('@', 1)[0] ?? name)
    .filter((name) => !name.toLowerCase().startsWith('igw_gobtw') && !Object.hasOwn(keywords, name))
    .map((name) => ({
      code: 'unknown-keyword',
      severity: 'warning',
      key,
      place: printable(name),
      message: 'there is no such keyword, so it has no effect',
      keeps: 'it is served all the same',
      mend: `did you mean ${nearestKeyword(name)}?`,
    }));
}

function assumed(key: ServiceKey): Problem {
  return {
    code: 'forced-default',
    severity: 'warning',
    key,
    place: 'igw_gobtw_bind',
    message: 'it was not given, so the keywords were checked as beside igw_gobtw_bind = 80',
    keeps: 'without it nothing is exposed',
    mend: "give it too, for example 'igw_gobtw_bind=443/tcp'",
  };
}

async function readText(stream: AsyncIterable<Buffer | string>): Promise<string | Error> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      const buffer = Buffer.from(chunk);
      bytes += buffer.length;
      if (bytes > LARGEST_BYTES) return new Error(`it is larger than ${LARGEST_BYTES} bytes`);
      chunks.push(buffer);
    }
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
  return Buffer.concat(chunks).toString('utf8');
}
