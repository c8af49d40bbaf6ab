/**
 * Certificates and keys from files, with the errors of Go's tls.LoadX509KeyPair, and Go's names of versions and
 * cipher suites in OpenSSL's words. Source: utils/tls/tls.go; reference/gobetween-rest.md §2.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
  createSecureContext,
} from 'node:tls';
import type { BackendsTlsConfig, TlsCommon, TlsConfig } from './config.js';

export type Loaded = { readonly context: SecureContext } | { readonly error: string };

type File = { readonly text: string } | { readonly error: string };

const ERRNO: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
};

function readText(path: string): File {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    return { error: `${code === 'EISDIR' ? 'read' : 'open'} ${path}: ${ERRNO[code] ?? code}` };
  }
}

const pemTypes = (text: string): string[] =>
  [...text.matchAll(/^-----BEGIN ([^\n]*?)-----\s*$[\s\S]*?^-----END \1-----/gm)].map((m) => m[1] ?? '');

function pairProblem(cert: string, key: string): string | null {
  const [certTypes, keyTypes] = [pemTypes(cert), pemTypes(key)];
  const isKey = (type: string): boolean => type.endsWith('PRIVATE KEY');
  if (!certTypes.includes('CERTIFICATE')) {
    if (certTypes.length === 0) return 'tls: failed to find any PEM data in certificate input';
    if (certTypes.length === 1 && isKey(certTypes[0] ?? '')) {
      return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
    }
    return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${certTypes.join(' ')}]`;
  }
  if (!keyTypes.some(isKey)) {
    if (keyTypes.length === 0) return 'tls: failed to find any PEM data in key input';
    if (keyTypes.length === 1 && keyTypes[0] === 'CERTIFICATE') {
      return 'tls: found a certificate rather than a key in the PEM for the private key';
    }
    return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${keyTypes.join(' ')}]`;
  }
  try {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return null;
  } catch {
    return 'tls: failed to parse private key';
  }
  return 'tls: private key does not match public key';
}

function loadPair(certPath: string, keyPath: string): { cert: string; key: string } | { error: string } {
  const cert = readText(certPath);
  if ('error' in cert) return cert;
  const key = readText(keyPath);
  if ('error' in key) return key;
  const problem = pairProblem(cert.text, key.text);
  return problem === null ? { cert: cert.text, key: key.text } : { error: problem };
}

/** The context with which a server terminates TLS. ACME is not here: `acme_hosts` alone fails on the empty path. */
export function loadServerTls(config: TlsConfig): Loaded {
  const pair = loadPair(config.cert_path, config.key_path);
  if ('error' in pair) return pair;
  return { context: createSecureContext({ ...pair, ...common(config.tlsCommon) }) };
}

/** The context with which backends are called. A CA file without certificates is accepted and ignored. */
export function loadBackendsTls(config: BackendsTlsConfig): Loaded {
  let options: SecureContextOptions = common(config.tlsCommon);
  if (config.cert_path !== null && config.key_path !== null) {
    const pair = loadPair(config.cert_path, config.key_path);
    if ('error' in pair) return pair;
    options = { ...options, ...pair };
  }
  if (config.root_ca_cert_path !== null) {
    const ca = readText(config.root_ca_cert_path);
    if ('error' in ca) return ca;
    // Go's code returns no configuration at all when nothing in the file is a certificate.
    if (!pemTypes(ca.text).includes('CERTIFICATE')) return { context: createSecureContext({}) };
    options = { ...options, ca: ca.text };
  }
  return { context: createSecureContext(options) };
}

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  tls1: 'TLSv1',
  'tls1.1': 'TLSv1.1',
  'tls1.2': 'TLSv1.2',
  'tls1.3': 'TLSv1.3',
};

const ALWAYS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

const SUITES: Readonly<Record<string, string>> = {
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
};

/** Names that nobody knows are dropped without a word; the suites of TLS 1.3 cannot be chosen. */
function common(config: TlsCommon): SecureContextOptions {
  const known = (config.ciphers ?? []).flatMap((name) => SUITES[name] ?? []);
  const min = VERSIONS[config.min_version];
  const max = VERSIONS[config.max_version];
  return {
    ...(known.length > 0 ? { ciphers: [...known, ALWAYS].join(':') } : {}),
    minVersion: min ?? 'TLSv1.2',
    ...(max === undefined ? {} : { maxVersion: max }),
  };
}
