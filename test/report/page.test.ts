/** The page of a report in a real browser: on a phone and on a desk, light and dark, with the pointer and with the keyboard. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { readRun } from '../../src/report/run-files.js';
import { reportOf } from '../../src/report/write.js';
import { Browser, type BrowserPage, skipBrowser } from '../support/chromium.js';
import { temporaryFolder } from '../train/runs.js';
import { syntheticRun } from './synthetic.js';

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const boxOf = (page: BrowserPage, selector: string): Promise<Box> =>
  page.evaluate<Box>(`(async () => {
    const element = document.querySelector(${JSON.stringify(selector)});
    element.scrollIntoView({ block: 'center', behavior: 'instant' });
    // Scrolling takes the tip away, a frame later.
    for (let i = 0; i < 2; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
    const { left, top, width, height } = element.getBoundingClientRect();
    return { left, top, width, height };
  })()`);

const tipOf = (page: BrowserPage): Promise<string> =>
  page.evaluate<string>(`document.querySelector('.tip').hidden ? '' : document.querySelector('.tip').innerText`);

async function pointAt(page: BrowserPage, x: number, y: number): Promise<void> {
  await page.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
}

async function clickAt(page: BrowserPage, x: number, y: number): Promise<void> {
  const common = { x, y, button: 'left', clickCount: 1 };
  await page.send('Input.dispatchMouseEvent', { type: 'mousePressed', ...common });
  await page.send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...common });
}

const stateOf = (page: BrowserPage): Promise<Record<string, string>> =>
  page.evaluate(`({ ...document.getElementById('chart-matrix').dataset })`);

describe('the page of a report', { skip: skipBrowser }, () => {
  const place = temporaryFolder();
  const many = path.join(place, 'many.html');
  const few = path.join(place, 'few.html');
  let browser: Browser;
  before(async () => {
    for (const [file, classes] of [
      [many, 102],
      [few, 4],
    ] as const) {
      const folder = syntheticRun(path.join(place, `run-${classes}`), {
        classes,
        each: classes > 50 ? 10 : 40,
        skill: 1.5,
      });
      fs.copyFileSync(await jpeg(place), path.join(folder, 'samples.jpg'));
      const rates = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1];
      const suggestions = { steepest: 1e-3, valley: 1e-3, minimum: 1e-3, highest: 2e-2 };
      fs.writeFileSync(
        path.join(folder, 'range-test.json'),
        JSON.stringify({ rates: [rates], losses: [[2, 1.9, 1.2, 1, 'Infinity']], suggestions, complete: true }),
      );
      const { html } = await reportOf(await readRun(folder));
      fs.writeFileSync(file, html);
    }
    browser = await Browser.start();
  });
  after(async () => {
    await browser?.close();
    fs.rmSync(place, { recursive: true, force: true });
  });

  it('opens without an error, fits, asks for nothing and stays below 5 MB', async () => {
    for (const file of [many, few])
      for (const options of [
        { width: 1440 },
        { width: 1440, dark: true },
        { width: 390, height: 844, mobile: true },
        { width: 390, height: 844, mobile: true, dark: true },
      ]) {
        const page = await browser.page(options);
        await page.goto(pathToFileURL(file).href);
        await page.until(`document.documentElement.dataset.ready === 'true'`);
        const seen = await page.evaluate<{ overflow: number; requests: number; charts: number; ground: string }>(`({
          overflow: document.documentElement.scrollWidth - window.innerWidth,
          requests: performance.getEntriesByType('resource').filter(({ name }) => !name.startsWith('data:')).length,
          charts: document.querySelectorAll('.plot svg, #chart-matrix canvas').length,
          ground: getComputedStyle(document.body).backgroundColor,
        })`);
        assert.ok(seen.overflow <= 0, `${seen.overflow} pixels too wide at ${options.width}`);
        assert.equal(seen.requests, 0);
        assert.equal(seen.charts, 9);
        assert.equal(seen.ground === 'rgb(21, 21, 23)', options.dark === true);
        assert.deepEqual(page.troubles, []);
      }
    assert.ok(fs.statSync(many).size < 5e6);
  });

  it('curves answer the pointer and the arrow keys with the values of their JSON', async () => {
    const page = await browser.page({ width: 1440 });
    await page.goto(pathToFileURL(few).href);
    const box = await boxOf(page, '#chart-loss .plot');
    await pointAt(page, box.left + box.width / 2, box.top + box.height / 2);
    assert.match(await tipOf(page), /^epoch \d+.*\ntraining[\d.]+\nvalidation[\d.]+$/);
    await page.evaluate(`document.querySelector('#chart-loss .plot').focus({ preventScroll: true })`);
    await page.press('Home');
    await page.press('ArrowRight');
    const [training, validation] = await page.evaluate<number[]>(
      `[report.curves.trainLoss[1], report.curves.validationLoss[1]]`,
    );
    const short = (x = Number.NaN) => Number(x.toPrecision(3)).toString();
    assert.equal(
      (await tipOf(page)).replaceAll(/\s/g, ''),
      `epoch2training${short(training)}validation${short(validation)}`,
    );
    await page.press('Escape');
    assert.equal(await tipOf(page), '');
    assert.deepEqual(
      await page.evaluate<string[]>(
        `[...document.querySelectorAll('#chart-loss .mark-label')].map((one) => one.textContent)`,
      ),
      ['falls behind after 8', 'chosen: epoch 9'],
    );
    // A line can be taken away, the last one cannot.
    for (const [name, left] of [
      ['training', 1],
      ['validation', 1],
    ] as const) {
      await page.evaluate(
        `[...document.querySelectorAll('#chart-loss .legend button')].find((one) => one.textContent === '${name}').click()`,
      );
      assert.equal(await page.evaluate<number>(`document.querySelectorAll('#chart-loss path.line').length`), left);
    }
    for (const id of [
      'chart-accuracy',
      'chart-rate',
      'chart-range',
      'chart-steps',
      'chart-gradient',
      'chart-reliability',
      'chart-coverage',
    ]) {
      await page.evaluate(`document.querySelector('#${id} .plot').focus()`);
      await page.press('End');
      assert.notEqual(await tipOf(page), '', id);
      await page.press('Escape');
    }
    assert.deepEqual(page.troubles, []);
  });

  it('says what it learned by heart, in which classes, and what to try first', async () => {
    const page = await browser.page({ width: 390, height: 844, mobile: true });
    await page.goto(pathToFileURL(few).href);
    const texts = (selector: string) =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll('#overfitting ${selector}')].map((one) => one.textContent.replaceAll('\u00a0', ' '))`,
      );
    const rows = await page.evaluate<string[]>(
      `report.overfitting.classes.gaps.map(({ name, train, validation, gap }) => name + percent(train) + percent(validation) + (gap > 0 ? '+' : '−') + Math.abs(100 * gap).toFixed(1))`,
    );
    assert.deepEqual(await texts('.sortable tbody tr'), rows);
    assert.match((await texts('.card > p'))[0] as string, /^After epoch 8 the validation fell behind the training: /);
    assert.match((await texts('ol.remedies li'))[0] as string, /^measure it praxis ablate/);
    const { samples, count } = await page.evaluate<{ samples: { name: string }[]; count: number }>(
      `report.overfitting.memorised`,
    );
    assert.ok(count > 0);
    assert.deepEqual(
      (await texts('table:not(.sortable) tbody td:first-child')).sort(),
      samples.map(({ name }) => name).sort(),
    );
    // Nothing is cut off at the side.
    assert.ok(
      await page.evaluate<boolean>(
        `[...document.querySelectorAll('#overfitting .sortable')].every((one) => one.scrollWidth <= one.parentElement.clientWidth)`,
      ),
    );
    assert.deepEqual(page.troubles, []);
  });

  it('the matrix of 102 classes is read by pointer, keyboard and zoom', async () => {
    const page = await browser.page({ width: 1440, height: 1000 });
    await page.goto(pathToFileURL(many).href);
    await page.until(`document.documentElement.dataset.ready === 'true'`);
    const whole = await stateOf(page);
    // Every class has its name, in letters of 8 pixels or more, when all are shown.
    assert.ok(Number(whole.cell) >= 7, whole.cell);
    assert.equal(whole.labels, '102');
    const box = await boxOf(page, '#chart-matrix canvas');
    const first = await page.evaluate<{ target: number; predicted: number; count: number }>(`figures.confusions[0]`);
    const classes = await page.evaluate<string[]>(`report.data.classes`);
    const place = await page.evaluate<number[]>(
      `[figures.order.indexOf(${first.target}), figures.order.indexOf(${first.predicted})]`,
    );
    const side = Number(whole.cell) * 102;
    const [row, column] = place as [number, number];
    await pointAt(
      page,
      box.left + box.width - side + (column + 0.5) * Number(whole.cell),
      box.top + box.height - side + (row + 0.5) * Number(whole.cell),
    );
    const wanted = `${classes[first.target]} taken for ${classes[first.predicted]}`;
    assert.ok((await tipOf(page)).startsWith(wanted), `${await tipOf(page)} is not ${wanted}`);
    assert.match(await tipOf(page), new RegExp(`of 10 .*${first.count} · ${first.count}0\\.0 %`, 's'));
    // Those that are taken for each other stand side by side: groups of four.
    const apart = await page.evaluate<number>(`(() => {
      const at = figures.order.map((_, i) => figures.order.indexOf(i));
      const distances = figures.confusions.map(({ target, predicted, count }) => Math.abs(at[target] - at[predicted]) * count);
      return distances.reduce((a, b) => a + b) / figures.confusions.reduce((sum, { count }) => sum + count, 0);
    })()`);
    assert.ok(apart < 10, `mistakes lie ${apart} classes from the diagonal`);

    await page.evaluate(`document.querySelector('#chart-matrix canvas').focus({ preventScroll: true })`);
    await page.press('Escape');
    await page.press('ArrowDown');
    await page.press('ArrowDown');
    assert.match(await tipOf(page), /taken for|recognised/);
    for (let i = 0; i < 4; i++) await page.press('+');
    const near = await stateOf(page);
    assert.ok(Number(near.cell) > 20, near.cell);
    assert.ok(Number(near.labels) >= 10 && Number(near.cells) < 400, JSON.stringify(near));
    // The cell that was looked at is still there, and the arrows carry the view along.
    for (let i = 0; i < 30; i++) await page.press('ArrowRight');
    assert.notEqual(await tipOf(page), '');

    await page.evaluate(`document.querySelector('button[data-confusion]').click()`);
    await page.until(`document.querySelectorAll('#chart-matrix .detail figure').length === ${first.count}`);
    assert.ok(
      (await page.evaluate<string>(`document.querySelector('#chart-matrix .detail h3').textContent`)).startsWith(
        wanted,
      ),
    );
    await page.evaluate(`[...document.querySelectorAll('#chart-matrix .tools button')].at(-1).click()`);
    assert.equal((await stateOf(page)).zoom, '1.00');
    assert.deepEqual(page.troubles, []);
  });

  it('on a phone a touch reads a cell and opens it', async () => {
    const page = await browser.page({ width: 390, height: 844, mobile: true, dark: true });
    await page.goto(pathToFileURL(few).href);
    const { cell = '' } = await stateOf(page);
    const box = await boxOf(page, '#chart-matrix canvas');
    assert.ok(Number(cell) >= 40, `${cell} pixels are enough for a finger`);
    await clickAt(page, box.left + box.width - 1.5 * Number(cell), box.top + box.height - 0.5 * Number(cell));
    await page.until(`document.querySelector('#chart-matrix .detail h3') !== null`);
    assert.match(
      await page.evaluate<string>(`document.querySelector('#chart-matrix .detail h3').textContent`),
      / taken for /,
    );
    assert.deepEqual(page.troubles, []);
  });

  it('the table sorts by each of its columns, and says what the JSON says', async () => {
    const page = await browser.page({ width: 1440 });
    await page.goto(pathToFileURL(many).href);
    const click = (column: number) =>
      page.evaluate(`document.querySelectorAll('#classes th button')[${column}].click()`);
    const firstRow = () =>
      page.evaluate<string[]>(`[...document.querySelector('#classes tbody tr').cells].map((one) => one.textContent)`);
    await click(2);
    const least = await page.evaluate<number>(`Math.min(...figures.perClass.map(({ recall }) => recall))`);
    assert.equal((await firstRow())[2], `${(100 * least).toFixed(1)} %`);
    await click(2);
    const most = await page.evaluate<number>(`Math.max(...figures.perClass.map(({ recall }) => recall))`);
    assert.equal((await firstRow())[2], `${(100 * most).toFixed(1)} %`);
    await click(0);
    assert.equal((await firstRow())[0], 'species number 1');
    const rows = await page.evaluate<string[][]>(
      `[...document.querySelectorAll('#classes tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))`,
    );
    const wanted = await page.evaluate<string[][]>(
      `figures.perClass.map((one, i) => [report.data.classes[i], String(one.support), percent(one.recall), percent(one.recallInterval.low, 0) + ' to ' + percent(one.recallInterval.high, 0), percent(one.precision), percent(one.f1)])`,
    );
    const sorted = (all: string[][]) => all.map((row) => row.join('|')).sort();
    assert.deepEqual(sorted(rows), sorted(wanted));
  });

  it('says by what its answers were made as sure as they are right', () => {
    assert.match(
      fs.readFileSync(few, 'utf8'),
      /it was less sure than it was right; its logits were divided by 0\.80 \(temperature\), by which the log loss went from 1\.100 to 1\.000/,
    );
  });

  it('names and findings are text, not markup', () => {
    assert.ok(fs.readFileSync(few, 'utf8').includes('One picture is &lt;b&gt;upside down&lt;/b&gt;.'));
    // Somebody who was not there reads at the top what is told apart: twelve of many.
    assert.match(
      fs.readFileSync(many, 'utf8'),
      /tells apart: species number 1, .*, species number 12 and 90 more<\/p>/,
    );
  });
});

async function jpeg(place: string): Promise<string> {
  const file = path.join(place, 'samples.jpg');
  await sharp({ create: { width: 64, height: 32, channels: 3, background: '#336699' } })
    .jpeg()
    .toFile(file);
  return file;
}
