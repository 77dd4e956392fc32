/** Moments of one run joined, and weights averaged: of one run's checkpoints, and of runs with a common start. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { main } from '../../../src/cli/main.js';
import { saveSplit, splitDataset } from '../../../src/data/split/index.js';
import { imageFolder } from '../../../src/index.js';
import { writeReport } from '../../../src/report/index.js';
import { type Tensor, torch } from '../../../src/torch/index.js';
import { readRecord } from '../../../src/track/index.js';
import {
  type AverageFacts,
  averageRuns,
  type EnsembleFacts,
  joinSnapshots,
  loadRun,
  type TrainSettings,
  testRun,
  train,
} from '../../../src/train/index.js';
import { quick, temporaryFolder, tinyFlowers } from '../runs.js';

const place = temporaryFolder();
const out = path.join(place, 'averages');
const splitFile = path.join(place, 'split.json');
let data = '';
/** A run from scratch that keeps several moments; it has batch normalisation. */
let long = '';
/** Three more from the weights of `long`, and one from other first weights. */
const tuned: string[] = [];
let stranger = '';
before(async () => {
  data = await tinyFlowers(place);
  await saveSplit(
    await splitDataset(imageFolder(data), { duplicates: 'exact', train: 0.4, validation: 0.4, test: 0.2 }),
    splitFile,
  );
  const { width: _, depth: __, model: ___, ...rest } = quick;
  const settings = { ...rest, data, splitFile, batchSize: 8, out: path.join(place, 'runs') } as const;
  const scratch = { model: 'resnet20', width: 4, depth: 8, augment: 'none', ema: 'off' } satisfies TrainSettings;
  long = (await train({ ...settings, ...scratch, name: 'long', epochs: 6, keep: 4 })).folder;
  for (const seed of [1, 2, 3])
    tuned.push((await train({ ...settings, name: `tuned-${seed}`, seed, pretrained: long, epochs: 1 })).folder);
  stranger = (await train({ ...settings, ...scratch, name: 'stranger', seed: 9, epochs: 6 })).folder;
});
after(() => fs.rmSync(place, { recursive: true, force: true }));

const weightsOf = async (folder: string) =>
  (await torch.load(path.join(folder, 'model.safetensors'))) as Record<string, Tensor>;
const said = (folder: string) => fs.readFileSync(path.join(folder, 'validation.jsonl'), 'utf8');

describe('joinSnapshots', () => {
  it('makes an ensemble of the kept moments, each with what it said itself', async () => {
    const { folder, comparison, cost } = await joinSnapshots(long, { out });
    const facts = JSON.parse(fs.readFileSync(path.join(folder, 'ensemble.json'), 'utf8')) as EnsembleFacts;
    assert.ok(comparison.members.length >= 4, String(comparison.members.length));
    assert.match(comparison.members[0]?.name ?? '', /^epoch-\d$/);
    // The best of them is what the run chose, or the average of several that it chose instead was better still.
    const best = comparison.members[comparison.best];
    const chosen = readRecord(long).result as { score: number; checkpoints: number };
    if (chosen.checkpoints === 1) assert.equal(best?.score, chosen.score);
    const opinions = new Set(facts.members.map((member) => said(path.join(folder, member.folder))));
    assert.equal(opinions.size, facts.members.length, 'moments differ');
    assert.equal(cost.seconds, readRecord(long).result?.seconds, 'one training made them all');
    assert.equal(cost.times, facts.members.length);
    assert.equal((await loadRun(folder)).classes.length, 3);
    assert.equal((await testRun(folder)).uses, 1);
  });

  it('says what is missing', async () => {
    await assert.rejects(joinSnapshots(tuned[0] as string, { out, data: path.join(place, 'moved') }), /one checkpoint/);
    await assert.rejects(joinSnapshots(long, { out, data: path.join(place, 'gone') }), /gone.* any more.*--data PATH/);
    const bare = path.join(place, 'bare');
    fs.cpSync(long, bare, { recursive: true });
    fs.rmSync(path.join(bare, 'checkpoints'), { recursive: true });
    await assert.rejects(joinSnapshots(bare, { out }), /no checkpoint is kept.*--keep 5/);
  });
});

describe('averageRuns', () => {
  it('averages the checkpoints of a run and measures batch normalisation again', async () => {
    const result = await averageRuns([long], { out, way: 'uniform', name: 'swa' });
    assert.ok(result.of === 'checkpoints' && result.commonStart && result.remeasured);
    assert.equal(result.ingredients.length >= 4, true);
    assert.ok(result.ingredients.every(({ used }) => used));
    assert.equal(result.folder !== undefined, result.helps);
    const best = Math.max(...result.ingredients.map(({ score }) => score));
    assert.ok(Math.abs(result.gain.value - (result.score - best)) < 1e-9);
    // The same again, augmentation and all.
    assert.deepEqual(
      { ...(await averageRuns([long], { out, way: 'uniform', name: 'swa' })), folder: '' },
      { ...result, folder: '' },
    );
  });

  it('a greedy soup is at least as good as its best run; what is no gain is not kept', async () => {
    const result = await averageRuns(tuned, { out, name: 'soup' });
    const best = Math.max(...result.ingredients.map(({ score }) => score));
    assert.ok(result.of === 'runs' && result.commonStart);
    assert.ok(result.score >= best);
    assert.equal(result.folder !== undefined, result.helps);
    const copy = path.join(place, 'copy');
    fs.cpSync(tuned[0] as string, copy, { recursive: true });
    const same = await averageRuns([tuned[0] as string, copy], { out });
    assert.equal(same.gain.value, 0);
    assert.equal(same.helps, false);
    assert.equal(same.folder, undefined);
  });

  it('makes a run like any other of weights that are better together', async () => {
    // Two runs that lie on both sides of a good one: their mean is that one.
    const sides: string[] = [];
    torch.manualSeed(3);
    const good = await weightsOf(long);
    const away = torch.randn(good['linear.weight']?.shape ?? []).mul(20);
    for (const [i, sign] of [1, -1].entries()) {
      const folder = path.join(place, `side-${i}`);
      fs.cpSync(long, folder, { recursive: true });
      const weights = { ...good, 'linear.weight': (good['linear.weight'] as Tensor).add(away.mul(sign)) };
      await torch.save(weights, path.join(folder, 'model.safetensors'));
      sides.push(folder);
    }
    const { folder = '', ...result } = await averageRuns(sides, { out, name: 'middle' });
    assert.ok(result.helps && !result.remeasured, JSON.stringify(result));
    assert.equal(result.score, readRecord(long).result?.score);
    assert.ok(result.ingredients.every(({ score, used }) => used && score < result.score));
    const facts = JSON.parse(fs.readFileSync(path.join(folder, 'average.json'), 'utf8')) as AverageFacts;
    assert.deepEqual(facts.ingredients, result.ingredients);
    const own = await weightsOf(folder);
    assert.deepEqual(Object.keys(own).sort(), Object.keys(good).sort());
    for (const [name, tensor] of Object.entries(good))
      assert.ok(torch.allclose(own[name] as Tensor, tensor, { rtol: 1e-4, atol: 1e-4 }), name);
    const record = readRecord(folder);
    assert.deepEqual([record.state, record.best?.value], ['finished', result.score]);
    assert.match((await writeReport(folder)).file, /report\.html$/);
    assert.equal((await testRun(folder)).uses, 1);
  });

  it('refuses other networks, and says so when runs without a common start break', async () => {
    const other = path.join(place, 'wider');
    fs.cpSync(stranger, other, { recursive: true });
    const record = JSON.parse(fs.readFileSync(path.join(other, 'run.json'), 'utf8'));
    record.configuration.plan.model.options.width = 8;
    fs.writeFileSync(path.join(other, 'run.json'), JSON.stringify(record));
    await assert.rejects(averageRuns([long, other], { out }), /different networks.*leave out --average/);
    record.configuration.plan.model.options.width = 4;
    record.configuration.plan.data.statistics.mean[0] += 0.1;
    fs.writeFileSync(path.join(other, 'run.json'), JSON.stringify(record));
    await assert.rejects(averageRuns([long, other], { out }), /normalise their pictures differently/);
    const result = await averageRuns([long, stranger], { out, way: 'uniform' });
    assert.equal(result.commonStart, false);
    const { averageLines } = await import('../../../src/cli/ensemble-average.js');
    const broken = averageLines({ ...result, helps: false, score: 0.1 }).join('\n');
    assert.match(broken, /Averaging broke it: these runs began with different first weights.*join their probabilities/);
  });

  it('praxis ensemble --average and --snapshots print what came of it, and refuse what makes no sense', async (t) => {
    const lines: string[] = [];
    const errors: string[] = [];
    t.mock.method(console, 'log', (text: string) => lines.push(text));
    t.mock.method(process.stderr, 'write', (text: string) => errors.push(text) > 0);
    assert.equal(await main(['ensemble', long, '--average', 'uniform', '--out', out]), 0);
    assert.match(lines.join('\n'), /^checkpoints {3}epoch-\d +[\d.]+ % /m);
    assert.match(lines.join('\n'), /^average .*of the weights of \d checkpoints \(uniform\).*measured again/m);
    assert.match(lines.join('\n'), /^gain {10}-?[\d.]+ points \(95 %: /m);
    lines.length = 0;
    assert.equal(await main(['ensemble', long, '--snapshots', '--out', out]), 0);
    assert.match(lines.join('\n'), /^members {7}epoch-\d/m);
    for (const [args, message] of [
      [[data, '--average'], /--average takes finished runs/],
      [[long, stranger, '--snapshots'], /--snapshots takes one finished run/],
      [[long, '--average', 'mean'], /--average takes greedy or uniform, got 'mean'/],
    ] as const) {
      errors.length = 0;
      assert.equal(await main(['ensemble', ...args]), 1);
      assert.match(errors.join(''), message);
    }
  });
});
