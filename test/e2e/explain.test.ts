/** The planted faults of the demo: `explain` names the cause, and what it says to do mends it. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { exposeAnew, type Fault, type FaultName, faults } from '../../src/cli/demo-faults.js';
import { openStage, type Stage } from '../../src/cli/demo-stage.js';
import type { Step } from '../../src/operator/evidence.js';
import type { Explained } from '../../src/operator/subjects.js';
import { eventually } from '../support/world.js';

interface Expected {
  /** The link that breaks. */
  readonly step: Step;
  readonly answer: RegExp;
  readonly mend: RegExp;
  /** Does what `mend` says; its groups are what the text told. */
  readonly follow: (stage: Stage, told: readonly string[]) => unknown;
}

const expected: Readonly<Record<FaultName, Expected>> = {
  'no-expose': {
    step: 'record',
    answer: /no expose line publishes 18999\/tcp, so GoBetween finds no backend/,
    mend: /^write expose = (\S+) in the service's ip resource$/,
    follow: ({ world, cast }, [label = '']) => exposeAnew(world, cast.web, `${cast.http} ${label}`),
  },
  'no-record': {
    step: 'record',
    answer:
      /the DNS has no record _\d+\._tcp\.web\.root\.svc\.demo\. .*no instance of web .* is up; dig \+tcp @/,
    mend: /^start the service \(om web start\)/,
    follow: ({ world, cast }) => world.scale(cast.web, 2),
  },
  'dns-down': {
    step: 'record',
    answer: /the DNS server 127\.0\.0\.1:\d+ does not answer \(timeout\) over tcp: dig \+tcp @127\.0\.0\.1/,
    mend: /^start the cluster's DNS/,
    follow: ({ world }) => world.dns.setMode('ok'),
  },
  'port-conflict': {
    step: 'port',
    answer: /tcp port \d+ is held by web \(since .*\)/,
    mend: /change this word to another port or to (\S+) \(allocated\)/,
    follow: ({ world }, [word = '']) => world.setBind('rival', word),
  },
  'bad-keyword': {
    step: 'keywords',
    answer: /igw_gobtw_balance: .*rundrobin/,
    mend: /\b(roundrobin)\b/,
    follow: ({ world, cast }, [value = '']) => world.cluster.set(cast.web, 'env.igw_gobtw_balance', value),
  },
  'unknown-keyword': {
    step: 'keywords',
    answer: /igw_gobtw_max_conections/,
    mend: /\b(igw_gobtw_max_connections)\b/,
    follow({ world, cast }, [name = '']) {
      world.cluster.unset(cast.web, 'env.igw_gobtw_max_conections');
      world.cluster.set(cast.web, `env.${name}`, '100');
    },
  },
  elsewhere: {
    step: 'gateway',
    answer: /igw_gobtw_target_lb = gw2 names other gateways, and this one is gw1/,
    mend: /^add (\S+) to igw_gobtw_target_lb/,
    follow: ({ world, cast }, [name = '']) =>
      world.cluster.set(cast.web, 'env.igw_gobtw_target_lb', `gw2 ${name}`),
  },
  slave: {
    step: 'gateway',
    answer: /0\.web is a slave of a scaler: its scaler is exposed/,
    mend: /gobtw-janitor explain (\S+)$/,
    follow: () => undefined,
  },
  'reserved-port': {
    step: 'port',
    answer: /tcp port 1215 is reserved on this gateway/,
    mend: /for an allocated one: (\S+)$/,
    follow: ({ world, cast }, [word = '']) => world.setBind(cast.web, word),
  },
  'gobetween-down': {
    step: 'gobetween',
    answer: /GoBetween at http:\S+ unreachable/,
    mend: /^start GoBetween/,
    follow: ({ world }) => world.startGoBetween(),
  },
  'agent-down': {
    step: 'agent',
    answer: /the OpenSVC agent: .*; every change since then is unknown here/,
    mend: /^start the agent on this node/,
    follow: ({ world }) => world.agent.start(),
  },
  'foreign-holder': {
    step: 'port',
    answer: /taken by a (process|server or process) that is not ours/,
    mend: /ask for another (one|port)/,
    follow: ({ world, cast }) => world.setBind(cast.web, cast.http),
  },
};

async function open(t: TestContext): Promise<Stage> {
  const stage = await openStage('test');
  t.after(() => stage.stop());
  await eventually(async () => assert.deepEqual(brokenOf(await explain(stage, stage.cast.web)), []));
  return stage;
}

async function explain(stage: Stage, subject: string): Promise<Explained> {
  const query = `subject=${encodeURIComponent(subject)}&try=listener`;
  const answer = await fetch(`${stage.address() ?? ''}/api/v1/explain?${query}`);
  assert.equal(answer.status, 200);
  return (await answer.json()) as Explained;
}

function brokenOf({ explanations }: Explained): readonly string[] {
  return explanations.flatMap(({ links }) =>
    links.filter(({ state }) => state === 'broken').map(({ step, says }) => `${step}: ${says}`),
  );
}

/** The first link that is broken, else the first that warns. */
function blamed({ explanations }: Explained): string | undefined {
  const links = explanations.flatMap((each) => each.links);
  const found =
    links.find(({ state }) => state === 'broken') ?? links.find(({ state }) => state === 'warning');
  return found?.step;
}

describe('explain names the cause and a mending that mends', () => {
  for (const [name, { step, answer, mend, follow }] of Object.entries(expected)) {
    test(name, async (t) => {
      const fault: Fault = faults[name as FaultName];
      const stage = await open(t);
      await fault.plant(stage);
      let told: readonly string[] = [];
      await eventually(async () => {
        const explained = await explain(stage, fault.subject(stage));
        assert.equal(blamed(explained), step, JSON.stringify(explained, null, 1));
        assert.match(explained.answer, answer);
        assert.match(explained.mend, mend);
        told = mend.exec(explained.mend)?.slice(1) ?? [];
      }, 20_000);
      await follow(stage, told);
      const subject = name === 'slave' ? (told[0] ?? '') : fault.subject(stage);
      await eventually(async () => {
        const explained = await explain(stage, subject);
        assert.deepEqual(brokenOf(explained), []);
        assert.equal(blamed(explained), undefined, explained.answer);
        assert.match(explained.answer, / is served on /);
      }, 30_000);
    });
  }

  test('and every fault of the demo is one of them', () => {
    assert.deepEqual(Object.keys(expected).sort(), Object.keys(faults).sort());
    assert.equal(Object.keys(faults).length, 12);
  });
});

describe('explain answers', () => {
  test('about a port, a server, a foreign server, a code, and about what does not exist', async (t) => {
    const stage = await open(t);
    const row = stage.rowsOf(stage.cast.web)[0];
    const port = row?.listen?.replace(/^.*:/, '') ?? '';
    const ofPort = await explain(stage, port);
    assert.equal(ofPort.kind, 'port');
    assert.match(ofPort.answer, /^tcp is held by web/);
    const ofServer = await explain(stage, row?.server ?? '');
    assert.equal(ofServer.kind, 'server');
    assert.match(ofServer.answer, /^web is served on/);
    assert.match(
      (await explain(stage, stage.cast.foreign)).answer,
      /is not the janitor's: it is never touched/,
    );
    assert.match((await explain(stage, 'port-conflict')).answer, /^Another service of this gateway/);
    assert.match((await explain(stage, 'nosuch')).answer, /the agent lists no service nosuch/);
    assert.match((await explain(stage, 'api')).answer, /^shop\/svc\/api is served on/);
    assert.match((await explain(stage, '1215')).answer, /reserved on this gateway/);
    assert.match((await explain(stage, 'no service // at all')).answer, /is no path of a service/);
    assert.match(
      (await explain(stage, '4')).answer,
      /nothing of GoBetween listens on port 4; no word asks for it/,
    );
  });
});
