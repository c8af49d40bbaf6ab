/** The commands that a person types while the demo runs. Each does one thing to the world and says what to look for. */
import { askMany, type Reply } from '../sim/world-traffic.js';
import { type Fault, type FaultName, faults, isFault } from './demo-faults.js';
import { portOf } from './demo-ports.js';
import type { Stage } from './demo-stage.js';
import { listenPort } from './demo-table.js';
import type { Explained } from '../operator/subjects.js';
import { renderExplained } from './explain.js';
import { renderTable, wrapText } from './render-table.js';

export type CommandResult =
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'table' }
  | { readonly kind: 'quit' };

interface Command {
  readonly usage: string;
  readonly doc: string;
  run(stage: Stage, args: readonly string[], columns: number | null): Promise<CommandResult> | CommandResult;
}

const said = (text: string): CommandResult => ({ kind: 'said', text });
const RIVAL = 'rival';
/** The fault that was played last on each stage. */
const planted = new WeakMap<Stage, FaultName>();

const commands: Readonly<Record<string, Command>> = {
  scale: {
    usage: 'scale NAME N',
    doc: 'give the service N instances; the listener stays',
    run(stage, [name, count]) {
      const path = findService(stage, name);
      if (path === null) return noService(stage, name);
      if (!/^\d{1,2}$/.test(count ?? '')) return said('scale NAME N: N is a number from 0 to 99');
      stage.world.scale(path, Number(count));
      return said(
        `${path} is scaled to ${count}: GoBetween finds the instances in the DNS, nothing is replaced`,
      );
    },
  },
  bind: {
    usage: 'bind NAME WORDS',
    doc: 'change igw_gobtw_bind',
    run(stage, [name, ...words]) {
      const path = findService(stage, name);
      if (path === null) return noService(stage, name);
      if (words.length === 0)
        return said(`${path} has igw_gobtw_bind = ${stage.world.bindOf(path) ?? '(none)'}`);
      stage.world.setBind(path, words.join(' '));
      return said(`${path}: igw_gobtw_bind = ${words.join(' ')}`);
    },
  },
  conflict: {
    usage: 'conflict',
    doc: `let a service "${RIVAL}" ask for the port of web; remove ${RIVAL} or web to end it`,
    run(stage) {
      const port = portOf(stage, stage.cast.web, 'tcp');
      if (port === null) return said('web listens nowhere now, so nothing can be in its way');
      const { http } = stage.cast;
      if (stage.world.has(RIVAL)) stage.world.remove(RIVAL);
      stage.world.addService(RIVAL, { bind: `${http}-0.0.0.0:${port}`, expose: [http], instances: 1 });
      return said(`${RIVAL} asks for 0.0.0.0:${port} too: who holds a port keeps it`);
    },
  },
  restart: {
    usage: 'restart',
    doc: 'restart GoBetween, which forgets every server',
    async run(stage) {
      await stage.world.restartGoBetween();
      return said('GoBetween came back empty: everything is pushed again');
    },
  },
  add: {
    usage: 'add NAME [PORT]',
    doc: 'a new service, on an allocated port or on PORT',
    run(stage, [name, port]) {
      if (name === undefined || !/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
        return said('add NAME [PORT]: NAME is lower case letters, digits and dashes');
      }
      if (stage.world.has(name)) return said(`${name} exists already`);
      if (port !== undefined && !/^\d{1,5}$/.test(port)) return said('add NAME [PORT]: PORT is a number');
      const { http } = stage.cast;
      const bind = port === undefined ? http : `${http}-0.0.0.0:${port}`;
      stage.world.addService(name, {
        bind,
        expose: [http],
        instances: 2,
        env: { igw_gobtw_balance: 'roundrobin' },
      });
      return said(`${name}: igw_gobtw_bind = ${bind}`);
    },
  },
  remove: {
    usage: 'remove NAME',
    doc: 'delete the service',
    run(stage, [name]) {
      const path = findService(stage, name);
      if (path === null) return noService(stage, name);
      stage.world.remove(path);
      return said(`${path} is deleted`);
    },
  },
  curl: {
    usage: 'curl NAME',
    doc: 'six requests through the gateway, and who answered',
    async run(stage, [name]) {
      const path = findService(stage, name);
      if (path === null) return noService(stage, name);
      const lines: string[] = [];
      for (const row of stage.rowsOf(path)) {
        const port = listenPort(row);
        if (row.server === null || port === null) continue;
        const replies = await askMany(port, 6, row.proto);
        lines.push(`${row.listen ?? ''}/${row.proto}: ${tally(replies)}`);
      }
      return said(lines.length === 0 ? `${path} listens nowhere now` : lines.join('\n'));
    },
  },
  fault: {
    usage: 'fault NAME',
    doc: 'break something; without NAME: what can be broken',
    async run(stage, [name], columns) {
      if (!isFault(name)) {
        const lines = Object.entries(faults).map(([each, { doc }]) => [each, doc]);
        return said(renderTable(lines, { width: columns, overflow: 'wrap', indent: 2 }));
      }
      const fault: Fault = faults[name];
      await fault.plant(stage);
      planted.set(stage, name);
      return said(`${fault.doc}; ask why: explain ${fault.subject(stage)}; undo it: mend`);
    },
  },
  mend: {
    usage: 'mend',
    doc: 'undo the last fault',
    async run(stage) {
      const name = planted.get(stage);
      if (name === undefined) return said('nothing is broken by a fault');
      const fault: Fault = faults[name];
      await fault.mend(stage);
      planted.delete(stage);
      return said(`mended: ${name}`);
    },
  },
  explain: {
    usage: 'explain WHAT',
    doc: 'where the chain breaks: of a service, a server, a port or a code',
    async run(stage, [subject], columns) {
      if (subject === undefined) return said('explain what? for instance: explain web');
      const answer = await fetch(
        `${stage.address() ?? ''}/api/v1/explain?subject=${encodeURIComponent(subject)}&try=listener`,
      );
      return said(renderExplained((await answer.json()) as Explained, { columns, colour: false }).trimEnd());
    },
  },
  table: { usage: 'table', doc: 'print the table again', run: () => ({ kind: 'table' }) },
  help: { usage: 'help', doc: 'this list', run: (stage, _args, columns) => said(helpText(stage, columns)) },
  quit: { usage: 'quit', doc: 'stop everything', run: () => ({ kind: 'quit' }) },
};

/** Runs one typed line. An unknown or wrong command says so and changes nothing. */
export async function runCommand(
  stage: Stage,
  line: string,
  columns: number | null = null,
): Promise<CommandResult> {
  const [verb = '', ...args] = line.trim().split(/\s+/);
  if (verb === '') return said('');
  const command = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
  if (command === undefined) return said(`"${verb}" is no command; type help`);
  return command.run(stage, args, columns);
}

/** `columns` of the terminal; null for a pipe. */
export function helpText(stage: Stage, columns: number | null): string {
  const { http } = stage.cast;
  const example = `for instance: scale web 4 | bind web ${http}-0.0.0.0:${stage.spare} | add blog | conflict`;
  const lines = Object.values(commands).map(({ usage, doc }) => [usage, doc]);
  const width = columns ?? Number.POSITIVE_INFINITY;
  return [
    renderTable(lines, { width: columns, overflow: 'wrap', indent: 2 }),
    ...wrapText(example, width),
  ].join('\n');
}

/** `0.web@127.64.0.1 x3, 1.web@127.64.0.2 x3`, failures by their reason. */
export function tally(replies: readonly Reply[]): string {
  const counts = new Map<string, number>();
  for (const reply of replies) {
    const who = reply.ok ? reply.who : reply.why;
    counts.set(who, (counts.get(who) ?? 0) + 1);
  }
  return [...counts].map(([who, count]) => `${who} x${count}`).join(', ');
}

/** A path, or the bare name of a service in a namespace. */
function findService(stage: Stage, name: string | undefined): string | null {
  return stage.world.services().find((path) => path === name || path.endsWith(`/${name ?? ''}`)) ?? null;
}

function noService(stage: Stage, name: string | undefined): CommandResult {
  const asked = name === undefined ? 'which service?' : `there is no service ${name};`;
  return said(`${asked} there are ${stage.world.services().join(', ')}`);
}
