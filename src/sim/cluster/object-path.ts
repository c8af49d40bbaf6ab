/** Object paths: `web` is `root/svc/web`; agents always show the shortest form, and know objects by nothing else. */
export interface ObjectPath {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

export function splitPath(path: string): ObjectPath {
  const [first = '', second, third] = path.split('/');
  if (third !== undefined) return { namespace: first, kind: second ?? 'svc', name: third };
  if (second !== undefined) return { namespace: 'root', kind: first, name: second };
  return { namespace: 'root', kind: first === 'cluster' ? 'ccfg' : 'svc', name: first };
}

export function displayPath({ namespace, kind, name }: ObjectPath): string {
  const bare = namespace === 'root' && (kind === 'svc' || (kind === 'ccfg' && name === 'cluster'));
  return bare ? name : `${namespace}/${kind}/${name}`;
}

/** The display form of any accepted form. */
export const canonical = (path: string): string => displayPath(splitPath(path));
