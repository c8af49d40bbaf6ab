/**
 * One service's config judged as a run would judge it, without a run: the same compile, claims and render. Owns what is
 * said differently where nobody can be asked: a value that only the agent can evaluate is a warning there, for nothing is
 * wrong with it as far as can be known (DECISIONS D11).
 */
import type { Clock } from './clock.js';
import { assignNames } from './model/assign-names.js';
import { formatListen } from './model/bind.js';
import type { Problem } from './model/problem.js';
import type { ServiceKey } from './model/service.js';
import type { CompileContext, Compiled, Verdict, Word } from './model/spec.js';
import { unknownTargetProblems } from './model/unknown-targets.js';
import { createArbiter } from './ports/arbiter.js';
import { claimsOf, portProblem } from './ports/claims.js';
import { type CompileInput, compile } from './worker/compile.js';
import { renderJob } from './worker/render.js';

export interface JudgeRules {
  readonly context: CompileContext;
  /** What a target may name, lower case; null where no cluster is asked. */
  readonly knownNames: ReadonlySet<string> | null;
  readonly clock: Clock;
  readonly portRange: { readonly from: number; readonly to: number };
  readonly reserved: ReadonlySet<number>;
  /** False where no agent was asked: references and scopes stay unevaluated. */
  readonly evaluates: boolean;
}

export interface Judgement {
  readonly key: ServiceKey;
  /** As compile says; undecided: it depends on what only the agent can evaluate. */
  readonly verdict: Verdict | 'undecided';
  readonly problems: readonly Problem[];
  readonly exposes: readonly Exposed[];
}

/** What one word of the bind value comes to. */
export interface Exposed {
  readonly word: string;
  /** `0.0.0.0:8443/tcp`; the port is `*` where it is allocated. */
  readonly listens: string;
  /** Name of the server; null where it is chosen with its port. */
  readonly server: string | null;
  /** The SRV record that its backends come from; null where the service cannot be served as it is. */
  readonly record: string | null;
}

const target = 'igw_gobtw_target_lb';

/** Every problem of a service, and what it exposes or would expose on the gateways that it targets. Pure but for the clock. */
export function judge(input: CompileInput, rules: JudgeRules): Judgement {
  const first = compile(input, rules.context);
  // A service that others serve is not looked into by a run; whoever asks wants to know all the same.
  const compiled = first.verdict === 'elsewhere' ? compile(withoutTarget(input), rules.context) : first;
  const problems = [...unknownTargetProblems(first, rules.knownNames), ...compiled.problems];
  const said = rules.evaluates ? problems : problems.map(unevaluatedAsWarning);
  const undecided = compiled.verdict === 'spoiled' && !said.some(isProblem);
  return {
    key: input.key,
    verdict: undecided ? 'undecided' : compiled.verdict === 'served' ? first.verdict : compiled.verdict,
    ...exposed(compiled, said, rules),
  };
}

function isProblem({ severity }: Problem): boolean {
  return severity === 'problem';
}

function unevaluatedAsWarning(problem: Problem): Problem {
  if (problem.code !== 'unresolved-reference') return problem;
  return {
    ...problem,
    severity: 'warning',
    message:
      'its value comes from a reference or a scope, which only the agent can evaluate: it was not checked, nor what other keywords must agree on with it',
    keeps: 'the other keywords were checked each by itself',
    mend: 'check it where it runs: gobtw-janitor validate --service <path>',
  };
}

/** Ports by an arbiter that knows this service alone: reserved ones, and words that exclude each other. */
function exposed(
  compiled: Compiled,
  problems: readonly Problem[],
  { clock, portRange, reserved }: JudgeRules,
): Pick<Judgement, 'problems' | 'exposes'> {
  const arbiter = createArbiter({ clock, range: portRange, reserved });
  // Its ports are judged as if its keywords were mended.
  const verdict = compiled.verdict === 'spoiled' ? 'served' : compiled.verdict;
  const claims = claimsOf({ ...compiled, verdict }, compiled.words);
  arbiter.setClaims(compiled.key, claims);
  const { grants } = arbiter.decide([compiled.key]);
  const held: Problem[] = [];
  const placed = claims.flatMap(({ id, word }) => {
    const grant = grants.get(id);
    if (grant?.kind === 'held') held.push(portProblem(compiled.key, word, grant));
    return grant?.kind === 'granted' ? [{ word, addr: grant.addr, port: grant.port }] : [];
  });
  const names = assignNames(compiled.key, placed, []);
  const { template } = compiled;
  const exposes = placed.map(({ word, port }, index) => ({
    word: word.text,
    listens: `${formatListen(word.addr, port).replace(/\d+$/, (text) => (word.listen === null ? '*' : text))}/${word.proto}`,
    server: isNamedLater(word, compiled.words) ? null : (names[index] ?? null),
    record: template === null ? null : renderJob(template, word, unplaced).pattern,
  }));
  return { problems: [...problems, ...held], exposes };
}

/** Of several words for one port and protocol, the ports decide which one has the plain name. */
function isNamedLater(word: Word, words: readonly Word[]): boolean {
  const rivals = words.filter(({ port, proto }) => port === word.port && proto === word.proto);
  return rivals.length > 1 && rivals.some(({ listen }) => listen === null);
}

const unplaced = { listenPort: 1, lookupServer: '', expected: null };

function withoutTarget(input: CompileInput): CompileInput {
  const strip = (text: string): string => {
    const config = JSON.parse(text) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    const kept = Object.entries(config['env'] ?? {}).filter(([name]) => name.split('@', 1)[0] !== target);
    return JSON.stringify({ ...config, env: Object.fromEntries(kept) });
  };
  return {
    ...input,
    raw: strip(input.raw),
    evaluated: input.evaluated === null ? null : strip(input.evaluated),
  };
}
