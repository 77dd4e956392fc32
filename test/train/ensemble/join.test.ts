/** Finished runs joined: their folder is a run's, and everything that takes a run takes it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { main } from '../../../src/cli/main.js';
import { saveSplit, splitDataset } from '../../../src/data/split/index.js';
import { imageFolder } from '../../../src/index.js';
import { writeComparison, writeReport } from '../../../src/report/index.js';
import { type Tensor, torch } from '../../../src/torch/index.js';
import { listRuns, readRecord } from '../../../src/track/index.js';
import {
  atTemperature,
  type EnsembleFacts,
  exportRun,
  joinRuns,
  loadRun,
  resume,
  runToOnnx,
  testRun,
  train,
} from '../../../src/train/index.js';
import { runOnnx, skipRuntime } from '../../support/onnxruntime.js';
import { quick, temporaryFolder, tinyFlowers } from '../runs.js';

const place = temporaryFolder();
const out = path.join(place, 'ensembles');
let data = '';
const runs: string[] = [];
let other = '';
before(async () => {
  data = await tinyFlowers(place);
  const splitFile = path.join(place, 'split.json');
  await saveSplit(
    await splitDataset(imageFolder(data), { duplicates: 'exact', train: 0.4, validation: 0.4, test: 0.2 }),
    splitFile,
  );
  for (const seed of [1, 2]) {
    // The second cuts out parts: it keeps its pictures larger and so normalises them otherwise.
    const augment = seed === 2 ? 'strong' : 'none';
    const settings = {
      ...quick,
      data,
      splitFile,
      seed,
      augment,
      out: path.join(place, 'runs'),
      name: `m${seed}`,
    } as const;
    runs.push((await train(settings)).folder);
  }
  other = (await train({ ...quick, data, seed: 3, out: path.join(place, 'runs'), name: 'other' })).folder;
});
after(() => fs.rmSync(place, { recursive: true, force: true }));

describe('joinRuns', () => {
  it('gives the mean of what the members say, to predict, test and runs', async () => {
    const { folder, comparison } = await joinRuns(runs, { out, name: 'both' });
    const record = readRecord(folder);
    assert.equal(record.state, 'finished');
    assert.equal(listRuns(out)[0]?.record?.best?.value, comparison.ensemble.score);
    const facts = JSON.parse(fs.readFileSync(path.join(folder, 'ensemble.json'), 'utf8')) as EnsembleFacts;
    assert.deepEqual(facts.comparison, JSON.parse(JSON.stringify(comparison)));
    assert.deepEqual(
      facts.members.map(({ seed }) => seed),
      [1, 2],
    );
    for (const { folder: own } of facts.members)
      for (const name of ['validation.jsonl', 'training.jsonl']) assert.ok(fs.existsSync(path.join(folder, own, name)));

    // Elsewhere, without the members' own folders: it holds all it needs.
    const moved = path.join(place, 'moved');
    fs.cpSync(folder, moved, { recursive: true });
    const pictures = ['daisy', 'rose'].map((kind) => path.join(data, kind)).filter((name) => fs.existsSync(name));
    const files = pictures.flatMap((kind) =>
      fs
        .readdirSync(kind)
        .slice(0, 3)
        .map((name) => path.join(kind, name)),
    );
    assert.ok(files.length > 0, fs.readdirSync(data).join());
    const said = await Promise.all(
      [...runs, moved].map(async (run) => (await loadRun(run)).predict(files, { top: 3 })),
    );
    const temperature = comparison.calibration.temperature;
    for (const [i, file] of files.entries()) {
      const shares = said.map((predictions) => {
        const own = new Map(predictions[i]?.guesses.map(({ label, probability }) => [label, probability]));
        return [...own.keys()].sort().map((label) => own.get(label) as number);
      }) as [number[], number[], number[]];
      const mean = shares[0].map((p, j) => (p + (shares[1][j] as number)) / 2);
      const wanted = atTemperature(mean, mean.length, temperature);
      for (const [j, p] of shares[2].entries())
        assert.ok(Math.abs(p - (wanted[j] as number)) < 1e-5, `${file}: ${shares[2]} for ${[...wanted]}`);
    }

    const tested = await testRun(moved);
    assert.equal(tested.uses, 1);
    await assert.rejects(testRun(moved), /opened once already/);
  });

  it('a folder that was left half-written is nothing to go on with', async (t) => {
    const broken = path.join(place, 'broken');
    t.mock.method(torch, 'save', () => Promise.reject(new Error('the disk is full')));
    await assert.rejects(joinRuns(runs, { out: broken, name: 'half' }), /disk is full/);
    const [half] = listRuns(broken);
    assert.equal(half?.state, 'failed');
    await assert.rejects(async () => await resume(half?.path as string), /ended before its training began/);
  });

  it('keeps the longest record of the seal: what a member has seen is seen', async () => {
    const alone = await testRun(runs[1] as string);
    assert.equal(alone.members, undefined);
    const { folder } = await joinRuns(runs, { out, name: 'seen', temperature: false });
    await assert.rejects(testRun(folder), /opened once already/);
    const tested = await testRun(folder, { again: true });
    assert.equal(tested.uses, 2);
    // Each member on the test part, as if tested alone, and what they gain together.
    const { members } = tested;
    assert.ok(members);
    assert.equal(members.members.length, 2);
    assert.equal(members.members[1]?.score, alone.score);
    assert.ok(Math.abs((members.members[1]?.logLoss ?? 0) - alone.loss) < 1e-4);
    const mean = members.members.reduce((sum, { score }) => sum + score, 0) / 2;
    assert.ok(Math.abs(members.overMean.value - (tested.score - mean)) < 1e-9);
    assert.ok(members.overMean.interval.low <= members.overMean.value);
    assert.ok(members.overMean.interval.high >= members.overMean.value);
    const written = JSON.parse(fs.readFileSync(path.join(folder, 'test-2.json'), 'utf8'));
    assert.deepEqual(written.members.members, members.members);
  });

  it('refuses what does not go together in one sentence', async () => {
    const [first, second] = runs as [string, string];
    await assert.rejects(joinRuns([first, other], { out }), /different splits.*--split-file/);
    await assert.rejects(joinRuns([first, first], { out }), /named twice/);
    await assert.rejects(joinRuns([first], { out }), /at least two/);
    const { folder } = await joinRuns([first, second], { out });
    await assert.rejects(joinRuns([folder, second], { out }), /is an ensemble already/);
    const half = path.join(place, 'half');
    fs.cpSync(second, half, { recursive: true });
    fs.rmSync(path.join(half, 'model.safetensors'));
    await assert.rejects(joinRuns([first, half], { out }), /half: this run is not finished/);
    fs.cpSync(path.join(second, 'model.safetensors'), path.join(half, 'model.safetensors'));
    const lines = fs.readFileSync(path.join(half, 'validation.jsonl'), 'utf8').trim().split('\n');
    fs.writeFileSync(path.join(half, 'validation.jsonl'), lines.slice(1).join('\n'));
    await assert.rejects(joinRuns([first, half], { out }), /validated on different samples/);
    fs.writeFileSync(path.join(half, 'validation.jsonl'), lines.join('\n').slice(0, -9));
    await assert.rejects(joinRuns([first, half], { out }), /validation\.jsonl cannot be read/);
  });

  it('is measured elsewhere, exported, reported and compared as a run is', async (t) => {
    const { folder } = await joinRuns(runs, { out, name: 'used' });
    const ensemble = await loadRun(folder);
    const measured = await ensemble.evaluate(data);
    assert.ok(measured.samples > 0 && measured.score >= 0);
    const exported = path.join(place, 'used');
    for (const format of ['pt', 'safetensors'] as const) {
      await exportRun(ensemble, `${exported}.${format}`, { format });
      const weights = (await torch.load(`${exported}.${format}`)) as Record<string, Tensor>;
      assert.deepEqual(Object.keys(weights).sort(), Object.keys(ensemble.model.stateDict()).sort());
      assert.ok(Object.keys(weights).some((name) => name.startsWith('members.1.')));
    }
    const { data: report, file } = await writeReport(folder);
    assert.match(report.verdict.sentences.join(' '), /^A mean of 2 × convnet .* Its 2 members alone reach /);
    assert.equal(report.overfitting, null);
    assert.match(fs.readFileSync(file, 'utf8'), /id="chart-matrix"/);
    const both = await writeComparison([folder, runs[0] as string], path.join(place, 'both.html'));
    assert.equal(both.data.runs.length, 2);

    const [lines, errors]: [string[], string[]] = [[], []];
    t.mock.method(console, 'log', (text: string) => lines.push(text));
    t.mock.method(console, 'error', (text: string) => errors.push(text));
    const kind = fs.readdirSync(data).find((name) => fs.statSync(path.join(data, name)).isDirectory()) as string;
    assert.equal(await main(['predict', folder, path.join(data, kind), '--json', '--probabilities']), 0);
    assert.equal(lines.length, fs.readdirSync(path.join(data, kind)).length);
    for (const line of lines) {
      const { probabilities } = JSON.parse(line) as { probabilities: number[] };
      assert.ok(Math.abs(probabilities.reduce((a, b) => a + b) - 1) < 1e-5, line);
    }
    assert.match(errors.join('\n'), /^\d+ pictures in [\d.]+ s: \d+ a second\.$/);
  });

  it('as ONNX says the mean in another engine', { skip: skipRuntime }, async () => {
    const { folder } = await joinRuns(runs, { out, name: 'onnx' });
    const ensemble = await loadRun(folder);
    const pictures = torch.randint(0, 256, [3, 3, 16, 16], { dtype: 'uint8' });
    const [[shares]] = (await runOnnx(runToOnnx(ensemble, { withNormalisation: 'nchw', softmax: true }), [
      [pictures],
    ])) as [[Tensor]];
    assert.ok(shares.sub(ensemble.probabilities(pictures)).abs().max().item() < 1e-5);
  });

  it('praxis ensemble prints the gain with its interval', async (t) => {
    const lines: string[] = [];
    t.mock.method(console, 'log', (text: string) => lines.push(text));
    assert.equal(await main(['ensemble', ...runs, '--out', out, '--name', 'typed']), 0);
    const text = lines.join('\n');
    assert.match(text, /^members {7}\S+-m1 +[\d.]+ %/m);
    assert.match(text, /^gain {10}-?[\d.]+ points \(95 %: -?[\d.]+ to -?[\d.]+\) over the mean member/m);
    assert.match(text, /^cost {10}2 times a single model/m);
    assert.match(text, /praxis test .*typed/);
    assert.match(text, /^page {10}\S+typed\/report\.html: open it/m);
  });
});
