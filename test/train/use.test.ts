/** A finished run in use: what it says of pictures in any form, on other data, and in other programs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { openDataset } from '../../src/data/sources/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { readRecord } from '../../src/track/index.js';
import { exportRun, type LoadedRun, loadRun, runToOnnx, train } from '../../src/train/index.js';
import { filesAmong } from '../../src/train/use/files.js';
import { runOnnx, skipRuntime } from '../support/onnxruntime.js';
import { python, skipLive } from '../support/python.js';
import { quick, temporaryFolder, tinyFlowers } from './runs.js';

const place = temporaryFolder();
after(() => fs.rmSync(place, { recursive: true, force: true }));
let data = '';
let run: LoadedRun;
let files: string[];
before(async () => {
  data = await tinyFlowers(place);
  const { folder } = await train({ ...quick, data, out: path.join(place, 'runs'), epochs: 3 });
  run = await loadRun(folder);
  files = filesAmong([data], 'picture');
});

/** What the network says of the pictures of the validation, as the training wrote it down. */
function validation(): { name: string; probabilities: number[] }[] {
  const lines = fs.readFileSync(path.join(run.folder, 'validation.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as { name: string; probabilities: number[] });
}

describe('predict', () => {
  it('says of a file what the validation of the training said', async () => {
    const rows = validation();
    assert.ok(rows.length > 5);
    const answers = await run.predict(
      rows.map(({ name }) => path.join(data, name)),
      { probabilities: true },
    );
    for (const [i, { probabilities }] of rows.entries())
      for (const [j, share] of probabilities.entries())
        assert.ok(Math.abs((answers[i]?.probabilities?.[j] as number) - share) < 1e-4);
  });

  it('the same of a file, its bytes, its pixels and a tensor', async () => {
    const file = files[0] as string;
    const expected = (await run.predict(file)).guesses;
    assert.equal(expected.length, 3);
    assert.ok((expected[0]?.probability ?? 0) >= (expected[1]?.probability ?? 1));
    const bytes = fs.readFileSync(file);
    assert.deepEqual((await run.predict(bytes)).guesses, expected);
    const { data: pixels, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    const raw = { data: pixels, width: info.width, height: info.height, channels: 3 as const };
    assert.deepEqual((await run.predict(raw)).guesses, expected);
    const rgba = await sharp(bytes).ensureAlpha().raw().toBuffer();
    assert.deepEqual((await run.predict({ ...raw, data: rgba, channels: 4 })).guesses, expected);
    const tensor = torch.tensor(pixels).reshape(info.height, info.width, 3).permute(2, 0, 1);
    assert.deepEqual((await run.predict(tensor)).guesses, expected);
    assert.deepEqual((await run.predict(tensor.float().div(255))).guesses, expected);
    await assert.rejects(run.predict({ ...raw, width: 1 }), /has \d+ bytes, got \d+/);
    await assert.rejects(run.predict(Buffer.from('nothing')), /A picture of 7 bytes/);
    await assert.rejects(run.predict(torch.zeros([2, 4, 4])), /\[1 or 3, height, width\], got \[2, 4, 4\]/);
  });

  it('many files come in order from the threads, bad ones named, as few do', async () => {
    const broken = path.join(place, 'broken.jpg');
    fs.writeFileSync(broken, 'no picture');
    const list = [broken, ...files.slice(0, 40), broken, path.join(place, 'missing.png'), ...files.slice(40)];
    assert.ok(list.length > 60);
    const answers = await run.predict(list, { batchSize: 16, workers: 1 });
    assert.deepEqual(
      answers.map(({ file }) => file),
      list,
    );
    const bad = answers.flatMap(({ error }, i) => (error === undefined ? [] : [i]));
    assert.deepEqual(bad, [0, 41, 42]);
    assert.match(answers[0]?.error ?? '', /broken\.jpg: not a picture/);
    assert.match(answers[42]?.error ?? '', /missing\.png/);
    for (const part of [list.slice(0, 10), list.slice(38, 50)])
      for (const [i, one] of (await run.predict(part)).entries()) {
        const same = answers[list.indexOf(part[i] as string)];
        assert.deepEqual(
          one.guesses.map(({ label }) => label),
          same?.guesses.map(({ label }) => label),
        );
        for (const [j, { probability }] of one.guesses.entries())
          assert.ok(Math.abs(probability - (same?.guesses[j]?.probability as number)) < 1e-5);
      }
  });

  it('logits and probabilities of tensors: uint8 pictures are normalised, others are the network’s own input', () => {
    const pictures = torch.randint(0, 256, [2, 3, 16, 16], { dtype: 'uint8' });
    const { mean, std } = run.plan.data.statistics ?? { mean: [], std: [] };
    const column = (values: readonly number[]) => torch.tensor([...values]).view([1, -1, 1, 1]);
    const own = pictures.float().div(255).sub(column(mean)).div(column(std));
    assert.ok(torch.allclose(run.logits(pictures), run.logits(own), { atol: 1e-5 }));
    assert.ok(torch.allclose(run.probabilities(pictures).sum(1), torch.ones([2])));
    assert.equal(run.logits(own).requiresGrad, false);
  });

  it('folders are searched through; what is not there is told', () => {
    assert.equal(files.length, 66);
    assert.deepEqual(
      filesAmong([path.join(data, 'daisy')], 'picture'),
      files.filter((file) => file.includes('daisy')),
    );
    assert.throws(
      () => filesAmong([path.join(place, 'nowhere')], 'picture'),
      /nowhere: there is no such file or folder/,
    );
    fs.mkdirSync(path.join(place, 'empty'), { recursive: true });
    assert.throws(() => filesAmong([path.join(place, 'empty')], 'picture'), /there is no picture in this folder/);
  });
});

describe('evaluate', () => {
  const partSizes = () => {
    const split = JSON.parse(fs.readFileSync(path.join(run.folder, 'split.json'), 'utf8')) as {
      parts: Record<'train' | 'validation' | 'test', string[]>;
    };
    return split.parts;
  };

  it('on the run’s own data: the sealed part is left out and stays sealed, the rest is told', async () => {
    const seal = fs.readFileSync(path.join(run.folder, 'split.json'));
    const { train: trained, validation: validated, test } = partSizes();
    const result = await run.evaluate(data);
    assert.deepEqual(result.known, { train: trained.length, validation: validated.length, test: test.length });
    assert.equal(result.samples, trained.length + validated.length);
    assert.equal(result.leftOut, test.length);
    assert.match(result.notes.join('\n'), /training part \(counted here\).*--only-new/);
    assert.match(result.notes.join('\n'), /sealed test part \(left out\): praxis test/);
    assert.deepEqual(fs.readFileSync(path.join(run.folder, 'split.json')), seal);
    await assert.rejects(run.evaluate(data, { onlyNew: true }), /the run knows all of its pictures already/);
  });

  it('elsewhere: known by content whatever their names, new ones measured, classes matched by name', async () => {
    const other = path.join(place, 'other');
    const { train: trained, test } = partSizes();
    const put = (from: string, folder: string, name: string): void => {
      fs.mkdirSync(path.join(other, folder), { recursive: true });
      fs.copyFileSync(from, path.join(other, folder, name));
    };
    const [first, second] = run.classes as [string, string];
    const fromTraining = trained.find((name) => name.startsWith(first)) as string;
    put(path.join(data, fromTraining), first, 'renamed.png');
    put(path.join(data, test.find((name) => name.startsWith(first)) as string), first, 'sealed.jpg');
    put(files.find((file) => file.includes(second)) as string, 'unknown flower', 'strange.jpg');
    const guess = [];
    for (let i = 0; i < 6; i++) {
      const picture = torch.randint(0, 256, [32, 32, 3], { dtype: 'uint8' }).toTypedArray() as Uint8Array;
      fs.mkdirSync(path.join(other, first), { recursive: true });
      const file = path.join(other, first, `new${i}.png`);
      await sharp(picture, { raw: { width: 32, height: 32, channels: 3 } })
        .png()
        .toFile(file);
      guess.push((await run.predict(file)).guesses[0]?.label);
    }
    fs.writeFileSync(path.join(other, first, 'torn.png'), 'no picture');
    const result = await run.evaluate(other, { onlyNew: true });
    assert.deepEqual(result.known, { train: 1, validation: 0, test: 1 });
    assert.equal(result.samples, 6);
    assert.equal(result.score, guess.filter((label) => label === first).length / 6);
    const notes = result.notes.join('\n');
    assert.match(notes, /A class that the run does not know \(unknown flower\): 1 picture left out/);
    assert.match(
      notes,
      new RegExp(`No picture of ${run.classes.slice(1).join(', ')}: nothing is said of these classes`),
    );
    assert.match(notes, /torn\.png cannot be read/);
    assert.equal((await run.evaluate(other)).samples, 7);
  });

  it('what cannot be measured is refused in a sentence', async () => {
    const strangers = path.join(place, 'strangers');
    for (const name of ['cat', 'dog']) {
      fs.mkdirSync(path.join(strangers, name), { recursive: true });
      fs.copyFileSync(files[0] as string, path.join(strangers, name, 'a.jpg'));
    }
    await assert.rejects(run.evaluate(strangers), /none of its classes \(cat, dog\) is one of the run's/);
    const texts = path.join(place, 'texts');
    for (const name of ['a', 'b']) {
      fs.mkdirSync(path.join(texts, name), { recursive: true });
      fs.writeFileSync(path.join(texts, name, '1.txt'), 'words');
    }
    await assert.rejects(run.evaluate(openDataset(texts)), /holds text, and the run was trained on pictures/);
  });
});

describe('export', () => {
  const out = (name: string): string => path.join(place, name);

  it('safetensors with all that is needed to use them in its header', async () => {
    await exportRun(run, out('a.safetensors'), { format: 'safetensors' });
    const metadata = await torch.loadMetadata(out('a.safetensors'));
    assert.deepEqual(JSON.parse(metadata.classes as string), run.classes);
    assert.deepEqual(JSON.parse(metadata.input_size as string), [3, 16, 16]);
    assert.deepEqual(JSON.parse(metadata.mean as string), run.plan.data.statistics?.mean);
    assert.equal(metadata.model, 'convnet');
    assert.equal(metadata.created, readRecord(run.folder).created);
    const weights = (await torch.load(out('a.safetensors'))) as Record<string, Tensor>;
    assert.deepEqual(Object.keys(weights).sort(), Object.keys(run.model.stateDict()).sort());
  });

  it('pt and safetensors are what Python reads', { skip: skipLive }, async () => {
    await exportRun(run, out('b.pt'), { format: 'pt' });
    await exportRun(run, out('b.safetensors'), { format: 'safetensors' });
    const script = [
      'import sys, torch, safetensors.torch',
      'a = torch.load(sys.argv[1], weights_only=True)',
      'b = safetensors.torch.load_file(sys.argv[2])',
      'assert list(a) and all(torch.equal(a[k], b[k]) for k in a) and len(a) == len(b)',
      'print(sum(x.double().sum() for x in a.values()).item())',
    ].join('\n');
    const { stdout, stderr } = spawnSync(
      python?.command ?? '',
      ['-W', 'ignore', '-c', script, out('b.pt'), out('b.safetensors')],
      {
        env: python?.environment,
        encoding: 'utf8',
      },
    );
    const sum = Object.values(run.model.stateDict()).reduce((total, x) => total + x.double().sum().item(), 0);
    assert.ok(Math.abs(Number(stdout) - sum) < 1e-6, stderr);
  });

  it('what is for ONNX only is refused elsewhere', async () => {
    await assert.rejects(exportRun(run, out('c.pt'), { format: 'pt', softmax: true }), /softmax is for ONNX/);
    await assert.rejects(exportRun(run, out('c.tf'), { format: 'tf' as 'pt' }), /format must be safetensors, pt, onnx/);
    assert.equal(fs.existsSync(out('c.pt')), false);
  });

  it('ONNX gives the logits; with normalisation and softmax, the probabilities of plain pixels', {
    skip: skipRuntime,
  }, async () => {
    const pictures = torch.randint(0, 256, [5, 3, 16, 16], { dtype: 'uint8' });
    const input = torch.randn([5, 3, 16, 16]);
    const near = (a: Tensor | undefined, b: Tensor): void => {
      const error = (a as Tensor).sub(b).abs().max().item();
      assert.ok(error < 1e-4, `differs by ${error}`);
    };
    near((await runOnnx(runToOnnx(run), [[input]]))[0]?.[0], run.logits(input));
    const whole = { withNormalisation: 'nchw', softmax: true } as const;
    near((await runOnnx(runToOnnx(run, whole), [[pictures]]))[0]?.[0], run.probabilities(pictures));
    const interleaved = pictures.permute(0, 2, 3, 1).contiguous();
    near(
      (await runOnnx(runToOnnx(run, { ...whole, withNormalisation: 'nhwc' }), [[interleaved]]))[0]?.[0],
      run.probabilities(pictures),
    );
    near((await runOnnx(runToOnnx(run, { opset: 21 }), [[input]]))[0]?.[0], run.logits(input));
  });

  it('ONNX for a thousand pictures at once', { skip: skipRuntime }, async () => {
    const input = torch.randn([1000, 3, 16, 16]);
    const [[logits]] = (await runOnnx(runToOnnx(run), [[input]])) as [[Tensor]];
    assert.deepEqual(logits.shape, [1000, 3]);
    assert.ok(logits.sub(run.logits(input)).abs().max().item() < 1e-4);
  });
});
