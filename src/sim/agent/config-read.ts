/**
 * `object_config` / `get_service_config` and `node_config`: the file as text, its sections as JSON, or evaluated. One
 * reader, as the agent's interpreter lock makes it: answers leave at `configsPerSecond` at most.
 */
import type { SimCluster } from '../cluster/cluster.js';
import { nowSeconds } from '../cluster/status.js';
import { splitPath } from '../cluster/object-path.js';
import {
  type Answer,
  body,
  configError,
  httpError,
  internal,
  notSupported,
  UNKNOWN_SERVICE,
} from './answers.js';
import type { ConfigFailure, Flaws } from './flaws.js';
import type { View } from './view.js';

export type Options = Readonly<Record<string, unknown>>;

export const pathOption = (options: Options): string | undefined => {
  const path = options['path'] ?? options['svcpath'] ?? options['svcname'];
  return typeof path === 'string' && path !== '' ? path : undefined;
};

const isTrue = (value: unknown): boolean =>
  value === true || value === 'true' || value === '1' || value === 1;

function failure(how: ConfigFailure, path: string): Answer {
  switch (how) {
    case 'key-error':
      return body(configError(`'${path}'`, 'KeyError'));
    case 'unknown-service':
      return body(UNKNOWN_SERVICE);
    case 'unknown-keyword':
      return body(configError('nosuch#1.foo not found in the keywords dictionary', 'Error'));
    case 'delete-in-progress':
      return body({ error: 'delete in progress', status: 2 });
    case 'internal':
      return body(internal('dictionary changed size during iteration'));
    case 'forbidden':
      return body(httpError(403, "Forbidden: handler 'object_config' requires role 'admin'"));
    case 'not-supported':
      return body(notSupported('GET', 'object_config'));
    case 'closed':
      return { kind: 'closed' };
    case 'silent':
      return { kind: 'silent' };
    case 'cut':
      return { kind: 'cut', body: configError(`'${path}'`, 'KeyError') };
  }
}

/** Waits for this reader's turn: reads are served one after the other. */
export function createPacer(flaws: Flaws): () => Promise<void> {
  let free = 0;
  return async () => {
    if (flaws.configsPerSecond <= 0) return;
    const now = performance.now();
    const start = Math.max(now, free);
    free = start + 1000 / flaws.configsPerSecond;
    if (start - now >= 1) await new Promise((resolve) => setTimeout(resolve, start - now));
  };
}

export interface ConfigReader {
  readonly cluster: SimCluster;
  readonly view: View;
  readonly flaws: Flaws;
  /** The agent's own node: it may still be starting; its peers are settled. */
  readonly node: string;
}

/** Reads the config of one object on `on`. */
export function readObjectConfig(reader: ConfigReader, on: string, options: Options): Answer {
  const { cluster, view, flaws } = reader;
  const path = pathOption(options);
  if (path === undefined) return body(httpError(400, 'required option path is not set'));
  const broken = flaws.configFailures.get(path) ?? flaws.configFailures.get('*');
  if (broken !== undefined && path !== 'cluster') return failure(broken, path);
  const known = on !== reader.node || view.knowsConfigs();
  if (options['format'] !== 'json') return readText(reader, on, path);
  if (!known) return body(configError(`'${path}'`, 'KeyError'));
  const impersonate = typeof options['impersonate'] === 'string' ? options['impersonate'] : undefined;
  const read = cluster.readConfig(path, on, { evaluate: isTrue(options['evaluate']), impersonate });
  if (read.kind === 'unknown') return body(configError(`'${path}'`, 'KeyError'));
  if (read.kind === 'loop') return { kind: 'silent' };
  if (read.kind === 'error') return body(configError(read.message, 'Error'));
  const { name, kind, namespace } = splitPath(path);
  const metadata = { name, kind, namespace: namespace === 'root' ? null : namespace };
  return body({ ...read.data, metadata });
}

function readText({ cluster }: ConfigReader, on: string, path: string): Answer {
  const status = ['monitor', 'nodes', on, 'services', 'status', path, 'monitor'];
  const expected = cluster.dataset.get([...status, 'global_expect']);
  if (expected === 'deleted' || expected === 'purged') return failure('delete-in-progress', path);
  const file = cluster.file(path, on);
  if (file === undefined) return body({ error: `$ROOT/etc/${path}.conf does not exist`, status: 3 });
  return body({ status: 0, data: file.text, mtime: file.mtime });
}

const NODE_CONF = '[node]\nenv = TST\nready_period = 1s\n';

/** node.conf, which has no `cluster` section in this version. */
export function readNodeConfig(options: Options): Answer {
  if (options['format'] !== 'json') return body({ status: 0, data: NODE_CONF, mtime: nowSeconds() });
  return body({ node: { env: 'TST', ready_period: '1s' }, metadata: { kind: 'node' } });
}
