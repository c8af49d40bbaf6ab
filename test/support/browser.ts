/** A real browser for tests of the page: Debian's Chromium, driven by playwright-core. Absent: the tests say that they are skipped. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, type TestContext } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';

const places = [process.env['CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'];
const executablePath = places.find((path) => path !== '' && existsSync(path));

/** For `test(name, { skip }, …)`. */
export const skip =
  executablePath === undefined
    ? 'SKIPPED: no Chromium here (apt-get install chromium, or CHROMIUM=/path); the status page is not tested'
    : false;

let browser: Promise<Browser> | null = null;
after(async () => (await browser)?.close());

export interface Tab {
  readonly page: Page;
  /** Nothing went wrong in the browser, and nothing was asked of anybody else. */
  assertClean(): void;
}

export async function openTab(
  t: TestContext,
  address: string,
  options: { readonly dark?: boolean; readonly width?: number; readonly height?: number } = {},
): Promise<Tab> {
  assert.ok(executablePath !== undefined);
  browser ??= chromium.launch({ executablePath, headless: true });
  const context = await (await browser).newContext({
    colorScheme: options.dark === true ? 'dark' : 'light',
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
  });
  t.after(() => context.close());
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(address)) wrong.push(`asks ${request.url()}`);
  });
  return { page, assertClean: () => assert.deepEqual(wrong, []) };
}
