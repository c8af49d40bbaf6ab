/**
 * The references in one value, read as the v2.1 agent does: `{…}` of word characters and `# . : / [ ]`, innermost first,
 * and what they insert may hold new ones. One pass with a stack of open braces; no regular expression that could backtrack.
 * Source: core/extconfig.py `_handle_references`, `handle_reference` (branch b2.1).
 */
export interface ReferenceScan {
  /** What each reference names, modifiers and index taken off; `*` stands for the outcome of an inner reference. */
  readonly references: readonly string[];
  /** The text begins with the end of a reference (`a}`), or ends with the beginning of one (`{env.`). */
  readonly open: boolean;
  /** Braces that belong to no reference. */
  readonly stray: boolean;
}

const runCharacter = /[\w#.[\]:/]/;

export function scanReferences(text: string): ReferenceScan {
  const references: string[] = [];
  /** Text of each brace that is open; null once it holds a character that no reference may hold. */
  const stack: (string | null)[] = [];
  /** Nothing but what could end a reference so far. */
  let cleanStart = true;
  let open = false;
  let stray = false;

  const append = (piece: string | null): void => {
    const top = stack.pop();
    if (top !== undefined) stack.push(top === null || piece === null ? null : top + piece);
  };

  for (const character of text) {
    if (character === '{') stack.push('');
    else if (character === '}') {
      const inner = stack.pop();
      if (inner === undefined && cleanStart) open = true;
      const isReference = typeof inner === 'string' && /[\w#*]/.test(inner);
      if (isReference) {
        const name = nameOf(inner);
        if (name !== null) references.push(name);
      } else {
        stray = true;
        cleanStart = false;
      }
      append(isReference ? '*' : null);
    } else if (runCharacter.test(character)) append(character);
    else {
      append(null);
      cleanStart = false;
    }
  }
  const top = stack.at(-1);
  return { references, open: open || typeof top === 'string', stray: stray || stack.length > 0 };
}

/** Names that the agent answers itself, without looking into the config. */
const hardcoded = new Set(
  [
    'nodename short_nodename namespace kind id path svcpath name svcname short_name short_svcname rid rindex',
    'scaler_name scaler_svcname scaler_short_name scaler_short_svcname clusterid clustername clusternodes clusterdrpnodes',
    'fqdn domain dns dnsnodes dns_janitor_major svcmgr nodemgr etc var private_var initd collector_api dnsuxsockd dnsuxsock',
  ].flatMap((line) => line.split(' ')),
);
const modifier = /^(?:upper|lower|capitalize|title|swapcase|uri_ip):/;

/** The keyword that a reference names; null when it is none of the config's. */
function nameOf(reference: string): string | null {
  const bracket = reference.endsWith(']') ? reference.indexOf('[') : -1;
  const bare = (bracket === -1 ? reference : reference.slice(0, bracket))
    .replace(/^#/, '')
    .replace(modifier, '');
  const elsewhere = hardcoded.has(bare) || bare.startsWith('node.') || bare.startsWith('safe://');
  return bare === '' || elsewhere ? null : bare;
}

/**
 * What in one value cannot be judged from its references. `expression`: arithmetic on strings can write a reference.
 * `open`: half a reference, harmless unless another value inserts it.
 */
export function hazardOf(text: string, scan: ReferenceScan): 'expression' | 'open' | null {
  if (text.includes('$(') && /["']/.test(text) && (scan.stray || text.includes('%'))) return 'expression';
  return scan.open ? 'open' : null;
}
