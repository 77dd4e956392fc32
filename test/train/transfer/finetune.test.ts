/** Fine-tuning in the recipe: from weights, from a run of one's own, and after a kill. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { drawFlowers } from '../../../src/data/drawn/index.js';
import { createModel, type ResNetStem } from '../../../src/models/index.js';
import { type Tensor, torch } from '../../../src/torch/index.js';
import { checkSettings } from '../../../src/train/config/settings.js';
import { loadRun, probe, type TrainEvent, train } from '../../../src/train/index.js';
import type { TrainPlan } from '../../../src/train/plan.js';
import { transferFrom } from '../../../src/train/recipe/transfer.js';
import { settingsFor, transferPlan, tuningRate } from '../../../src/train/transfer/defaults.js';
import { openStart } from '../../../src/train/transfer/source.js';
import { inChild, leftBy, onlyRun, quick, temporaryFolder, tinyFlowers } from '../runs.js';

describe('finetune', () => {
  const place = temporaryFolder();
  const weights = path.join(place, 'body.safetensors');
  let data = '';
  let other = '';
  const settings = (() => {
    const { model: _, width: __, depth: ___, ...rest } = quick;
    return { ...rest, headStart: false };
  })();
  before(async () => {
    // Features and decoded pictures of these tests are nobody else's.
    process.env.PRAXIS_CACHE_DIR = path.join(place, 'cache');
    data = await tinyFlowers(place);
    other = path.join(place, 'other');
    await drawFlowers(other, { pictures: 60, species: 4, size: 32, difficulty: 0.2, seed: 5 });
    torch.manualSeed(1);
    await torch.save(createModel('resnet20', { classes: 10, depth: 8, width: 4 }).stateDict(), weights);
  });
  after(() => fs.rmSync(place, { recursive: true, force: true }));

  async function run(options: Parameters<typeof train>[0]) {
    const training = train(options);
    const lines: Record<string, string> = {};
    const events: TrainEvent[] = [];
    for await (const event of training) {
      events.push(event);
      if (event.kind === 'stage') lines[event.stage] = event.text;
    }
    const { folder } = await training;
    const plan = (
      JSON.parse(fs.readFileSync(path.join(folder, 'run.json'), 'utf8')) as { configuration: { plan: TrainPlan } }
    ).configuration.plan;
    return { folder, lines, events, plan };
  }

  it('starts from the weights, says what it does at each stage, and writes it down', async () => {
    const { folder, lines, plan } = await run({
      ...{ ...settings, data, out: path.join(place, 'runs'), epochs: 4, pretrained: weights, headStart: true },
      ...({ size: 'auto', cache: true, layerRates: 'layer-decay' } as const),
    });
    assert.match(lines.normalise as string, /mean 0\.485 0\.456 0\.406, deviation .*ImageNet's, since nothing says/);
    assert.match(
      lines.model as string,
      /resnet20: .*with the weights of .*body\.safetensors.*a new head for 3 classes/,
    );
    assert.match(
      lines['head start'] as string,
      /a linear probe reaches \d+\.\d %, .* neighbours? .* from 16 frozen features, in/,
    );
    assert.match(
      lines.train as string,
      /the head, which begins as the linear probe, alone for 1 epoch, then all, each block at 0\.75.*then learns these pictures/,
    );
    assert.deepEqual(plan.data.statistics?.mean, [0.485, 0.456, 0.406]);
    assert.equal(plan.transfer?.sha256.length, 64);
    assert.equal(plan.augmentation?.preset, 'medium', 'from scratch so few pictures are changed strongly');
    assert.equal(plan.model.options.width, 4);
    assert.equal(plan.model.options.classes, 3);
    const normalisation = JSON.parse(fs.readFileSync(path.join(folder, 'normalisation.json'), 'utf8')) as {
      mean: number[];
    };
    assert.deepEqual(normalisation.mean, [0.485, 0.456, 0.406]);
    const loaded = await loadRun(folder);
    assert.deepEqual(loaded.classes, plan.data.classes);
    // Kept: the second time the pictures are not even decoded.
    const again = await probe({ ...settings, data, pretrained: weights, cache: true, size: 'auto' });
    assert.ok(again.cached && again.width === 16 && again.samples.train > 40);
    assert.ok((lines['head start'] as string).includes(`reaches ${(100 * again.probe).toFixed(1)} %`));
  });

  it('leaves the body as it was while only the head learns', async () => {
    const { folder } = await run({
      ...{ ...settings, data, out: path.join(place, 'frozen'), epochs: 2, headEpochs: 2, pretrained: weights },
    });
    const body = (await torch.load(weights)) as Record<string, Tensor>;
    const learnt = (await torch.load(path.join(folder, 'model.safetensors'))) as Record<string, Tensor>;
    for (const [name, tensor] of Object.entries(body))
      if (!name.startsWith('linear.')) assert.ok(torch.equal(tensor, learnt[name] as Tensor), name);
  });

  it('starts from a run of one’s own: its normalisation, its shape, other classes; the same classes keep the head', async () => {
    const first = await run({ ...quick, data, out: path.join(place, 'first') });
    const second = await run({
      ...settings,
      data: other,
      out: path.join(place, 'second'),
      epochs: 2,
      pretrained: first.folder,
    });
    assert.match(
      second.lines.model as string,
      /convnet: .*with the weights of .*trained on flowers \(3 classes\); a new head for 4 classes/,
    );
    assert.deepEqual(second.plan.data.statistics, first.plan.data.statistics);
    assert.deepEqual(second.plan.data.form, first.plan.data.form);
    assert.equal(second.plan.model.options.width, 4);
    const file = path.join(first.folder, 'model.safetensors');
    const third = await run({ ...settings, data, out: path.join(place, 'third'), epochs: 1, pretrained: file });
    assert.match(third.lines.model as string, /the classes are the same, and so is the head/);
    assert.equal(third.plan.transfer?.headEpochs, 0);
    const start = await openStart(first.folder);
    assert.deepEqual(start.classNames, first.plan.data.classes);
  });

  it('ends bit for bit the same after kills, while the head learns, when the body begins to, and later', async () => {
    const options = (out: string) => ({
      ...{ ...settings, data, out: path.join(place, out), epochs: 5, headEpochs: 2, batchSize: 8, pretrained: weights },
      ...({ augment: 'light', ema: 0.9, checkpointEvery: 0.0001, layerRates: 'discriminative', dropout: 0.2 } as const),
    });
    const whole = await inChild({ options: options('whole') });
    assert.equal(whole.code, 0, whole.stderr);
    const expected = leftBy(onlyRun(path.join(place, 'whole')));
    const first = await inChild({ options: options('killed') }, { after: 'step 3', milliseconds: 5 });
    assert.equal(first.signal, 'SIGKILL', first.stderr);
    const folder = onlyRun(path.join(place, 'killed'));
    for (const where of ['step 13', 'epoch', 'step']) {
      const end = await inChild({ resume: folder }, { after: where, milliseconds: 10 });
      assert.ok(end.signal === 'SIGKILL' || end.code === 0, end.stderr);
      if (end.code === 0) break;
    }
    if (!fs.existsSync(path.join(folder, 'result.json'))) {
      const last = await inChild({ resume: folder });
      assert.equal(last.code, 0, last.stderr);
    }
    assert.deepEqual(leftBy(folder), expected);
  });

  it('begins again without a checkpoint only from the same weights', async () => {
    const source = path.join(place, 'moved.safetensors');
    fs.copyFileSync(weights, source);
    const { folder } = await run({ ...settings, data, out: path.join(place, 'moved'), epochs: 1, pretrained: source });
    const record = path.join(folder, 'run.json');
    const { rebuild } = await (async () => ({
      rebuild: (await import('../../../src/train/recipe/rebuild.js')).startModel,
    }))();
    const { plan } = (JSON.parse(fs.readFileSync(record, 'utf8')) as { configuration: { plan: TrainPlan } })
      .configuration;
    const model = await rebuild(plan, folder);
    assert.ok(
      torch.equal(
        model.stateDict()['conv1.weight'] as Tensor,
        ((await torch.load(source)) as Record<string, Tensor>)['conv1.weight'] as Tensor,
      ),
    );
    torch.manualSeed(2);
    await torch.save(createModel('resnet20', { classes: 10, depth: 8, width: 4 }).stateDict(), source);
    await assert.rejects(rebuild(plan, folder), /has changed since this run began; start it again/);
    fs.rmSync(source);
    await assert.rejects(rebuild(plan, folder), /not at .*moved\.safetensors any more/);
  });

  it('weights of small pictures learn faster and take on new statistics; those of a million large ones do neither', async () => {
    const given = await openStart(weights);
    const large = { ...given, model: 'resnet18', side: 224 };
    const vision = { ...given, model: 'vit-tiny', side: 32 };
    assert.deepEqual(
      [given, large, vision].map((one) => tuningRate(one, 'adamw')),
      [1e-2, 1e-3, 1e-3],
    );
    const facts = { classes: ['a', 'b'], epochs: 30, batches: 13, batchSize: 32 };
    const plans = (batchNorm: 'auto' | 'keep') =>
      [given, large].map(
        (one) => transferPlan(checkSettings({ batchNorm }, 'the test'), one as typeof given, facts).batchNorm,
      );
    assert.deepEqual(plans('auto'), ['learn', 'keep']);
    assert.deepEqual(plans('keep'), ['keep', 'keep']);
  });

  it('enlarges the first convolution of small pictures’ weights for pictures that were enlarged, and only for these', async () => {
    const given = await openStart(weights);
    const stemAt = (one: typeof given, size: number, detail?: number, resizeStem: 'auto' | 'on' | 'off' = 'auto') => {
      const settings = checkSettings({ size, resizeStem }, 'the test');
      const facts = { samples: 60, classes: 3, side: 128, ...(detail === undefined ? {} : { detail }) };
      const choice = transferFrom(one, settings, facts, { classes: ['a', 'b', 'c'], multiLabel: false })?.choice;
      const { value } = choice?.choices.find(({ setting }) => setting === 'resizeStem') ?? {};
      return [choice?.modelOptions.stem, value];
    };
    const times = (scale: number) => [{ kernel: 3 * scale, stride: scale, padding: scale, pool: false }, scale];
    const untouched = [undefined, undefined];
    assert.deepEqual(stemAt(given, 64, 32), times(2));
    assert.deepEqual(stemAt(given, 112, 24), times(3));
    assert.deepEqual(stemAt(given, 48, 32), untouched);
    assert.deepEqual(stemAt(given, 64, 32, 'off'), untouched);
    const [fitted] = times(2);
    assert.deepEqual(stemAt({ ...given, options: { ...given.options, stem: fitted as ResNetStem } }, 64, 32), [
      fitted,
      undefined,
    ]);
    // Detail that the network would not see any more, or of which nothing is known.
    assert.deepEqual(stemAt(given, 64, 64), untouched);
    assert.deepEqual(stemAt(given, 64, 128), untouched);
    assert.deepEqual(stemAt(given, 64), untouched);
    assert.deepEqual(stemAt(given, 64, 128, 'on'), times(2));
    assert.deepEqual(stemAt(given, 128, 64), times(2));
    // Weights of large pictures know objects of many sizes; other networks have no such stem.
    assert.deepEqual(stemAt({ ...given, model: 'resnet18', side: 224 }, 448, 32, 'on'), untouched);
    assert.deepEqual(stemAt({ ...given, model: 'convnet', options: {}, side: 32 }, 64, 32), untouched);
    const own = { ...given, model: 'resnet-small', options: { stem: 'quarter' as const }, side: 64 };
    assert.deepEqual(stemAt(own, 128, 32), [{ kernel: 6, stride: 4, padding: 2, pool: true }, 2]);
    assert.deepEqual(stemAt({ ...own, options: {} }, 128, 32), [{ kernel: 6, stride: 4, padding: 2, pool: false }, 2]);
    assert.deepEqual(stemAt(own, 96, 32), ['quarter', undefined]);
    // And things keep their size: pictures are moved, not cut.
    const cropsOf = (one: typeof given, crops: 'auto' | 'cut' = 'auto') =>
      settingsFor(checkSettings({ crops }, 'the test'), one, { samples: 60, classes: 3, side: 128 }).crops;
    assert.deepEqual([cropsOf(given), cropsOf(given, 'cut'), cropsOf(own)], ['move', 'cut', 'auto']);
  });

  it('names what does not go together', async () => {
    const out = path.join(place, 'never');
    const refused = (options: object, message: RegExp) =>
      assert.rejects(async () => {
        const training = train({ ...settings, data, out, pretrained: weights, ...options });
        // At once: nothing was looked at before.
        for await (const { kind } of training) assert.fail(`${kind} came before it was refused`);
        await training;
      }, message);
    await refused({ model: 'resnet18' }, /the weights of .* are of resnet20, not of resnet18/);
    assert.equal((await train({ ...quick, data, out, pretrained: 'off', epochs: 1 })).state, 'finished');
    await refused({ width: 8 }, /pretrained weights have the width that they have/);
    await refused({ pretrained: 'resnet81' }, /no weights known as 'resnet81'/);
    await refused({ pretrained: path.join(place, 'gone.pth') }, /gone\.pth: there is no such file/);
    await refused({ model: createModel('mlp', { classes: 3 }) }, /given as an object keeps the weights that it has/);
    const table = path.join(place, 'table.csv');
    fs.writeFileSync(
      table,
      `a,b,label\n${Array.from({ length: 40 }, (_, i) => `${i},${i * i},${i % 2 ? 'odd' : 'even'}`).join('\n')}\n`,
    );
    await refused({ data: table }, /pretrained weights are for pictures/);
  });
});
