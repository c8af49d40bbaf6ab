/** A service's config and what compile knows beside it, with defaults for everything a test does not care about. */
import type { ServiceKey } from '../../src/model/service.js';
import type { CompileContext, Compiled, ServerTemplate, Word } from '../../src/model/spec.js';
import { type CompileInput, compile } from '../../src/worker/compile.js';
import { render, type Rendered, renderJob } from '../../src/worker/render.js';

export const context: CompileContext = {
  dialect: 'v2',
  clusterName: 'cluster1',
  gatewayNames: ['gw1'],
  nodeName: 'gw1',
  defaultAddr: '0.0.0.0',
  allowExec: false,
  allowAcme: false,
  tlsDir: null,
};

/** What a target may name. */
export const knownNames = new Set(['gw1', 'gw2', 'n1.example.com', 'ogwl4']);

export const exposed = { 'ip#1': { expose: '80/tcp 443/tcp 8443/tcp 53/udp 53/tcp' } };

export type EnvSection = Readonly<Record<string, unknown>>;

export function input(
  env: EnvSection,
  more: Partial<CompileInput> & { evaluatedEnv?: EnvSection } = {},
): CompileInput {
  const { evaluatedEnv, ...rest } = more;
  return {
    key: 'root/svc/web' as ServiceKey,
    raw: JSON.stringify({ DEFAULT: {}, ...exposed, env }),
    evaluated: evaluatedEnv === undefined ? null : JSON.stringify({ ...exposed, env: evaluatedEnv }),
    loop: null,
    slave: false,
    ...rest,
  };
}

/** Compiles an `[env]` section; a bind of 80/tcp and 53/udp unless it has one. */
export function compileEnv(env: EnvSection, more: Partial<CompileContext> = {}): Compiled {
  return compile(input({ igw_gobtw_bind: '80/tcp-:1080 53/udp-:1053', ...env }), { ...context, ...more });
}

/** One word's server, as nothing is known of it yet. */
export function renderWord(
  template: ServerTemplate,
  word: Word,
  listenPort: number,
  lookupServer: string,
): Rendered {
  return render(renderJob(template, word, { listenPort, lookupServer, expected: null }));
}

/** Every server of a compiled service as the body that is posted; `*` ports become 20000. */
export function bodiesOf(compiled: Compiled): readonly string[] {
  const { template } = compiled;
  if (template === null) return [];
  return compiled.words.map((word) => renderWord(template, word, word.listen ?? 20000, '10.0.0.1:53').body);
}

/** The codes of a compiled service's problems; warnings end in `?`. */
export function codesOf(compiled: Compiled): readonly string[] {
  return compiled.problems.map(({ code, severity }) => (severity === 'warning' ? `${code}?` : code));
}
