/** The services that the demo begins with: one of each kind of wish, so that the first table shows what there is to see. */
import type { World } from '../sim/world.js';

export interface Cast {
  /** What the http backends listen on, as the word of a bind names it: `8080/tcp`. */
  readonly http: string;
  /** An allocated port. */
  readonly web: string;
  /** An explicit one, in a namespace. */
  readonly api: string;
  /** An allocated udp port. */
  readonly echo: string;
  /** Another gateway's. */
  readonly admin: string;
  /** A word that cannot be read. */
  readonly typo: string;
  /** A server in GoBetween that is none of the janitor's, and where it listens. */
  readonly foreign: string;
  readonly foreignListen: string;
}

/** Creates the services, and a server made by hand in GoBetween. */
export async function createCast(world: World): Promise<Cast> {
  const { ports } = world;
  const httpPort = await ports.prefer(8080);
  const udpPort = await ports.prefer(5353);
  const http = `${httpPort}/tcp`;
  const udp = `${udpPort}/udp`;
  const foreign = 'made-by-hand';
  const foreignListen = `127.0.0.1:${ports.take()}`;
  await world.addForeign(foreign, {
    protocol: 'tcp',
    bind: foreignListen,
    discovery: { kind: 'static', static_list: [`127.0.0.1:${httpPort}`] },
  });
  return {
    http,
    web: world.addService('web', {
      bind: http,
      expose: [http],
      instances: 2,
      env: { igw_gobtw_balance: 'roundrobin' },
    }),
    api: world.addService('api', {
      namespace: 'shop',
      bind: `${http}-127.0.0.1:${ports.take()}`,
      expose: [http],
      instances: 2,
      env: { igw_gobtw_balance: 'roundrobin' },
    }),
    echo: world.addService('echo', { bind: udp, expose: [udp], instances: 2 }),
    admin: world.addService('admin', {
      bind: `${http}-127.0.0.1:${ports.take()}`,
      expose: [http],
      instances: 1,
      env: { igw_gobtw_target_lb: 'gw2' },
    }),
    typo: world.addService('typo', { bind: `${http}-${httpPort}`, expose: [http], instances: 1 }),
    foreign,
    foreignListen,
  };
}
