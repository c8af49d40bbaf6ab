/**
 * The v2.1 dialect of the agent's raw socket (`lsnr.sock`) as a Source. It knows which request gives what; framing, answers
 * and the stream have their own files. Invariant: the cluster's secret does not leave readClusterConfig.
 * Source: reference/opensvc-v2-protocol.md §5, SPEC §6.
 */
import type { Clock } from '../clock.js';
import { fail, ok, type Result } from '../errors.js';
import { displayPath, type ServiceKey } from '../model/service.js';
import { createBackoff } from '../queue/backoff.js';
import type { Random } from '../random.js';
import { readClusterConfig, readConfigAnswer, readSetAnswer, readStatus } from './lsnr-answers.js';
import { createLsnrClient, type LsnrClient } from './lsnr-request.js';
import { watchLsnr, type LsnrWatch } from './lsnr-watch.js';
import type { Source } from './source.js';

export interface LsnrOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The path of lsnr.sock; `fresh` at each reconnection of the stream. */
  readonly locate: (fresh: boolean) => Promise<Result<string>>;
  /** One request; `--agent-timeout`. */
  readonly timeoutMs: number;
  readonly maxBytes?: number;
}

/** Cap of the stream's reconnection pauses: a returning agent should be heard soon. */
const RECONNECT_CAP_MS = 5000;

export function createLsnrSource(options: LsnrOptions): Source {
  const { random, timeoutMs } = options;
  const client = createLsnrClient(options);
  const watches = new Set<LsnrWatch>();
  let ownNode: string | null = null;

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
      const answer = await client.request({ action: 'daemon_status' });
      if (!answer.ok) return answer;
      for (const watch of watches) watch.answered();
      return readStatus(answer.value.body, ownNode);
    },
    async clusterConfig() {
      // Without `node`: with it the agent says that it does not know this object.
      const options = { path: 'cluster', format: 'json', evaluate: true };
      const answer = await client.request({ action: 'object_config', method: 'GET', options });
      return answer.ok ? readClusterConfig(answer.value.body) : answer;
    },
    config: (key, how) => readConfig(client, key, how),
    setBind: (key, value) => setBind(client, key, value),
    watch(handlers) {
      const backoff = createBackoff({ random, baseMs: 250, capMs: RECONNECT_CAP_MS });
      const watch = watchLsnr({ ...options, backoff, handlers, connectTimeoutMs: timeoutMs });
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

async function readConfig(
  client: LsnrClient,
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
  const answer = await client.request({ action: 'object_config', method: 'GET', node: 'ANY', options });
  return answer.ok ? readConfigAnswer(answer.value.body) : answer;
}

async function setBind(client: LsnrClient, key: ServiceKey, value: string): Promise<Result<void>> {
  const options = {
    path: displayPath(key),
    action: 'set',
    options: { kw: [`env.igw_gobtw_bind=${value}`] },
  };
  const answer = await client.request({ action: 'object_action', method: 'POST', node: 'ANY', options });
  return answer.ok ? readSetAnswer(answer.value.body) : answer;
}
