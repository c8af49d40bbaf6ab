/**
 * What `validate` judges, from wherever it comes: a service as the agent has it, the text of a config file, or keywords of
 * the command line. Reading a service is the informer's own reading, so that nothing is judged that a run would not see.
 */
import { basename, resolve } from 'node:path';
import { fail, ok, type Result } from '../errors.js';
import type { Ports } from '../effects.js';
import { createIdentity } from '../identity.js';
import { parseIni } from '../model/ini.js';
import { printable } from '../model/printable.js';
import type { Problem } from '../model/problem.js';
import { analyseReferences } from '../model/reference-loop.js';
import { displayPath, type ServiceKey, serviceKey } from '../model/service.js';
import type { CompileContext } from '../model/spec.js';
import type { Settings } from '../settings/settings.js';
import { createClusterFacts } from '../source/cluster-facts.js';
import { createConfigCache } from '../source/config-cache.js';
import { createConfigReader } from '../source/config-reader.js';
import type { ReadConfig } from '../source/source.js';
import type { CompileInput } from '../worker/compile.js';

export interface Subject {
  readonly input: CompileInput;
  readonly context: CompileContext;
  /** What a target may name; null where no cluster is asked. */
  readonly knownNames: ReadonlySet<string> | null;
  readonly evaluates: boolean;
}

/** A service, read from the agent and evaluated for this node. Failures: those of the source, and unknown-service. */
export async function serviceSubject(
  key: ServiceKey,
  settings: Settings,
  { source, clock, random, hostname }: Ports,
): Promise<Result<Subject>> {
  const facts = createClusterFacts({ source, fallbackNode: hostname, onChange: () => undefined });
  const list = await source.list();
  if (!list.ok) return list;
  const listed = list.value.services.get(key);
  if (listed === undefined) {
    const message = `the cluster ${list.value.clusterName} has no service ${displayPath(key)}`;
    return fail({ code: 'unknown-service', retry: 'no', message });
  }
  await facts.learnNodeName();
  facts.observe(list.value);
  const services = [...list.value.services.keys()];
  const identity = createIdentity({ settings, hostname, cluster: () => facts.now, services: () => services });
  const config = await new Promise<Result<ReadConfig>>((settle) => {
    const reader = createConfigReader({
      ...{ source, clock, random, cache: createConfigCache(), context: facts.context },
      onRead: (_key, read) => done(ok(read)),
      onUnreadable: (_key, _csum, failure) => done(fail(failure)),
    });
    function done(result: Result<ReadConfig>): void {
      reader.stop();
      settle(result);
    }
    reader.start();
    reader.want(key, 'now', { fresh: true });
  });
  if (!config.ok) return config;
  const { raw, evaluated, loop } = config.value;
  return ok({
    input: { key, raw, evaluated, loop, slave: listed.slave },
    context: identity.context(),
    knownNames: identity.knownNames(),
    evaluates: true,
  });
}

/** A config file's text; the problem where it is none. */
export function fileSubject(key: ServiceKey, text: string, context: CompileContext): Subject | Problem {
  const parsed = parseIni(text);
  if (parsed.ok) return offlineSubject(key, parsed.sections, context);
  return {
    code: 'config-unreadable',
    severity: 'problem',
    key,
    place: `line ${parsed.line}`,
    message: `${printable(parsed.text)} is neither a [section] nor keyword = value`,
    keeps: 'the agent would not take such a file, and keeps what it has',
    mend: 'write keyword = value below a [section], and indent the lines that continue a value',
  };
}

/** Keywords as an `[env]` section of their own. */
export function keywordSubject(
  key: ServiceKey,
  env: Readonly<Record<string, string>>,
  context: CompileContext,
): Subject {
  return offlineSubject(key, { env }, context);
}

function offlineSubject(
  key: ServiceKey,
  sections: Readonly<Record<string, Readonly<Record<string, string>>>>,
  context: CompileContext,
): Subject {
  const { loop } = analyseReferences(sections);
  const raw = JSON.stringify(sections);
  const input = { key, raw, evaluated: null, loop, slave: false };
  return { input, context, knownNames: null, evaluates: false };
}

/** What is known where no cluster is asked: not its name, and not who is in it. */
export function offlineContext(settings: Settings, hostname: string): CompileContext {
  const own = settings.hostname ?? hostname;
  return {
    dialect: 'v2',
    clusterName: '<cluster>',
    gatewayNames: [own, ...settings.gateways],
    nodeName: own,
    defaultAddr: settings.defaultAddr,
    allowExec: settings.allowExecHealthcheck,
    allowAcme: settings.allowAcme,
    tlsDir: settings.tlsDir,
  };
}

/** Whose config a file is, as OpenSVC lays them out: `…/namespaces/ns1/svc/web.conf`, or `web.conf` in the root namespace. */
export function keyOfFile(path: string): ServiceKey {
  const name = basename(path).replace(/\.conf$/, '');
  const within = /\/namespaces\/([^/]+)\/([^/]+)\/[^/]+$/.exec(resolve(path));
  return serviceKey({ namespace: within?.[1] ?? 'root', kind: within?.[2] ?? 'svc', name });
}
