import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runProgram, startProgram } from '../support/process.js';

describe('demo', () => {
  test('--check tries everything by itself and passes', async (t) => {
    const { code, stdout, stderr } = await runProgram(t, ['demo', '--check']);
    assert.equal(stderr, '');
    assert.equal(code, 0, stdout);
    const checks = stdout.split('\n').filter((line) => /^(ok {4}|FAILED)/.test(line));
    assert.ok(checks.length >= 12, stdout);
    assert.deepEqual(
      checks.filter((line) => line.startsWith('FAILED')),
      [],
    );
    assert.match(stdout, /all checks passed in \d+ s\n$/);
  });

  test('takes commands without a terminal, and goes on when its input ends', async (t) => {
    const demo = startProgram(t, ['demo']);
    await demo.line(/^web .*serving/);
    await demo.line(/^typo .*spoiled/);
    await demo.line(/^ {2}curl http:\/\/127\.0\.0\.1:\d+\/$/);
    demo.write('scale web 3');
    demo.write('nonsense');
    demo.write('add blog');
    demo.write('curl api');
    demo.write('conflict');
    await demo.line(/"nonsense" is no command/);
    await demo.line(/^web .* 3 live .*serving/);
    await demo.line(/^127\.0\.0\.1:\d+\/tcp: shop\/svc\/api@127\.[\d.]+ x3, shop\/svc\/api@127\.[\d.]+ x3$/);
    await demo.line(/^rival .*held$/);
    await demo.line(/^ {2}rival: +port-conflict: web has it$/);
    await demo.line(/^blog .* 2 live .*serving/);
    demo.write('bind blog 1/tcp');
    await demo.line(/^ {2}blog: +not-exposed: .*write expose = 1\/tcp/);
    demo.child.stdin?.end();
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(demo.child.exitCode, null);
    demo.signal('SIGTERM');
    assert.equal((await demo.exited).code, 0);
    assert.equal(demo.stderr(), '');
  });

  test('says the address of the status page, and plays faults: break, ask why, mend', async (t) => {
    const demo = startProgram(t, ['demo']);
    const line = await demo.line(/^the status page: http:\/\/127\.0\.0\.1:\d+\/$/);
    const page = await fetch(line.replace(/^.*: /, ''));
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<title>gobtw-janitor<\/title>/);
    demo.write('fault');
    await demo.line(/^ {2}dns-down +the DNS of the cluster says nothing$/);
    demo.write('fault bad-keyword');
    await demo.line(/^igw_gobtw_balance of web is misspelt; ask why: explain web; undo it: mend$/);
    await demo.line(/^web .*kept$/);
    demo.write('explain web');
    await demo.line(/^igw_gobtw_balance: rundrobin is none of .*/);
    await demo.line(/^ {2}BROKEN +keywords /);
    demo.write('mend');
    await demo.line(/^mended: bad-keyword$/);
    demo.write('mend');
    await demo.line(/^nothing is broken by a fault$/);
    demo.write('quit');
    assert.equal((await demo.exited).code, 0);
    assert.equal(demo.stderr(), '');
  });

  test('ends on quit', async (t) => {
    const demo = startProgram(t, ['demo']);
    demo.write('quit');
    assert.equal((await demo.exited).code, 0);
  });
});
