/**
 * The identity of an OpenSVC service. Invariant: a ServiceKey is canonical (`ns/kind/name`, the root namespace spelled
 * `root`), so equal services have equal keys. Agents show root services as the bare name (`displayPath`).
 */
export type ServiceKey = string & { readonly __brand: 'ServiceKey' };

export interface ServicePath {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/** Parses `web`, `svc/web`, `root/svc/web` or `ns1/svc/web`; undefined when it is none of these. */
export function parsePath(path: string): ServicePath | undefined {
  const parts = path.split('/');
  if (parts.some((part) => part === '')) return undefined;
  const [first, second, third] = parts;
  if (parts.length === 1 && first !== undefined) {
    return { namespace: 'root', kind: first === 'cluster' ? 'ccfg' : 'svc', name: first };
  }
  if (parts.length === 2 && first !== undefined && second !== undefined) {
    return { namespace: 'root', kind: first, name: second };
  }
  if (parts.length === 3 && first !== undefined && second !== undefined && third !== undefined) {
    return { namespace: first, kind: second, name: third };
  }
  return undefined;
}

export function serviceKey(path: ServicePath): ServiceKey {
  return `${path.namespace}/${path.kind}/${path.name}` as ServiceKey;
}

/** The key's parts. Only for keys made by `serviceKey`. */
export function keyPath(key: ServiceKey): ServicePath {
  const [namespace = '', kind = '', name = ''] = key.split('/');
  return { namespace, kind, name };
}

/** The form that agents and people use: `web` in the root namespace, else `ns1/svc/web`. */
export function displayPath(key: ServiceKey): string {
  const { namespace, kind, name } = keyPath(key);
  return namespace === 'root' && kind === 'svc' ? name : key;
}
