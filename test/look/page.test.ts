import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { openSource } from '../../src/data/open-source.js';
import { look } from '../../src/look/index.js';
import { html } from '../../src/look/page/charts.js';
import { lookPage, writeLookPage } from '../../src/look/page/page.js';
import { Browser, skipBrowser } from '../support/chromium.js';
import { plant } from './planted.js';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'praxis-look-page-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

describe('the page of a look', () => {
  const file = path.join(scratch, 'look.html');
  before(async () => {
    const { folder } = await plant(path.join(scratch, 'trees & <b>'), 45, 1);
    const dataset = await openSource(folder);
    await writeLookPage(await look(dataset), dataset, file, { samples: 3 });
  });

  it('needs nothing from outside, and stays below 5 MB', () => {
    const page = readFileSync(file, 'utf8');
    assert.ok(page.length < 5e6);
    assert.doesNotMatch(page, /\b(src|href)="(?!data:|#)/, 'no address but its own');
    assert.doesNotMatch(page, /https?:\/\/|@import|url\(/);
    assert.match(page, /<title>trees &amp; &lt;b&gt;: a look at the data<\/title>/);
  });

  it('draws the same samples for the same seed', async () => {
    const dataset = await openSource(path.join(scratch, 'trees & <b>'));
    const report = await look(dataset, { quick: true });
    const drawn = async (seed: number) => lookPage(report, dataset, { samples: 2, seed });
    assert.equal(await drawn(1), await drawn(1));
    assert.notEqual(await drawn(1), await drawn(2));
  });

  it('names are text, not markup', () =>
    assert.equal(html('<img src="x">\u0007'), '&lt;img src=&quot;x&quot;&gt;\ufffd'));

  it('opens in a browser without an error, shows its pictures, fits a phone, and is searched', {
    skip: skipBrowser,
  }, async () => {
    const browser = await Browser.start();
    try {
      for (const options of [{ width: 1280 }, { width: 390, mobile: true, dark: true }]) {
        const page = await browser.page(options);
        await page.goto(pathToFileURL(file).href);
        const shown = await page.evaluate<{ pictures: number; broken: number; overflow: number }>(`(async () => {
          const pictures = [...document.images];
          for (const picture of pictures) picture.loading = 'eager';
          await Promise.all(pictures.map((picture) => picture.decode().catch(() => undefined)));
          return {
            pictures: pictures.length,
            broken: pictures.filter((picture) => picture.naturalWidth === 0).length,
            overflow: document.documentElement.scrollWidth - window.innerWidth,
          };
        })()`);
        assert.ok(shown.pictures > 25, `${shown.pictures} pictures`);
        assert.equal(shown.broken, 0);
        assert.ok(shown.overflow <= 0, `${shown.overflow} pixels too wide at ${options.width}`);
        assert.deepEqual(page.troubles, []);
      }
      const page = await browser.page();
      await page.goto(pathToFileURL(file).href);
      await page.press('/');
      for (const key of 'blurry') await page.press(key);
      await page.until(`/^[1-9]\\d* shown$/.test(document.getElementById('found').textContent)`);
      const names = await page.evaluate<string[]>(
        `[...document.querySelectorAll('figure')].filter((one) => one.offsetParent !== null).map((one) => one.title)`,
      );
      assert.ok(names.length > 0 && names.every((name) => name.endsWith('/blurry-0.jpg')), names.join(', '));
      await page.press('Escape');
      assert.ok(
        (await page.evaluate<number>(
          `[...document.querySelectorAll('figure')].filter((one) => one.offsetParent !== null).length`,
        )) > 25,
      );
    } finally {
      await browser.close();
    }
  });
});
