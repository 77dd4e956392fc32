import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openSource } from '../../../src/data/open-source.js';
import { makeQuiz } from '../../../src/look/quiz/make.js';
import { startQuizServer } from '../../../src/look/quiz/server.js';
import type { Quiz } from '../../../src/look/quiz/types.js';
import { Browser, type BrowserPage, skipBrowser } from '../../support/chromium.js';
import { squares } from './data.js';

/** Waits until a picture is asked and on the screen. */
const asked = (page: BrowserPage, position: number, total: number): Promise<void> =>
  page.until(
    `document.getElementById('count').textContent === '${position + 1} of ${total}' &&
     document.querySelector('#stage img')?.src.endsWith('/picture/${position}') &&
     document.querySelector('#stage img').naturalWidth > 0`,
  );

const shown = (page: BrowserPage, id: string): Promise<void> => page.until(`!document.getElementById('${id}').hidden`);

/** Whether all of the page can be seen without moving it sideways. */
const fits = async (page: BrowserPage): Promise<void> => {
  const [needed, wide] = await page.evaluate<[number, number]>('[document.documentElement.scrollWidth, innerWidth]');
  assert.ok(needed <= wide, `the page is ${needed} pixels wide on a screen of ${wide}`);
};

const pictures = '[...document.images].every((image) => image.complete && image.naturalWidth > 0)';

describe("the quiz's page in a browser", { skip: skipBrowser }, () => {
  let browser: Browser;
  let few: Quiz;
  let many: Quiz;
  const folders: string[] = [];
  before(async () => {
    browser = await Browser.start();
    const names = [
      'alder',
      'ash',
      'beech',
      'birch',
      'box',
      'cedar',
      'elder',
      'elm',
      'hazel',
      'maple',
      'oak',
      'red oak',
    ];
    for (const count of [3, 12]) {
      const folder = await squares(names.slice(0, count), new Array<number>(count).fill(count === 3 ? 16 : 8));
      folders.push(folder);
      const quiz = await makeQuiz(await openSource(path.join(folder, 'data')), {
        pictures: 5,
        form: { height: 24, width: 24 },
      });
      if (count === 3) few = quiz;
      else many = quiz;
    }
  });
  after(async () => {
    await browser?.close();
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  test('few classes, by keys alone, through a reload, an undo and a skip', async () => {
    const total = few.pictures.length;
    const server = await startQuizServer(few, { keptIn: 'quiz-data.json' });
    try {
      const page = await browser.page();
      await page.goto(server.url);
      await shown(page, 'learn');
      await page.until(pictures);
      assert.equal(await page.evaluate('document.querySelectorAll("#examples img").length'), few.examples.length);
      await page.press(' ');
      const label = (position: number): number => few.pictures[position]?.label as number;
      for (let position = 0; position < total; position++) {
        await asked(page, position, total);
        if (position === 1) {
          await page.press('Backspace');
          await asked(page, 0, total);
          await page.press(String(label(0) + 1));
          await asked(page, 1, total);
          await page.press('9');
          await page.press('x');
          await page.reload();
          await asked(page, 1, total);
          await page.press('v');
          assert.equal(
            await page.evaluate('getComputedStyle(document.querySelector("#stage img")).imageRendering'),
            'pixelated',
          );
        }
        if (position === 0) await page.press(String(((label(0) + 1) % 3) + 1));
        else if (position === 2) await page.press('0');
        else if (position === 3) await page.press(String(((label(3) + 1) % 3) + 1));
        else await page.press(String(label(position) + 1));
      }
      await shown(page, 'check');
      await page.press('Enter');
      await page.until('document.querySelector(".verdict")');
      const text = await page.evaluate<string>('document.getElementById("done").innerText');
      assert.match(text, new RegExp(`${total - 2} of ${total - 1} right`));
      assert.match(text, /What you missed/);
      assert.match(text, /quiz-data\.json/);
      await page.until(pictures);
      assert.equal(await page.evaluate('document.querySelectorAll(".missed img").length'), 1);
      assert.equal(await page.evaluate('document.querySelectorAll("td.hit, td.miss").length > 0'), true);
      await fits(page);
      const { reason, score, attempt } = await server.ended;
      assert.equal(reason, 'finished');
      assert.deepEqual([score.right, score.of, score.skipped], [total - 2, total - 1, 1]);
      assert.ok(attempt.answers.every(({ seconds }) => seconds > 0 && seconds < 60));
      assert.deepEqual(page.troubles, []);
    } finally {
      await server.close();
    }
  });

  test('many classes, by search, on a phone in the dark', async () => {
    const total = many.pictures.length;
    const server = await startQuizServer(many);
    try {
      const page = await browser.page({ width: 360, height: 740, mobile: true, dark: true });
      await page.goto(server.url);
      await shown(page, 'learn');
      await fits(page);
      await page.press('Enter');
      await asked(page, 0, total);
      await fits(page);
      assert.equal(await page.evaluate('document.getElementById("choices").hidden'), true);
      // A letter finds the search box by itself; an empty choice answers nothing.
      await page.press('Enter');
      for (const letter of 'zzz') await page.press(letter);
      assert.match(await page.evaluate<string>('document.getElementById("options").innerText'), /No class/);
      await page.press('Escape');
      for (let position = 0; position < total; position++) {
        await asked(page, position, total);
        const name = many.classes[many.pictures[position]?.label as number] as string;
        // The first choice begins with what was typed: 'oak' is before 'red oak'.
        for (const letter of name) await page.press(letter);
        await page.until('document.querySelector("#options [aria-selected=true]")');
        assert.equal(await page.evaluate('document.querySelector("#options [aria-selected=true]").textContent'), name);
        await page.press('Enter');
      }
      await shown(page, 'check');
      await page.press('Backspace');
      await asked(page, total - 1, total);
      await page.press('Escape');
      await shown(page, 'check');
      await page.press('Enter');
      await page.until('document.querySelector(".verdict")');
      await fits(page);
      const { score } = await server.ended;
      assert.deepEqual([score.right, score.of, score.skipped], [total - 1, total - 1, 1]);
      assert.deepEqual(page.troubles, []);
    } finally {
      await server.close();
    }
  });

  test('when the server has gone, the page says so', async () => {
    const server = await startQuizServer(few);
    try {
      const page = await browser.page();
      await page.goto(server.url);
      // Before the quiz is there, keys do nothing.
      await shown(page, 'learn');
      await page.press(' ');
      await asked(page, 0, few.pictures.length);
      await server.close();
      await page.press('1');
      await shown(page, 'notice');
      assert.match(
        await page.evaluate<string>('document.getElementById("notice").innerText'),
        /What you answered is kept/,
      );
    } finally {
      await server.close();
    }
  });
});
