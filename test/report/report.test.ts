/** The report of a run: its figures are true, it needs nothing but the run folder, and it is there whatever became of the run. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readSplitFile } from '../../src/data/split/file.js';
import { writeQuizAttempts } from '../../src/look/quiz/index.js';
import { type ReportData, writeReport } from '../../src/report/index.js';
import { parsePlain } from '../../src/track/json.js';
import { testRun, train } from '../../src/train/index.js';
import { python, runPython, skipLive } from '../support/python.js';
import { quick, temporaryFolder, tinyFlowers } from '../train/runs.js';
import { syntheticRun } from './synthetic.js';

const truth = fileURLToPath(new URL('truth.py', import.meta.url));
const skipTruth =
  skipLive ||
  (spawnSync(python?.command ?? '', ['-W', 'ignore', '-c', 'import sklearn'], { env: python?.environment }).status !==
    0 &&
    'Python has no scikit-learn');

/** The block of JSON that a page carries. */
export function dataIn(page: string): ReportData {
  const found = /<script type="application\/json" id="praxis-report">(.*?)<\/script>/s.exec(page);
  assert.ok(found, 'the page carries its figures');
  return parsePlain(found[1] as string) as ReportData;
}

/** Fails where a value is not in the other, numbers to nine digits. */
function within(actual: unknown, wanted: unknown, where = ''): void {
  if (typeof wanted === 'number' && typeof actual === 'number') {
    const same = Object.is(wanted, actual) || Math.abs(wanted - actual) <= 1e-9 * Math.max(1, Math.abs(wanted));
    assert.ok(same, `${where}: ${actual} in the report, ${wanted} in truth`);
  } else if (Array.isArray(wanted)) {
    assert.equal((actual as unknown[]).length, wanted.length, `${where}: length`);
    for (const [i, one] of wanted.entries()) within((actual as unknown[])[i], one, `${where}[${i}]`);
  } else if (typeof wanted === 'object' && wanted !== null) {
    for (const [name, one] of Object.entries(wanted))
      within((actual as Record<string, unknown> | null)?.[name], one, `${where}.${name}`);
  } else assert.deepEqual(actual, wanted, where);
}

interface Truth {
  readonly figures: object;
  readonly intervals: object;
  readonly rough: Record<string, { low: number; high: number; deviation: number }>;
  readonly tests?: object;
  readonly human?: object;
  readonly overfitting: object;
  readonly parts?: object;
  readonly [name: string]: unknown;
}

function compareWithTruth(folder: string, page: string): void {
  const report = dataIn(page);
  const { figures, intervals, rough, parts, tests, human, overfitting, ...rest } = parsePlain(
    JSON.stringify(runPython<Truth>([truth, folder])),
  ) as Truth;
  within(report.figures, figures, 'figures');
  assert.equal(report.figures?.kind, 'one label');
  if (report.figures?.kind !== 'one label') return;
  within(report.figures.intervals, intervals, 'intervals');
  // Of a few samples the ends of an interval jump.
  for (const [name, { low, high, deviation }] of report.figures.count < 100 ? [] : Object.entries(rough)) {
    const ours = report.figures.intervals[name] as { low: number; high: number };
    assert.ok(
      Math.abs(ours.low - low) <= 0.5 * deviation && Math.abs(ours.high - high) <= 0.5 * deviation,
      `${name}: ${JSON.stringify([ours, low, high])}`,
    );
  }
  within(report, rest, 'report');
  const {
    classes,
    leftBehind = 'none',
    ...seen
  } = report.overfitting ?? assert.fail('it says what it shows of overfitting');
  assert.equal(classes?.by, 'steps');
  within({ ...seen, leftBehind, classes: classes?.gaps }, overfitting, 'overfitting');
  if (parts !== undefined) within(report.data, parts, 'parts');
  if (tests !== undefined) within(report.tests, tests, 'tests');
  if (human !== undefined) within(report.human, human, 'human');
  // Every class has its place in the order.
  assert.deepEqual(
    [...report.figures.order].sort((a, b) => a - b),
    report.data.classes.map((_, i) => i),
  );
}

describe('the report of a run', () => {
  const place = temporaryFolder();
  let data = '';
  let run = '';
  before(async () => {
    data = await tinyFlowers(place);
    ({ folder: run } = await train({ ...quick, data, out: path.join(place, 'runs'), epochs: 4, learningRate: 0.001 }));
  });
  after(() => fs.rmSync(place, { recursive: true, force: true }));

  it('stands in one file that asks for nothing, with the pictures of its mistakes', async () => {
    const { file, data: report, problem } = await writeReport(run);
    assert.equal(file, path.join(run, 'report.html'));
    assert.equal(problem, undefined);
    const page = fs.readFileSync(file, 'utf8');
    assert.doesNotMatch(
      page.replace(/<code>.*?<\/code>|<pre>.*?<\/pre>/gs, ''),
      /\b(src|href)="(?!data:|#)|@import|url\(/,
    );
    assert.doesNotMatch(page, /https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    assert.deepEqual(
      JSON.parse(JSON.stringify(dataIn(page))),
      JSON.parse(JSON.stringify(report)),
      'what the page carries is what was computed',
    );
    assert.equal(report.figures?.kind, 'one label');
    if (report.figures?.kind !== 'one label') return;
    assert.ok(report.figures.mistakes.length > 0, 'trained so little that it makes mistakes');
    const names = [...report.figures.mistakes, ...report.figures.unsure].map(({ name }) => name);
    const pictures = JSON.parse(/id="praxis-pictures">(.*?)<\/script>/s.exec(page)?.[1] ?? '{}') as Record<
      string,
      string
    >;
    for (const name of names) assert.match(pictures[name] ?? '', /^data:image\/jpeg;base64,/, name);
    assert.ok(page.includes(report.verdict.headline));
    assert.ok(!names.some((name) => readTestNames(run).has(name)), 'nothing of the test part is shown');
  });

  it('shows the training pictures that were learned last, and no gap where there is none', async () => {
    const heart = path.join(place, 'heart');
    fs.cpSync(run, heart, { recursive: true });
    const file = path.join(heart, 'training.jsonl');
    const lines = fs.readFileSync(file, 'utf8').trim().split('\n');
    const learnt = lines.map((line) => JSON.parse(line) as { name: string; early: number; right: number });
    const { parts } = await readSplitFile(path.join(run, 'split.json'));
    assert.deepEqual(learnt.map(({ name }) => name).sort(), [...parts.train].sort());
    const changed = learnt.map((one, i) => (i < 2 ? { ...one, early: 5 + i, right: 0.9 } : { ...one, early: 0.5 }));
    fs.writeFileSync(file, changed.map((one) => JSON.stringify(one)).join('\n'));
    const { data: report, file: html } = await writeReport(heart);
    const names = report.overfitting?.memorised?.samples.map(({ name }) => name);
    assert.deepEqual(names, [learnt[1]?.name, learnt[0]?.name]);
    const page = fs.readFileSync(html, 'utf8');
    const pictures = JSON.parse(/id="praxis-pictures">(.*?)<\/script>/s.exec(page)?.[1] ?? '{}') as object;
    for (const name of names ?? []) {
      assert.ok(name in pictures, name);
      assert.ok(page.includes(`<img data-picture="${name}"`), name);
    }
    // A run from before training.jsonl has all but those two.
    fs.rmSync(file);
    const { data: old } = await writeReport(heart);
    assert.deepEqual([old.overfitting?.memorised, old.overfitting?.classes], [undefined, undefined]);
    assert.equal(old.overfitting?.gap, report.overfitting?.gap);
  });

  it('figures are those of scikit-learn, test and quiz included', { skip: skipTruth }, async () => {
    await testRun(run, { command: 'praxis test it' });
    const split = await readSplitFile(path.join(run, 'split.json'));
    const { data: before } = await writeReport(run);
    const [a, b] = split.parts.validation as [string, string];
    const label = (name: string) => before.data.classes.indexOf(name.split('/')[0] as string);
    await writeQuizAttempts(path.join(run, 'quiz.json'), 'flowers', [
      {
        quiz: 'q',
        splitFingerprint: split.fingerprint,
        from: 'validation',
        seed: 0,
        round: 1,
        form: { height: 16, width: 16, channels: 3, fit: 'squash', decode: 'fast' },
        classes: before.data.classes,
        pictures: 2,
        started: '2026-11-22T10:00:00.000Z',
        finished: '2026-11-22T10:01:00.000Z',
        answers: [
          { name: a, label: label(a), answer: label(a), seconds: 1 },
          { name: b, label: label(b), answer: (label(b) + 1) % 3, seconds: 2 },
        ],
      },
    ]);
    const { file, data: report } = await writeReport(run);
    compareWithTruth(run, fs.readFileSync(file, 'utf8'));
    assert.equal(report.tests.length, 1);
    assert.match(report.verdict.sentences.join(' '), /A person recognised 50 % of 2 .* The test part was opened: /s);
  });

  it('figures of 102 classes are those of scikit-learn', { skip: skipTruth }, async () => {
    const folder = syntheticRun(path.join(place, 'many'), { classes: 102 });
    const { file } = await writeReport(folder);
    compareWithTruth(folder, fs.readFileSync(file, 'utf8'));
  });

  it('is made without the data, and says what is missing', async () => {
    const moved = `${data}-moved`;
    fs.renameSync(data, moved);
    try {
      const { file, problem } = await writeReport(run, { file: path.join(place, 'without.html') });
      assert.match(problem ?? '', /no such file or folder/);
      assert.match(fs.readFileSync(file, 'utf8'), /The pictures themselves are not shown: .*no such file or folder/);
      const again = await writeReport(run, { file: path.join(place, 'again.html'), data: moved });
      assert.equal(again.problem, undefined);
    } finally {
      fs.renameSync(moved, data);
    }
  });

  it('is made of a run that was stopped, and of one that only began', async () => {
    const stopped = path.join(place, 'stopped');
    fs.cpSync(run, stopped, { recursive: true });
    for (const name of ['validation.jsonl', 'result.json', 'model.safetensors']) fs.rmSync(path.join(stopped, name));
    const record = JSON.parse(fs.readFileSync(path.join(stopped, 'run.json'), 'utf8')) as Record<string, unknown>;
    const write = (more: object) =>
      fs.writeFileSync(path.join(stopped, 'run.json'), JSON.stringify({ ...record, result: undefined, ...more }));
    write({ state: 'stopped', reason: 'Ctrl-C' });
    const half = await writeReport(stopped);
    assert.equal(
      half.data.verdict.headline,
      'This run was stopped after 4 epochs (Ctrl-C); praxis resume goes on with it.',
    );
    assert.equal(half.data.figures, null);
    fs.rmSync(path.join(stopped, 'metrics.jsonl'));
    fs.writeFileSync(path.join(stopped, 'findings.json'), '{ torn');
    write({ state: 'stopped', reason: 'Ctrl-C', configuration: {} });
    const early = await writeReport(stopped);
    assert.equal(early.data.verdict.headline, 'This run was stopped after 0 epochs (Ctrl-C); start it again.');
    assert.doesNotMatch(fs.readFileSync(early.file, 'utf8'), /praxis resume/);
    write({ state: 'failed', reason: 'no memory.', configuration: {} });
    const barely = await writeReport(stopped);
    assert.equal(barely.data.verdict.headline, 'This run failed after 0 epochs (no memory).');
    assert.match(barely.data.problems.join(), /findings\.json cannot be read: /);
  });

  it('is made of data with many labels, and of rows that are no pictures', async () => {
    const change = (folder: string, alter: (plan: { data: Record<string, unknown> }) => void) => {
      const file = path.join(folder, 'run.json');
      const record = JSON.parse(fs.readFileSync(file, 'utf8')) as {
        configuration: { plan: { data: Record<string, unknown> } };
      };
      alter(record.configuration.plan);
      fs.writeFileSync(file, JSON.stringify(record));
    };
    const many = syntheticRun(path.join(place, 'labels'), { classes: 4 });
    change(many, (plan) => {
      plan.data.multiLabel = true;
    });
    const rows = [
      { name: 'a', target: [1, 0, 1, 0], probabilities: [0.9, 0.2, 0.7, 0.1] },
      { name: 'b', target: [0, 1, 1, 0], probabilities: [0.6, 0.8, 0.3, 0.2] },
    ];
    fs.writeFileSync(path.join(many, 'validation.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    const { data: labels, file } = await writeReport(many);
    assert.equal(labels.figures?.kind, 'many labels');
    assert.match(labels.verdict.headline, /^Mean average precision 100\.0 % on 2 pictures/);
    assert.equal(labels.figures?.perClass[2]?.recall, 0.5);
    assert.doesNotMatch(fs.readFileSync(file, 'utf8'), /id="chart-matrix"/);

    const table = syntheticRun(path.join(place, 'rows'), { classes: 3 });
    change(table, (plan) => {
      for (const name of ['form', 'statistics']) delete plan.data[name];
    });
    const { data: plain, file: page } = await writeReport(table);
    assert.equal(plain.data.noun, 'row');
    const text = fs.readFileSync(page, 'utf8');
    assert.doesNotMatch(text, /The pictures themselves are not shown|praxis predict/);
    assert.match(text, /of rows it was not trained on/);
  });

  it('says what an ensemble gains, which weights a fine-tuning began with, and what to try next with its evidence', async () => {
    const folder = syntheticRun(path.join(place, 'together'), { classes: 5, each: 40, skill: 1.5 });
    const before = await writeReport(folder);
    assert.ok(before.data.advice.some(({ rule }) => rule === 'pretrained'));
    const overfitting = before.data.advice.find(({ rule }) => rule === 'overfitting');
    assert.match(
      overfitting?.evidence ?? '',
      /^After epoch 8 the validation fell behind the training: its loss rose by \d+ % until the end, while that of the training fell by another \d+ %\./,
    );
    assert.equal(overfitting?.command, 'praxis train /garden --epochs 12 --augment light');
    const gain = { value: 0.021, interval: { low: -0.004, high: 0.047 } };
    const comparison = { members: [{ score: 0.6 }, { score: 0.64 }], meanScore: 0.62, overMean: gain };
    fs.writeFileSync(path.join(folder, 'ensemble.json'), JSON.stringify({ format: 'praxis-ensemble', comparison }));
    const file = path.join(folder, 'run.json');
    const record = JSON.parse(fs.readFileSync(file, 'utf8')) as { configuration: { plan: Record<string, unknown> } };
    record.configuration.plan.transfer = { source: 'resnet18.tv_in1k' };
    fs.writeFileSync(file, JSON.stringify(record));
    const { data } = await writeReport(folder);
    const text = data.verdict.sentences.join(' ');
    assert.match(text, /^A mean of convnet .* It began with the weights of resnet18\.tv_in1k\./);
    const next = data.advice.find(({ rule }) => rule === 'overfitting');
    assert.equal(next?.command, 'praxis finetune resnet18.tv_in1k /garden --epochs 12 --augment light');
    record.configuration.plan.transfer = { source: 'my weights.pth' };
    fs.writeFileSync(file, JSON.stringify(record));
    assert.match(
      (await writeReport(folder)).data.advice.find(({ rule }) => rule === 'overfitting')?.command ?? '',
      /^praxis finetune 'my weights\.pth' \/garden --epochs 12 --augment/,
    );
    // What the run was asked for is asked for again, but for its name, its folder and what is to change.
    const asked = { split: [0.6, 0.2, 0.2], size: [96, 128], cache: false, seed: 7, augment: 'none' };
    Object.assign(record.configuration, { settings: { ...asked, name: 'one', out: 'mine', epochs: 'auto' } });
    fs.writeFileSync(file, JSON.stringify(record));
    assert.equal(
      (await writeReport(folder)).data.advice.find(({ rule }) => rule === 'overfitting')?.command,
      "praxis finetune 'my weights.pth' /garden --seed 7 --split 60/20/20 --size 96x128 --no-cache --augment light",
    );
    assert.match(
      text,
      /2 members alone reach 62\.0 % on average and 64\.0 % at best; together they gain \+2\.1 points over their mean \(95 %: −0\.4 to \+4\.7\)/,
    );
    assert.ok(!data.advice.some(({ rule }) => rule === 'pretrained'));
  });

  it('refuses what is no run in a sentence', async () => {
    await assert.rejects(writeReport(data), /flowers is not a run folder: it has no run\.json/);
    await assert.rejects(writeReport(path.join(place, 'nowhere')), /There is no run .*nowhere/);
  });
});

function readTestNames(run: string): Set<string> {
  const { parts } = JSON.parse(fs.readFileSync(path.join(run, 'split.json'), 'utf8')) as { parts: { test: string[] } };
  return new Set(parts.test);
}
