/** Probes after every layer: what they find in networks that remember, and in such that cannot. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { main } from '../../../src/cli/main.js';
import {
  createModel,
  layerGroups,
  linearProbe,
  type OverfitReport,
  overfit,
  overfittingSeen,
  torch,
  train,
} from '../../../src/index.js';
import type { Classifier } from '../../../src/train/index.js';
import { trendOf } from '../../../src/train/overfit/overfit.js';
import { noiseTable } from '../noise-table.js';
import { temporaryFolder } from '../runs.js';

const place = temporaryFolder();
after(() => fs.rmSync(place, { recursive: true, force: true }));

const namesOf = (model: string, options: object = {}): string[] =>
  layerGroups(createModel(model, { classes: 5, ...options }) as unknown as Classifier).map(({ name }) => name);

describe('layerGroups', () => {
  it('opens containers, keeps blocks whole, and gives norms and activations to what they follow', () => {
    assert.deepEqual(namesOf('mlp', { size: [4, 4], depth: 2 }), [
      'network.1 … network.2',
      'network.3 … network.4',
      'network.5',
    ]);
    const resnet = namesOf('resnet-small');
    assert.match(resnet[0] as string, /^conv1 … /);
    assert.deepEqual(resnet.slice(1, 3), ['layer1.0', 'layer1.1']);
    assert.equal(resnet.at(-1), 'fc');
    assert.ok(namesOf('vit-tiny', { size: [32, 32], depth: 3 }).some((name) => /2/.test(name)));
  });
});

describe('linearProbe', () => {
  it('reads what a straight line can, and tells what it only remembers', () => {
    torch.manualSeed(2);
    const input = torch.randn([400, 30]);
    const known = input.narrow(1, 0, 1).flatten().gt(0).to({ dtype: 'int64' });
    const random = torch.randint(0, 2, [400]);
    const halves = (target: typeof known) =>
      [0, 200].map((from) => ({ input: input.narrow(0, from, 200), target: target.narrow(0, from, 200) })) as [
        { input: typeof input; target: typeof known },
        { input: typeof input; target: typeof known },
      ];
    const easy = linearProbe(...halves(known), { classes: 2 });
    assert.ok(easy.validation > 0.9, `${easy.validation}`);
    const noise = linearProbe(...halves(random), { classes: 2 });
    assert.ok(noise.train - noise.validation > 0.08, `${noise.train} ${noise.validation}`);
    assert.ok(Math.abs(noise.validation - 0.5) < 0.12);
    // With fewer inputs there is less to remember by.
    const few = linearProbe(...halves(random), { classes: 2, features: 3 });
    assert.equal(few.features, 3);
    assert.ok(few.train < noise.train);
  });
});

it('trendOf is the rank correlation with the place', () => {
  assert.equal(trendOf([1, 2, 3, 10]), 1);
  assert.equal(trendOf([4, 3, 2]), -1);
  assert.equal(trendOf([1, 1, 1]), 0);
  assert.ok(Math.abs(trendOf([1, 3, 2]) - 0.5) < 1e-12);
});

/** Names of the rows of a noise table whose label is not that of their place. */
const wrongRows = (file: string): string[] =>
  fs
    .readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .flatMap((line, i) => (line.endsWith(`,c${i % 3}`) ? [] : [`${path.basename(file)}#${i + 2}`]));

describe('praxis overfit', () => {
  it('finds that a network which learnt wrong labels by heart overfits more with depth', async (t) => {
    const data = noiseTable(place, { rows: 300, wrong: 0.4 });
    const settings = { model: 'mlp', width: 128, depth: 3, epochs: 60, batchSize: 32, learningRate: 3e-3 } as const;
    const fixed = { weightDecay: 0, labelSmoothing: 0, ema: 'off', warmup: 0, schedule: 'constant' } as const;
    const machine = {
      precision: 'float32',
      memoryFormat: 'contiguous',
      threads: 1,
      workers: 0,
      device: 'cpu',
    } as const;
    const out = path.join(place, 'runs');
    const { folder } = await train({ data, out, ...settings, ...fixed, ...machine });
    const report = await overfit(folder);
    assert.equal(report.layers[0]?.name, 'input');
    assert.equal(report.layers.length, 5);
    const [, first, , last] = report.layers as [unknown, ...OverfitReport['layers']];
    assert.ok((last?.gap as number) > (first?.gap as number), JSON.stringify(report.layers));
    assert.deepEqual(JSON.parse(fs.readFileSync(path.join(folder, 'overfit.json'), 'utf8')), report);
    assert.match(fs.readFileSync(path.join(folder, 'overfit.svg'), 'utf8'), /^<svg/);
    // Two of five labels are wrong: they are what no early layer can read.
    assert.deepEqual(
      report.classes.map(({ name }) => name),
      ['c0', 'c1', 'c2'],
    );
    for (const { train: own, validation, gap } of report.classes) assert.ok(Math.abs(own - validation - gap) < 1e-12);
    assert.equal(Math.min(24, report.lateCount), report.late.length);
    for (const { layer } of report.late) assert.ok(['network.5 … network.6', 'network.7'].includes(layer), layer);

    const seen = await overfittingSeen(folder);
    assert.ok(seen.gap > 0.2, `${seen.gap}`);
    assert.ok((seen.leftBehind as number) < 30 && seen.rise > 0.1, JSON.stringify([seen.leftBehind, seen.rise]));
    assert.deepEqual(seen.probes, report);
    assert.equal(seen.classes?.by, 'probes');
    assert.deepEqual(
      [...report.classes].sort((a, b) => b.gap - a.gap),
      seen.classes?.gaps,
    );
    // What was learnt last has a wrong label more often than the rest.
    const truth = new Set(wrongRows(data));
    const shareOf = (names: readonly string[]) => names.filter((name) => truth.has(name)).length / names.length;
    const learnt = fs.readFileSync(path.join(folder, 'training.jsonl'), 'utf8').trim().split('\n');
    const all = shareOf(learnt.map((line) => JSON.parse(line).name as string));
    const memorised = seen.memorised ?? assert.fail('the run noted what each sample cost');
    assert.equal(memorised.of, learnt.length);
    assert.ok(
      memorised.count > 0 && shareOf(memorised.samples.map(({ name }) => name)) > 1.5 * all,
      `${all}, ${JSON.stringify(memorised)}`,
    );
    assert.equal(seen.remedies[0]?.title, 'measure it');
    // What was measured on the same split goes before what the course names; on another it says nothing.
    const beside = path.join(out, 'ablation');
    fs.mkdirSync(beside);
    const row = { name: 'dropout 0.5', value: 0.03, interval: { low: 0.01, high: 0.05 }, seeds: 3, verdict: 'helps' };
    fs.writeFileSync(path.join(beside, 'ablation.json'), JSON.stringify({ rows: [row, { ...row, verdict: 'hurts' }] }));
    const record = JSON.parse(fs.readFileSync(path.join(folder, 'run.json'), 'utf8'));
    fs.writeFileSync(path.join(beside, 'run.json'), JSON.stringify(record));
    const measured = await overfittingSeen(folder);
    assert.deepEqual([measured.remedies[0]?.title, measured.remedies[0]?.gain], ['dropout 0.5', 0.03]);
    assert.notEqual(measured.remedies[1]?.title, 'dropout 0.5');
    record.split.fingerprint = 'other';
    fs.writeFileSync(path.join(beside, 'run.json'), JSON.stringify(record));
    assert.equal((await overfittingSeen(folder)).remedies[0]?.title, 'measure it');
    const lines: string[] = [];
    t.mock.method(console, 'log', (text: string) => lines.push(text));
    assert.equal(await main(['overfit', folder]), 0);
    assert.match(lines.join('\n'), /^layer +training +validation +gap\ninput /);
    assert.ok(lines.includes(report.text));
    assert.match(lines.at(-1) as string, /^page .*report\.html/);
    assert.ok(fs.readFileSync(path.join(folder, 'report.html'), 'utf8').includes('Layer by layer (praxis overfit)'));
    const errors: string[] = [];
    t.mock.method(process.stderr, 'write', (text: string) => errors.push(text) > 0);
    assert.equal(await main(['overfit', folder, '--samples', 'many']), 1);
    assert.match(errors.join(''), /--samples takes a whole number from 1, got 'many'/);
  });
});
