/** Comparing runs: the tests are those of SciPy, settings that differ are named, and what cannot be compared is said. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { mcNemar } from '../../src/report/compare.js';
import { writeComparison } from '../../src/report/index.js';
import { Browser, skipBrowser } from '../support/chromium.js';
import { python, runPython, skipLive } from '../support/python.js';
import { temporaryFolder } from '../train/runs.js';
import { syntheticRun } from './synthetic.js';

const skipScipy =
  skipLive ||
  (spawnSync(python?.command ?? '', ['-W', 'ignore', '-c', 'import scipy'], { env: python?.environment }).status !==
    0 &&
    'Python has no SciPy');

const script = `
import json, sys
import numpy as np
from scipy.stats import binomtest
if sys.argv[1] == "p":
    print(json.dumps([binomtest(min(b, c), b + c, 0.5).pvalue if b + c else 1.0 for b, c in json.load(sys.stdin)]))
else:
    read = lambda folder: {r["name"]: int(np.argmax(r["probabilities"])) == r["target"] for r in map(json.loads, open(folder + "/validation.jsonl"))}
    a, b = (read(folder) for folder in sys.argv[2:])
    names = sorted(a)
    x, y = (np.array([one[n] for n in names]) for one in (a, b))
    d = y.astype(int) - x
    draws = d[np.random.default_rng(1).integers(0, len(d), (4000, len(d)))].mean(1)
    print(json.dumps(dict(both=int((x & y).sum()), onlyFirst=int((x & ~y).sum()), onlySecond=int((~x & y).sum()), neither=int((~x & ~y).sum()), difference=float(d.mean()), low=float(np.quantile(draws, .025)), high=float(np.quantile(draws, .975)), deviation=float(draws.std()))))
`;

describe('comparing runs', () => {
  const place = temporaryFolder();
  after(() => fs.rmSync(place, { recursive: true, force: true }));
  const weak = syntheticRun(path.join(place, 'weak'), {
    classes: 12,
    each: 30,
    seed: 1,
    skill: 1.2,
    settings: { size: 32 },
  });
  const strong = syntheticRun(path.join(place, 'strong'), {
    classes: 12,
    each: 30,
    seed: 2,
    skill: 1.9,
    settings: { size: 64 },
    epochs: 6,
  });
  const like = syntheticRun(path.join(place, 'like'), { classes: 12, each: 30, seed: 3, skill: 1.9 });

  it("McNemar's exact test is SciPy's binomial test", { skip: skipScipy }, () => {
    const cases = [
      [0, 0],
      [1, 0],
      [3, 3],
      [5, 9],
      [0, 12],
      [40, 61],
      [700, 800],
      [2000, 2001],
    ] as [number, number][];
    const answers = runPython<number[]>(['-c', script, 'p'], cases);
    for (const [i, [b, c]] of cases.entries()) {
      const [ours, theirs] = [mcNemar(b, c), answers[i] as number];
      assert.ok(Math.abs(ours - theirs) <= 1e-9 * Math.max(theirs, 1e-3), `${b}, ${c}: ${ours}, SciPy ${theirs}`);
    }
  });

  it('counts on the same samples, with an interval that keeps the pairs', { skip: skipScipy }, async () => {
    const { data } = await writeComparison([weak, strong], path.join(place, 'two.html'));
    const [pair] = data.pairs;
    assert.ok(pair);
    const truth = runPython<Record<string, number>>(['-c', script, 'pair', weak, strong]);
    for (const name of ['both', 'onlyFirst', 'onlySecond', 'neither', 'difference'] as const)
      assert.ok(Math.abs(pair[name] - (truth[name] as number)) < 1e-12, name);
    for (const end of ['low', 'high'] as const)
      assert.ok(Math.abs(pair.interval[end] - (truth[end] as number)) < 0.35 * (truth.deviation as number), end);
  });

  it('says which is better, or that it cannot be told; names what differs', async () => {
    const { file, data } = await writeComparison([weak, strong, like], path.join(place, 'three.html'));
    assert.equal(data.sameSamples, true);
    assert.equal(data.pairs.length, 3);
    assert.deepEqual(
      data.runs.map(({ label }) => label),
      ['weak', 'strong', 'like'],
    );
    assert.match(
      data.headline,
      /(strong|like) [\d.]+ %, (strong|like) [\d.]+ %: not a difference that these pictures can show\./,
    );
    assert.deepEqual(data.settings.find(({ name }) => name === 'epochs')?.values, ['12', '6', '12']);
    assert.equal(
      data.settings.find(({ name }) => name === 'learningRate'),
      undefined,
    );
    const page = fs.readFileSync(file, 'utf8');
    assert.doesNotMatch(page, /\b(src|href)="(?!data:|#)|@import|url\(/);
    const two = await writeComparison([weak, strong], path.join(place, 'two.html'));
    assert.match(two.data.headline, /^strong is better than weak: [\d.]+ % against [\d.]+ %\.$/);
  });

  it('other samples are no comparison, other classes an error, one run not enough', async () => {
    const other = syntheticRun(path.join(place, 'other'), { classes: 12, each: 31 });
    const { data } = await writeComparison([weak, other], path.join(place, 'other.html'));
    assert.equal(data.sameSamples, false);
    assert.deepEqual(data.pairs, []);
    assert.match(data.headline, /measured on different pictures/);
    const wide = syntheticRun(path.join(place, 'wide'), { classes: 13 });
    await assert.rejects(writeComparison([weak, wide]), /this run has other classes \(13\) than .*weak \(12\)/);
    await assert.rejects(writeComparison([weak, weak]), /A comparison needs two runs or more/);
    const unfinished = syntheticRun(path.join(place, 'unfinished'), { classes: 12 });
    fs.rmSync(path.join(unfinished, 'validation.jsonl'));
    const half = await writeComparison([weak, unfinished], path.join(place, 'half.html'));
    assert.match(half.data.headline, /Fewer than two of these runs have a result/);
  });

  it('opens in a browser, fits a phone, and its curves are read', { skip: skipBrowser }, async () => {
    const { file } = await writeComparison([weak, strong, like], path.join(place, 'page.html'));
    const browser = await Browser.start();
    try {
      for (const options of [
        { width: 1440, dark: true },
        { width: 390, height: 844, mobile: true },
      ]) {
        const page = await browser.page(options);
        await page.goto(pathToFileURL(file).href);
        await page.until(`document.documentElement.dataset.ready === 'true'`);
        assert.ok((await page.evaluate<number>(`document.documentElement.scrollWidth - window.innerWidth`)) <= 0);
        await page.evaluate(`document.querySelector('#chart-accuracy .plot').focus()`);
        await page.press('End');
        const tip = await page.evaluate<string>(`document.querySelector('.tip').innerText`);
        assert.match(tip, /^epoch 12\n/);
        assert.ok(
          tip.includes('weak') && tip.includes('like') && !tip.includes('strong'),
          'strong ended after 6 epochs',
        );
        assert.deepEqual(page.troubles, []);
      }
    } finally {
      await browser.close();
    }
  });
});
