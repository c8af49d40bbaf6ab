/**
 * The faults that can be played in the demo, and in the tests of `explain`: each breaks one link of the chain from keyword to
 * backend. Invariant: `mend` does what `explain` says, and the chain holds
 * again.
 */
import type { World } from '../sim/world.js';
import type { Stage } from './demo-stage.js';
import { portOf } from './demo-ports.js';

export interface Fault {
  readonly doc: string;
  /** What to ask `explain` about, once it is broken. */
  readonly subject: (stage: Stage) => string;
  readonly plant: (stage: Stage) => unknown;
  readonly mend: (stage: Stage) => unknown;
}

/** A port that no expose line names. */
const unexposed = '18999/tcp';
const rival = 'rival';

/** The slaves of a scaler have configs of their own: they are made again from the new one. */
export function exposeAnew(world: World, path: string, expose: string): void {
  world.cluster.set(path, 'ip#1.expose', expose);
  world.scale(path, 0);
  world.scale(path, 2);
}

/** Of `web`, in its [env] section. */
function keyword(name: string, value: string): Pick<Fault, 'subject' | 'plant' | 'mend'> {
  const place = `env.igw_gobtw_${name}`;
  return {
    subject: ({ cast }) => cast.web,
    plant: ({ world, cast }) => world.cluster.set(cast.web, place, value),
    mend: ({ world, cast }) => world.cluster.unset(cast.web, place),
  };
}

export const faults = {
  'no-expose': {
    doc: `web asks for ${unexposed}, which no expose line publishes`,
    subject: ({ cast }) => cast.web,
    plant: ({ world, cast }) => world.setBind(cast.web, unexposed),
    mend: ({ world, cast }) => exposeAnew(world, cast.web, `${cast.http} ${unexposed}`),
  },
  'no-record': {
    doc: 'no instance of web is up, so the DNS has no record of it',
    subject: ({ cast }) => cast.web,
    plant: ({ world, cast }) => world.scale(cast.web, 0),
    mend: ({ world, cast }) => world.scale(cast.web, 2),
  },
  'dns-down': {
    doc: 'the DNS of the cluster says nothing',
    subject: ({ cast }) => cast.web,
    plant: ({ world }) => world.dns.setMode('silent'),
    mend: ({ world }) => world.dns.setMode('ok'),
  },
  'port-conflict': {
    doc: `a service "${rival}" asks for the port of web`,
    subject: () => rival,
    plant(stage) {
      const port = portOf(stage, stage.cast.web, 'tcp');
      if (port === null) return;
      const { http } = stage.cast;
      stage.world.addService(rival, { bind: `${http}-0.0.0.0:${port}`, expose: [http], instances: 1 });
    },
    mend: ({ world, cast }) => world.setBind(rival, cast.http),
  },
  'bad-keyword': {
    doc: 'igw_gobtw_balance of web is misspelt',
    ...keyword('balance', 'rundrobin'),
    mend: ({ world, cast }) => world.cluster.set(cast.web, 'env.igw_gobtw_balance', 'roundrobin'),
  },
  'unknown-keyword': {
    doc: 'web has igw_gobtw_max_conections, which is no keyword',
    ...keyword('max_conections', '100'),
  },
  elsewhere: { doc: 'web is for the gateway gw2 only', ...keyword('target_lb', 'gw2') },
  slave: {
    doc: 'asks about a slave of web, which its scaler stands for',
    subject: ({ cast }) => `0.${cast.web}`,
    plant: () => undefined,
    mend: () => undefined,
  },
  'reserved-port': {
    doc: "web asks for a port of the agent's",
    subject: ({ cast }) => cast.web,
    plant: ({ world, cast }) => world.setBind(cast.web, `${cast.http}-0.0.0.0:1215`),
    mend: ({ world, cast }) => world.setBind(cast.web, cast.http),
  },
  'gobetween-down': {
    doc: 'GoBetween is stopped',
    subject: ({ cast }) => cast.web,
    plant: ({ world }) => world.stopGoBetween(),
    mend: ({ world }) => world.startGoBetween(),
  },
  'agent-down': {
    doc: 'the OpenSVC agent is stopped',
    subject: ({ cast }) => cast.web,
    plant: ({ world }) => world.agent.stop(),
    mend: ({ world }) => world.agent.start(),
  },
  'foreign-holder': {
    doc: 'web asks for a port that a process has which is not ours',
    subject: ({ cast }) => cast.web,
    async plant({ world, cast }) {
      const port = await world.listenForeign();
      world.setBind(cast.web, `${cast.http}-0.0.0.0:${port}`);
    },
    mend: ({ world, cast }) => world.setBind(cast.web, cast.http),
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;

export function isFault(name: string | undefined): name is FaultName {
  return name !== undefined && Object.hasOwn(faults, name);
}
