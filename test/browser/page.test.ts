/** The status page in a real browser. Pictures are kept where PICTURES says. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { faults } from '../../src/cli/demo-faults.js';
import { openStage } from '../../src/cli/demo-stage.js';
import type { ServerName } from '../../src/model/server.js';
import { openTab, skip } from '../support/browser.js';
import { servePage } from '../support/page-server.js';
import { eventually } from '../support/world.js';

const many = Array.from({ length: 20_000 }, (_, i) => `svc-${String(i).padStart(5, '0')}`);

describe('the status page', { skip }, () => {
  test('with 20,000 exposures is usable within 2 s: shown, searched, scrolled to the end', async (t) => {
    const { address } = await servePage(t, many);
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { page, assertClean } = await openTab(t, address);
      const startedAt = performance.now();
      await page.goto(address);
      await page.locator('.row').first().waitFor();
      await page.locator('#search').fill('svc-19999');
      await page.locator('.row', { hasText: 'svc-19999' }).waitFor();
      times.push(performance.now() - startedAt);
      assert.match((await page.locator('#count').textContent()) ?? '', /^1 of 20000 exposures$/);
      await page.locator('#search').fill('');
      await page.locator('#count', { hasText: /^20000 exposures$/ }).waitFor(); // or the last row is the one that was found
      await page.locator('#table').focus();
      await page.keyboard.press('End');
      await page.locator('.row[aria-selected="true"]', { hasText: 'svc-19999' }).waitFor();
      assert.ok((await page.locator('.row').count()) < 100, 'only what is seen is in the document');
      assertClean();
      await page.close();
    }
    t.diagnostic(`usable after ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    assert.ok(Math.min(...times) <= 2000, `usable after ${times.join(', ')} ms`);
  });

  test('filters and keyboard: everything by hand on the keys, and it survives a reload', async (t) => {
    const { address, set } = await servePage(t, many.slice(0, 300));
    set('svc-00007', {
      state: 'held',
      code: 'port-conflict',
      why: 'port-conflict: svc-00001 has it',
      listen: '0.0.0.0:80',
    });
    set('svc-00008', { warnings: ['not-exposed'] });
    const { page, assertClean } = await openTab(t, address);
    await page.goto(address);
    await page.locator('.row').first().waitFor();
    await page.keyboard.press('/');
    assert.equal(await page.evaluate('document.activeElement.id'), 'search');
    await page.keyboard.type('conflict');
    await page.locator('.row', { hasText: 'svc-00007' }).waitFor();
    assert.equal(await page.locator('.row').count(), 1);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('#detail h2', { hasText: 'svc-00007' }).waitFor();
    assert.match(page.url(), /\?q=conflict&service=svc-00007$/);
    await page.reload();
    await page.locator('#detail h2', { hasText: 'svc-00007' }).waitFor();
    assert.equal(await page.locator('#search').inputValue(), 'conflict');
    await page.keyboard.press('Escape');
    await page.locator('#detail').waitFor({ state: 'hidden' });
    await page.locator('#search').fill('');
    await page.locator('#states button', { hasText: 'warned' }).click();
    await page.locator('.row', { hasText: 'svc-00008' }).waitFor();
    await eventually(async () => assert.equal(await page.locator('.row').count(), 1));
    await page.locator('#states button', { hasText: 'held' }).press('Enter');
    await eventually(async () => assert.equal(await page.locator('.row').count(), 2));
    assert.match(page.url(), /state=held%2Cwarned$/);
    await page.reload();
    await eventually(async () => assert.equal(await page.locator('.row').count(), 2));
    await page.getByRole('columnheader', { name: 'Listens on' }).click();
    await eventually(async () =>
      assert.match((await page.locator('.row').first().textContent()) ?? '', /svc-00007/),
    );
    for (const tab of ['Problems', 'Ports', 'Events']) await page.getByRole('button', { name: tab }).click();
    assertClean();
  });

  test('a name that is markup stays text, everywhere it is shown', async (t) => {
    const evil = '<img src=x onerror=alert(1)>';
    const { address, set } = await servePage(t, [evil, 'web']);
    const server = evil as ServerName;
    set(evil, { word: evil, why: `${evil}<script>alert(2)</script>`, server, state: 'held', code: null });
    const { page, assertClean } = await openTab(t, address);
    await page.goto(address);
    const row = page.locator('.row', { hasText: evil });
    await row.waitFor();
    await row.click();
    await page.locator('#detail h2', { hasText: evil }).waitFor();
    set(evil, { word: evil, why: `<b>again</b>`, state: 'spoiled' });
    await page.locator('.row', { hasText: '<b>again</b>' }).waitFor();
    await page.goto(`${address}/?q=${encodeURIComponent(evil)}&service=${encodeURIComponent(evil)}`);
    await row.waitFor();
    assert.equal(await page.locator('img, .row script, .row b').count(), 0);
    assertClean();
    const { headers } = await fetch(address);
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|\*|data:/);
  });

  test('follows the cluster: a change is on the screen within 1 s; a service in full; a fault and its mending', async (t) => {
    const stage = await openStage('test');
    t.after(() => stage.stop());
    const address = stage.address() ?? '';
    const { page, assertClean } = await openTab(t, address);
    await page.goto(address);
    await page.locator('.row', { hasText: 'web' }).first().waitFor();
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const startedAt = performance.now();
      stage.world.addService(`fresh${i}`, { bind: stage.cast.http, expose: [stage.cast.http], instances: 1 });
      await page
        .locator('.row', { hasText: `fresh${i}` })
        .locator('[data-state="serving"]')
        .waitFor();
      times.push(performance.now() - startedAt);
    }
    t.diagnostic(`on the screen after ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    assert.ok(Math.min(...times) <= 1000, `on the screen after ${times.join(', ')} ms`);
    await page.locator('.row', { hasText: 'shop/svc/api' }).click();
    const detail = page.locator('#detail');
    await detail.locator('.answer', { hasText: 'shop/svc/api is served on' }).waitFor();
    for (const text of ['Keywords', 'balance', 'roundrobin', 'History', 'created on', 'backend', 'live'])
      await detail.getByText(text, { exact: false }).first().waitFor();
    await detail.getByRole('button', { name: 'Try the listener' }).click();
    await detail.locator('li', { hasText: 'accepts connections' }).waitFor();
    faults['bad-keyword'].plant(stage);
    await page.locator('.row', { hasText: 'rundrobin' }).click();
    await detail.locator('.answer[data-state="broken"]', { hasText: 'rundrobin' }).waitFor();
    faults['bad-keyword'].mend(stage);
    await detail.locator('.answer[data-state="ok"]').first().waitFor();
    await page.getByRole('button', { name: 'Ports' }).click();
    await page.locator('#ports', { hasText: 'made-by-hand' }).waitFor();
    await page.getByRole('button', { name: 'Problems' }).click();
    await page.locator('#problems', { hasText: 'bad-word' }).waitFor();
    await page.getByRole('button', { name: 'Events' }).click();
    await page.locator('#events', { hasText: 'bad-keyword is over' }).waitFor();
    assertClean();
    if (process.env['PICTURES'] !== undefined) {
      mkdirSync(process.env['PICTURES'], { recursive: true });
      for (const [name, options] of Object.entries({
        light: {},
        dark: { dark: true },
        narrow: { width: 390, height: 844 },
      })) {
        const shot = await openTab(t, address, options);
        await shot.page.goto(address);
        await shot.page.locator('.row').first().waitFor();
        await shot.page.screenshot({ path: join(process.env['PICTURES'], `${name}.png`) });
        await shot.page.goto(`${address}/?service=typo`);
        await shot.page.locator('#detail .answer').first().waitFor();
        await shot.page.screenshot({ path: join(process.env['PICTURES'], `${name}-service.png`) });
        for (const tab of ['ports', 'problems', 'events']) {
          await shot.page.goto(`${address}/?tab=${tab}`);
          await shot.page.locator(`#${tab} > *`).first().waitFor();
          await shot.page.screenshot({ path: join(process.env['PICTURES'], `${name}-${tab}.png`) });
        }
      }
    }
  });

  test('says that it is not live when the janitor is gone, and is live again when it is back', async (t) => {
    const stage = await openStage('test');
    t.after(() => stage.stop());
    const { page } = await openTab(t, stage.address() ?? '');
    await page.goto(stage.address() ?? '');
    await page.locator('.row').first().waitFor();
    await stage.world.stopGoBetween();
    await page.locator('#health[data-health="gobetween-down"]').waitFor();
    await stage.world.startGoBetween();
    await page.locator('#health[data-health="attention"], #health[data-health="in-sync"]').waitFor();
    await stage.restartJanitor();
    await page.locator('#stale', { hasText: 'Not live since' }).waitFor();
  });
});
