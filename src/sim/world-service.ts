/**
 * The config of a service as an operator would write it: a scaler whose slaves each have one address, the exposed ports
 * the backends listen on, and the igw_gobtw keywords. Only what is named here is in the text.
 */
export interface ServiceSpec {
  /** Empty or absent: the root namespace. */
  readonly namespace?: string;
  /** The value of igw_gobtw_bind; absent leaves the keyword out. */
  readonly bind?: string;
  /** What the cluster DNS publishes and the backends listen on: `8080/tcp`. */
  readonly expose: readonly string[];
  /** Slaves of the scaler. */
  readonly instances: number;
  /** Where it lives; absent: on every node. */
  readonly nodes?: readonly string[];
  /** Further keywords of the env section. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How GoBetween follows backends in a world: as often as its rules allow, for nobody wants to wait for the defaults. */
const LIVELY: Readonly<Record<string, string>> = {
  igw_gobtw_discovery_interval: '500ms',
  igw_gobtw_discovery_timeout: '1s',
  igw_gobtw_healthcheck_interval: '500ms',
  igw_gobtw_healthcheck_timeout: '300ms',
};

export function servicePath(name: string, namespace = ''): string {
  return namespace === '' || namespace === 'root' ? name : `${namespace}/svc/${name}`;
}

/** `dnsPort` goes into the env section: a cluster's DNS list holds addresses only. */
export function serviceText(spec: ServiceSpec, dnsPort: number): string {
  const env = {
    ...(spec.bind === undefined ? {} : { igw_gobtw_bind: spec.bind }),
    dns_port: String(dnsPort),
    ...(spec.expose.every((word) => word.endsWith('/udp')) ? withoutHealthcheck(LIVELY) : LIVELY),
    ...spec.env,
  };
  return [
    '[DEFAULT]',
    ...(spec.nodes === undefined ? [] : [`nodes = ${spec.nodes.join(' ')}`]),
    `scale = ${spec.instances}`,
    '',
    '[ip#1]',
    'ipname = auto',
    'ipdev = lo',
    `expose = ${spec.expose.join(' ')}`,
    '',
    '[env]',
    ...Object.entries(env).map(([keyword, value]) => `${keyword} = ${value}`),
    '',
  ].join('\n');
}

function withoutHealthcheck(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).filter(([keyword]) => !keyword.includes('healthcheck')));
}
