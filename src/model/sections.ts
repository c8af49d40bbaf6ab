/**
 * The six sections: their fields, and the rules between fields that GoBetween enforces or dies of
 * (gobetween-rest.md §2). A section read here is complete but for GoBetween's own defaults.
 */
import { canonicalAddress, isCidr } from './address.js';
import { type Reader, bad, duration, good, integer, isDnsName, oneOf, plain } from './keyword-values.js';
import { printable } from './printable.js';
import { type SectionSchema, boolField, listField, readSection, textField } from './section.js';
import { keyPath } from './service.js';

export type Section = Readonly<Record<string, unknown>>;

const tlsVersions = ['tls1', 'tls1.1', 'tls1.2', 'tls1.3'] as const;
const ciphers: ReadonlySet<string> = new Set(
  [
    'RSA_WITH_RC4_128_SHA RSA_WITH_3DES_EDE_CBC_SHA RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_256_CBC_SHA',
    'RSA_WITH_AES_128_CBC_SHA256 RSA_WITH_AES_128_GCM_SHA256 RSA_WITH_AES_256_GCM_SHA384',
    'ECDHE_ECDSA_WITH_RC4_128_SHA ECDHE_ECDSA_WITH_AES_128_CBC_SHA ECDHE_ECDSA_WITH_AES_256_CBC_SHA',
    'ECDHE_RSA_WITH_RC4_128_SHA ECDHE_RSA_WITH_3DES_EDE_CBC_SHA ECDHE_RSA_WITH_AES_128_CBC_SHA',
    'ECDHE_RSA_WITH_AES_256_CBC_SHA ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 ECDHE_RSA_WITH_AES_128_CBC_SHA256',
    'ECDHE_RSA_WITH_AES_128_GCM_SHA256 ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    'ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 AES_128_GCM_SHA256 AES_256_GCM_SHA384 CHACHA20_POLY1305_SHA256',
  ]
    .join(' ')
    .split(' ')
    .map((suite) => `TLS_${suite}`),
);

const cipher: Reader<string> = (text) =>
  ciphers.has(text.toUpperCase())
    ? good(text.toUpperCase())
    : bad(
        `${printable(text, 60)} is no cipher suite that GoBetween knows`,
        'write for instance TLS_AES_128_GCM_SHA256',
      );

/** Where reading may never end: GoBetween reads under its one lock, so a pipe or a device there stops its whole API. */
const endless = /^\/(?:dev|proc|sys|(?:var\/)?run\/(?:systemd|initctl))(?:\/|$)/;

/** A file on the gateway; with --tls-dir only below the service's own folder. */
const path: Reader<string> = (text, rules) => {
  const read = plain(1024)(text, rules);
  if (!read.ok) return read;
  if (!text.startsWith('/') || text.endsWith('/') || /\/(?:\.{0,2})(?=\/|$)/.test(text)) {
    return bad(
      `${printable(text, 60)} is no plain absolute path`,
      'write the full path of the file, without . or .. in it',
    );
  }
  if (endless.test(text)) {
    return bad(
      `${printable(text, 60)} is no place for certificates and keys`,
      'write the path of a plain file',
    );
  }
  if (rules.tlsDir === null) return good(text);
  const { namespace, name } = keyPath(rules.key);
  const own = `${rules.tlsDir.replace(/\/+$/, '')}/${namespace}/${name}/`;
  return text.startsWith(own)
    ? good(text)
    : bad(
        `${printable(text, 60)} is not below ${own}, where this gateway lets the service's files be`,
        `put the file below ${own}`,
        'not-allowed',
      );
};

const acmeHost: Reader<string> = (text, rules) => {
  if (!rules.allowAcme) {
    return bad(
      'this gateway does not obtain certificates for services',
      'write cert_path and key_path, or ask for --allow-acme',
      'not-allowed',
    );
  }
  return isDnsName(text) && !text.includes('_')
    ? good(text.toLowerCase())
    : bad(`${printable(text, 60)} is no host name`, 'write a host name');
};

/** Exactly `allow|deny`, one blank, an address or network: anything else GoBetween refuses. */
const rule: Reader<string> = (text) => {
  const [verb = '', target = '', ...rest] = text.split(/\s+/);
  const known = verb.toLowerCase();
  if ((known !== 'allow' && known !== 'deny') || rest.length > 0 || target === '') {
    return bad(
      `${printable(text, 60)} is no rule`,
      'write allow or deny, a blank, and an IP address or network: allow 10.0.0.0/8',
    );
  }
  return canonicalAddress(target) !== null || isCidr(target)
    ? good(`${known} ${target}`)
    : bad(`${printable(target, 60)} is no IP address or network`, 'write for instance allow 10.0.0.0/8');
};

const file = textField(path);
const tlsCommon = {
  ciphers: listField(32, cipher),
  min_version: textField(oneOf(...tlsVersions)),
  max_version: textField(oneOf(...tlsVersions)),
  session_tickets: boolField,
};
const count = textField(integer(0, 999_999_999_999_999));

const schemas = {
  sni: {
    example: 'hostname_matching_strategy=exact unexpected_hostname_strategy=reject read_timeout=2s',
    fields: {
      hostname_matching_strategy: textField(oneOf('exact', 'regexp')),
      unexpected_hostname_strategy: textField(oneOf('default', 'reject', 'any')),
      read_timeout: textField(duration('1ms')),
    },
  },
  tls: {
    example: 'cert_path=/etc/gobetween/tls/web.crt key_path=/etc/gobetween/tls/web.key',
    fields: { acme_hosts: listField(64, acmeHost), cert_path: file, key_path: file, ...tlsCommon },
  },
  backends_tls: {
    example: 'ignore_verify=false root_ca_cert_path=/etc/gobetween/tls/ca.crt',
    fields: {
      ignore_verify: boolField,
      root_ca_cert_path: file,
      cert_path: file,
      key_path: file,
      ...tlsCommon,
    },
  },
  udp: {
    example: 'max_responses=1',
    fields: { max_requests: count, max_responses: count, transparent: boolField },
  },
  access: {
    example: 'default=deny rules="allow 10.0.0.0/8, allow 192.168.0.0/16"',
    fields: { default: textField(oneOf('allow', 'deny')), rules: listField(256, rule) },
  },
  proxy_protocol: {
    example: 'version=1',
    fields: { version: textField(oneOf('1')) },
  },
} satisfies Record<string, SectionSchema>;

export type SectionName = keyof typeof schemas;

/** Reads one section keyword and checks what its fields must agree on. */
export function section(name: SectionName): Reader<Section> {
  const schema: SectionSchema = schemas[name];
  return (text, rules) => {
    const keyword = `igw_gobtw_${name}`;
    const read = readSection(keyword, schema, text, rules);
    if (!read.ok) return read;
    const wrong = disagreement(name, read.value);
    return wrong === null ? read : bad(wrong, `write for instance: ${keyword} = ${schema.example}`);
  };
}

function disagreement(name: SectionName, fields: Section): string | null {
  const has = (field: string): boolean => fields[field] !== undefined;
  if (name === 'tls' && !(has('cert_path') && has('key_path')) && !isFilled(fields['acme_hosts'])) {
    return 'it wants cert_path and key_path';
  }
  if ((name === 'tls' || name === 'backends_tls') && has('cert_path') !== has('key_path')) {
    return 'cert_path and key_path go together';
  }
  const min = tlsVersions.findIndex((version) => version === fields['min_version']);
  const max = tlsVersions.findIndex((version) => version === fields['max_version']);
  if (min >= 0 && max >= 0 && min > max) return 'min_version is above max_version';
  return name === 'proxy_protocol' && !has('version') ? 'it wants a version' : null;
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
