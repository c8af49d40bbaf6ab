/**
 * The v2.1 dialect of the agent's raw socket (`lsnr.sock`) as a Source. It knows which request gives what; framing, answers
 * and the stream have their own files. Invariants: the cluster's secret does not leave readClusterConfig; an object that our
 * own node has is asked for without `node`, because `ANY` knows an object by its instance's status, which comes later than its
 * config (seconds for one new service, minutes for hundreds). Source: reference/opensvc-v2-protocol.md §5, SPEC §6.
 */
import type { Clock } from '../clock.js';
import { fail, ok, type Result } from '../errors.js';
import { displayPath, type ServiceKey } from '../model/service.js';
import { createBackoff } from '../queue/backoff.js';
import type { Random } from '../random.js';
import {
  type LsnrAnswer,
  readClusterConfig,
  readConfigAnswer,
  readSetAnswer,
  readWrittenDns,
} from './lsnr-answers.js';
import { createLsnrClient, type LsnrRequest } from './lsnr-request.js';
import { listOf, type MarkedService, type ReadStatus } from './lsnr-status.js';
import { watchLsnr, type LsnrWatch } from './lsnr-watch.js';
import type { ListedService, Source } from './source.js';

export interface LsnrOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The path of lsnr.sock; `fresh` at each reconnection of the stream. */
  readonly locate: (fresh: boolean) => Promise<Result<string>>;
  /** One request; `--agent-timeout`. */
  readonly timeoutMs: number;
  readonly maxBytes?: number;
  readonly readStatus: ReadStatus;
}

/** Cap of the stream's reconnection pauses: a returning agent should be heard soon. */
const RECONNECT_CAP_MS = 5000;

export function createLsnrSource(options: LsnrOptions): Source {
  const { random, timeoutMs } = options;
  const client = createLsnrClient(options);
  const watches = new Set<LsnrWatch>();
  let ownNode: string | null = null;
  let listed: readonly MarkedService[] = [];
  let services: ReadonlyMap<ServiceKey, ListedService> = new Map();
  /** Services whose config our own node has by an event since the last list. */
  const hinted = new Set<ServiceKey>();

  /** Asks our own node, if it has the object, else any that has. */
  async function ask(key: ServiceKey, request: LsnrRequest): Promise<Result<LsnrAnswer>> {
    if (hinted.has(key) || services.get(key)?.csums.has(ownNode ?? '') === true) {
      const answer = await client.request(request);
      if (answer.ok || answer.failure.code !== 'unknown-object') return answer;
    }
    return client.request({ ...request, node: 'ANY' });
  }

  function askCluster(evaluate: boolean): Promise<Result<LsnrAnswer>> {
    // Without `node`: with it the agent says that it does not know this object.
    const options = { path: 'cluster', format: 'json', evaluate };
    return client.request({ action: 'object_config', method: 'GET', options });
  }

  return {
    async nodeName() {
      const answer = await client.request({ action: 'whoami', method: 'GET', node: 'ANY' });
      if (!answer.ok) return answer;
      if (answer.value.node === null) {
        return fail({
          code: 'agent-no-name',
          retry: 'no',
          message: 'the agent does not say which node it is',
        });
      }
      ownNode = answer.value.node;
      return ok(ownNode);
    },
    async list() {
      const answer = await client.requestBytes({ action: 'daemon_status' });
      if (!answer.ok) return answer;
      for (const watch of watches) watch.answered();
      const status = await options.readStatus(answer.value, ownNode, listed);
      if (!status.ok) return status;
      const list = listOf(status.value.head, status.value.services);
      listed = status.value.services;
      services = list.services;
      hinted.clear();
      return ok(list);
    },
    async clusterConfig() {
      const raw = await askCluster(false);
      if (!raw.ok) return raw;
      const written = readWrittenDns(raw.value.body);
      if (!written.ok) return written;
      if (written.value !== null) return ok({ dns: written.value });
      const answer = await askCluster(true);
      return answer.ok ? readClusterConfig(answer.value.body) : answer;
    },
    config: (key, how) => readConfig(ask, key, how),
    setBind: (key, value) => setBind(ask, key, value),
    watch(handlers) {
      const backoff = createBackoff({ random, baseMs: 250, capMs: RECONNECT_CAP_MS });
      const watch = watchLsnr({
        ...options,
        backoff,
        handlers: {
          ...handlers,
          onConfig(key, csum, node) {
            if (csum !== null && node === ownNode) hinted.add(key);
            handlers.onConfig(key, csum, node);
          },
        },
        connectTimeoutMs: timeoutMs,
      });
      watches.add(watch);
      return () => {
        watches.delete(watch);
        watch.stop();
      };
    },
    async close() {
      for (const watch of watches) watch.stop();
      watches.clear();
      client.close();
    },
  };
}

type Ask = (key: ServiceKey, request: LsnrRequest) => Promise<Result<LsnrAnswer>>;

async function readConfig(
  ask: Ask,
  key: ServiceKey,
  how: { evaluate: boolean; node: string },
): ReturnType<Source['config']> {
  const options = {
    path: displayPath(key),
    format: 'json',
    evaluate: how.evaluate,
    // A relayed read is evaluated on the node that answers, unless it plays ours.
    ...(how.evaluate && how.node !== '' ? { impersonate: how.node } : {}),
  };
  const answer = await ask(key, { action: 'object_config', method: 'GET', options });
  return answer.ok ? readConfigAnswer(answer.value.body) : answer;
}

async function setBind(ask: Ask, key: ServiceKey, value: string): Promise<Result<void>> {
  const options = {
    path: displayPath(key),
    action: 'set',
    options: { kw: [`env.igw_gobtw_bind=${value}`] },
  };
  const answer = await ask(key, { action: 'object_action', method: 'POST', options });
  return answer.ok ? readSetAnswer(answer.value.body) : answer;
}
