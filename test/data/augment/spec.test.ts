import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type AugmentationSpec,
  augmentationPreset,
  augmentationPresets,
  buildAugmentation,
  changeAugmentation,
  compose,
  describeAugmentation,
  normalize,
  presetFor,
  randomHorizontalFlip,
  toFloat,
} from '../../../src/data/augment/index.js';
import { torch } from '../../../src/torch/index.js';
import { batchOf, contextOf } from './batches.js';

const statistics = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3] };

describe('presets', () => {
  test('auto is stronger the fewer pictures there are', () => {
    assert.deepEqual([10, 199, 200, 1999, 2000, 60000].map(presetFor), [
      ...['strong', 'strong', 'medium', 'medium', 'light', 'light'],
    ]);
    for (const samplesPerClass of [10, 500, 5000])
      assert.equal(augmentationPreset('auto', { samplesPerClass, size: 64 }).preset, presetFor(samplesPerClass));
  });

  for (const name of augmentationPresets)
    for (const size of [32, 128, [96, 64]] as const)
      test(`${name} at ${JSON.stringify(size)} is JSON, builds, and gives normalised floats of the size`, () => {
        const spec = augmentationPreset(name, { samplesPerClass: 100, size });
        assert.deepEqual(JSON.parse(JSON.stringify(spec)), spec);
        const [height, width] = typeof size === 'number' ? [size, size] : size;
        const batch = batchOf(16, { height, width, channelsLast: true });
        const read = JSON.parse(JSON.stringify(spec)) as AugmentationSpec;
        const out = buildAugmentation(read, { statistics })(batch, contextOf(16));
        assert.deepEqual(out.input.shape, [16, 3, height, width]);
        assert.equal(out.input.dtype, 'float32');
        const mean = out.input.mean().item() as number;
        assert.ok(Math.abs(mean) < 0.6, `mean ${mean} of normalised noise`);
        assert.equal(
          out.target.ndim,
          spec.steps.some(({ name: step }) => step === 'mixup' || step === 'cutmix') ? 2 : 1,
        );
      });

  test('nothing but normalisation for none', () => {
    const batch = batchOf(3);
    const out = buildAugmentation({ steps: [] }, { statistics })(batch, contextOf(3));
    const wanted = compose([toFloat(), normalize(statistics)])(batch, contextOf(3));
    assert.ok(torch.equal(out.input, wanted.input));
    assert.ok((buildAugmentation({ steps: [] })(batch, contextOf(3)).input.max().item() as number) <= 1);
  });

  test('crops move small pictures and cut others, unless it is said', () => {
    const first = (size: number, crops?: 'auto' | 'cut' | 'move') =>
      augmentationPreset('medium', { samplesPerClass: 10, size, ...(crops ? { crops } : {}) }).steps[0];
    const moved = (padding: number) => ({ name: 'randomCrop', options: { padding, paddingMode: 'reflect' } });
    assert.deepEqual([first(40), first(64, 'move'), first(128, 'move')], [moved(5), moved(8), moved(16)]);
    const cut = (size: number) => ({ name: 'randomResizedCrop', options: { size: [size, size], scale: [0.35, 1] } });
    assert.deepEqual([first(41, 'auto'), first(32, 'cut')], [cut(41), cut(32)]);
    assert.throws(() => first(64, 'shift' as 'move'), /crops must be auto, cut, move, got "shift"/);
  });

  test('flips can be left out', () => {
    const spec = augmentationPreset('strong', { samplesPerClass: 10, size: 64, flips: false });
    assert.ok(!JSON.stringify(spec).includes('Flip'));
  });
});

describe('a description stands for the same transform as calls', () => {
  test('names, options and positions', () => {
    const spec = { steps: [{ name: 'randomHorizontalFlip', options: { p: 0.3 } }, { name: 'randomHorizontalFlip' }] };
    const batch = batchOf(40);
    const built = buildAugmentation(spec)(batch, contextOf(40)).input;
    const called = compose([randomHorizontalFlip({ p: 0.3 }), randomHorizontalFlip(), toFloat()])(batch, contextOf(40));
    assert.ok(torch.equal(built, called.input));
  });

  test('erasing and mixing come after normalisation: what is erased is the mean', () => {
    const spec = { steps: [{ name: 'randomErasing', options: { p: 1 } }] };
    const out = buildAugmentation(spec, { statistics })(batchOf(8), contextOf(8)).input;
    const zeros = out.eq(0).all(1).flatten(1).any(1).all().item();
    assert.equal(zeros, true);
  });

  test('steps that say themselves where pictures become floats are left as they are', () => {
    const spec = { steps: [{ name: 'toFloat' }, { name: 'randomErasing', options: { p: 1, value: 1 } }] };
    const out = buildAugmentation(spec, { statistics })(batchOf(4), contextOf(4)).input;
    assert.equal(out.max().item(), 1);
    assert.equal(out.min().item(), 0);
  });

  test('composites', () => {
    const spec = {
      steps: [{ name: 'randomChoice', options: { p: [1, 1] }, steps: [{ name: 'mixup' }, { name: 'cutmix' }] }],
    };
    const out = buildAugmentation(spec, { statistics })(batchOf(8), contextOf(8));
    assert.deepEqual(out.target.shape, [8, 5]);
  });

  test('single entries can be changed, left out and added', () => {
    const spec = augmentationPreset('strong', { samplesPerClass: 10, size: 64 });
    const changed = changeAugmentation(spec, { mixup: false, randomErasing: { p: 0.5 }, randomGrayscale: { p: 0.1 } });
    assert.deepEqual(
      changed.steps.map((step) => step.name),
      [...['randomResizedCrop', 'randomHorizontalFlip', 'trivialAugmentWide', 'randomGrayscale', 'randomErasing']],
    );
    assert.deepEqual(changed.steps.at(-1)?.options, { p: 0.5 });
    assert.equal(changed.preset, 'strong+');
    assert.deepEqual(changeAugmentation(spec, {}), spec);
  });

  test('one line for people', () => {
    const spec = augmentationPreset('medium', { samplesPerClass: 500, size: 128 });
    assert.equal(
      describeAugmentation(spec),
      'medium: randomResizedCrop(size 128, scale 0.35…1) → randomHorizontalFlip(p 0.5) → colorJitter(brightness 0.3, contrast 0.3, saturation 0.3) → cutmix(alpha 1, p 0.5)',
    );
    assert.equal(describeAugmentation({ steps: [] }), 'nothing');
  });
});

describe('a wrong description gets one sentence', () => {
  const build = (step: unknown) => () => buildAugmentation({ steps: [{ name: 'toFloat' }, step] } as AugmentationSpec);
  for (const [name, act, message] of [
    [
      'a misspelt name',
      build({ name: 'colourJitter' }),
      /^augmentation step 1: there is no augmentation 'colourJitter'; did you mean 'colorJitter'\?$/,
    ],
    [
      'a misspelt option',
      build({ name: 'mixup', options: { aplha: 1 } }),
      /^augmentation step 1: mixup\(\) has no option 'aplha'; did you mean 'alpha'\?$/,
    ],
    [
      'a wrong value',
      build({ name: 'randomErasing', options: { p: 2 } }),
      /^augmentation step 1: .*p must be a number from 0 to 1, got 2\.$/,
    ],
    ['no name', build({ nme: 'mixup' }), /^augmentation step 1 must be an object like/],
    ['something else', build(null), /^augmentation step 1 must be an object like .* got null/],
    ['an extra entry', build({ name: 'mixup', alpha: 1 }), /has an entry 'alpha'; a step has only name, options/],
    ['steps where none belong', build({ name: 'mixup', steps: [] }), /takes no steps/],
    ['no steps where they belong', build({ name: 'randomApply' }), /needs a list of steps/],
    [
      'an inner step',
      build({ name: 'randomApply', steps: [{ name: 'mixp' }] }),
      /^augmentation step 1\.steps\[0\]: .* did you mean 'mixup'\?$/,
    ],
    [
      'no description',
      () => buildAugmentation([] as unknown as AugmentationSpec),
      /^buildAugmentation\(\) needs a description/,
    ],
    [
      'a preset',
      () => augmentationPreset('meduim' as 'medium', { samplesPerClass: 1, size: 1 }),
      /no augmentation preset "meduim"; did you mean 'medium'\?/,
    ],
  ] as const)
    test(name, () => {
      assert.throws(act, (error: Error) => {
        assert.match(error.message, message);
        return true;
      });
    });
});
