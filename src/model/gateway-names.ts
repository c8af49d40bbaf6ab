/** Which gateways a service targets (SPEC §2). Names compare without case and final dot; both dotted: whole, else by first label. */

/** True when some target names this gateway, or no target is given. */
export function targetsUs(targets: readonly string[], ourNames: readonly string[]): boolean {
  return targets.length === 0 || targets.some((target) => ourNames.some((name) => sameName(target, name)));
}

/** Targets that are no name of this gateway. */
export function otherTargets(targets: readonly string[], ourNames: readonly string[]): readonly string[] {
  return targets.filter((target) => !ourNames.some((name) => sameName(target, name)));
}

/** Of these targets, those that are no name in `knownNames` (cluster nodes and services, lower case; null: not known). */
export function unknownTargets(
  targets: readonly string[],
  knownNames: ReadonlySet<string> | null,
): readonly string[] {
  if (knownNames === null || targets.length === 0) return [];
  const known = labelsOf(knownNames);
  return targets.filter((target) => {
    const plain = fold(target);
    if (knownNames.has(plain) || knownNames.has(firstLabel(plain))) return false;
    return plain.includes('.') || !known.has(plain);
  });
}

const remembered = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>();

/** The first labels of a set of names; one set serves thousands of services. */
function labelsOf(names: ReadonlySet<string>): ReadonlySet<string> {
  const known = remembered.get(names);
  if (known !== undefined) return known;
  const labels = new Set([...names].map(firstLabel));
  remembered.set(names, labels);
  return labels;
}

export function sameName(a: string, b: string): boolean {
  const one = fold(a);
  const other = fold(b);
  if (one === '' || other === '') return false;
  return one.includes('.') && other.includes('.') ? one === other : firstLabel(one) === firstLabel(other);
}

function fold(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function firstLabel(name: string): string {
  return name.split('.', 1)[0] ?? '';
}
