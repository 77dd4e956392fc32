import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as augment from '../../../src/data/augment/index.js';
import type { Batch, BatchTransform } from '../../../src/data/types.js';
import { type Tensor, torch } from '../../../src/torch/index.js';
import { batchOf, contextOf, part } from './batches.js';

const {
  alternatingFlip,
  colorJitter,
  compose,
  cutmix,
  gaussianBlur,
  mixup,
  normalize,
  randAugment,
  randomAdjustSharpness,
  randomAffine,
  randomApply,
  randomAutocontrast,
  randomChoice,
  randomCrop,
  randomEqualize,
  randomErasing,
  randomGrayscale,
  randomHorizontalFlip,
  randomInvert,
  randomPerspective,
  randomPosterize,
  randomResizedCrop,
  randomRotation,
  randomSolarize,
  randomVerticalFlip,
  toFloat,
  trivialAugmentWide,
} = augment;

const statistics = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3] };
const everything: Record<string, BatchTransform> = {
  randomResizedCrop: randomResizedCrop({ size: [9, 11] }),
  randomCrop: randomCrop({ padding: 3, paddingMode: 'reflect' }),
  randomHorizontalFlip: randomHorizontalFlip(),
  alternatingFlip: alternatingFlip(),
  randomVerticalFlip: randomVerticalFlip(),
  randomRotation: randomRotation({ degrees: 30, interpolation: 'bilinear' }),
  randomAffine: randomAffine({ degrees: 20, translate: [0.2, 0.1], scale: [0.8, 1.2], shear: [-5, 5, -3, 3] }),
  randomPerspective: randomPerspective(),
  colorJitter: colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }),
  randomGrayscale: randomGrayscale({ p: 0.5 }),
  gaussianBlur: gaussianBlur({ kernelSize: [5, 3] }),
  randomPosterize: randomPosterize({ bits: 3 }),
  randomSolarize: randomSolarize({ threshold: 100 }),
  randomEqualize: randomEqualize(),
  randomAutocontrast: randomAutocontrast(),
  randomAdjustSharpness: randomAdjustSharpness({ sharpnessFactor: 2 }),
  randomInvert: randomInvert(),
  randAugment: randAugment(),
  trivialAugmentWide: trivialAugmentWide(),
  randomErasing: randomErasing({ value: 'random' }),
  randomApply: randomApply([colorJitter({ hue: 0.2 }), randomVerticalFlip()]),
  randomChoice: randomChoice([randomInvert({ p: 1 }), randomEqualize({ p: 1 }), randomVerticalFlip({ p: 1 })], {
    p: [1, 2, 3],
  }),
  normalize: normalize(statistics),
  chain: compose([
    randomResizedCrop(),
    randomHorizontalFlip(),
    colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }),
    randAugment(),
    toFloat(),
    normalize(statistics),
    randomErasing(),
  ]),
};

const rows = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** The result in pieces, put together. */
function inPieces(transform: BatchTransform, batch: Batch, count: number, cuts: readonly number[]): Tensor {
  const pieces: Tensor[] = [];
  let start = 0;
  for (const end of [...cuts, count]) {
    if (end > start) pieces.push(transform(...part(batch, contextOf(count), rows(start, end))).input);
    start = end;
  }
  return torch.cat(pieces);
}

describe('a picture looks the same whatever batch it is in', () => {
  const count = 23;
  for (const [name, transform] of Object.entries(everything))
    for (const channelsLast of [false, true])
      test(`${name}${channelsLast ? ', channels last' : ''}`, () => {
        const batch = batchOf(count, { channelsLast, height: 20, width: 18 });
        const before = batch.input.clone();
        const whole = transform(batch, contextOf(count));
        assert.ok(torch.equal(batch.input, before), 'the batch that was given is left alone');
        assert.ok(
          !torch.equal(whole.input.to('float32'), before.to('float32')) ||
            whole.input.shape.join() !== before.shape.join(),
        );
        assert.ok(torch.equal(transform(batch, contextOf(count)).input, whole.input), 'twice the same');
        for (const cuts of [[], [1], [11], [3, 4, 9, 20], rows(1, count)])
          assert.ok(torch.equal(inPieces(transform, batch, count, cuts), whole.input), `cut at ${cuts.join(', ')}`);
        const backwards = rows(0, count).reverse();
        const mirrored = transform(...part(batch, contextOf(count), backwards)).input;
        assert.ok(torch.equal(mirrored.flip([0]), whole.input), 'in another order');
        assert.ok(torch.equal(whole.target, batch.target) && torch.equal(whole.index, batch.index));
      });

  test('another epoch or seed gives other pictures', () => {
    const batch = batchOf(count);
    const chain = everything.chain as BatchTransform;
    const first = chain(batch, contextOf(count)).input;
    for (const other of [{ epoch: 1 }, { seed: 10 }])
      assert.ok(!torch.equal(chain(batch, contextOf(count, other)).input, first));
  });

  test('one thread or many', () => {
    const batch = batchOf(64, { height: 40, width: 40 });
    const chain = everything.chain as BatchTransform;
    const threads = torch.getNumThreads();
    const many = chain(batch, contextOf(64)).input;
    torch.setNumThreads(1);
    try {
      assert.ok(torch.equal(chain(batch, contextOf(64)).input, many));
    } finally {
      torch.setNumThreads(threads);
    }
  });

  test('memory: nothing but the result stays', () => {
    const batch = batchOf(32);
    const chain = everything.chain as BatchTransform;
    const before = torch.memory({ collect: true }).handles;
    const held = chain(batch, contextOf(32));
    const more = torch.memory().handles - before;
    assert.ok(more <= 1, `${more} tensors more`);
    held.input.dispose();
  });
});

describe('compose', () => {
  const count = 400;
  const batch = batchOf(count, { height: 6, width: 6 });
  const context = contextOf(count);
  const flipped = (transform: BatchTransform): Tensor =>
    transform(batch, context).input.ne(batch.input).flatten(1).any(1);

  test('two flips in a chain are drawn apart, and so in nested chains', () => {
    const flip = randomHorizontalFlip();
    for (const chain of [
      compose([flip, flip]),
      compose([compose([flip]), compose([flip])]),
      compose([flip, compose([flip])]),
    ]) {
      const share = flipped(chain).to('float32').mean().item() as number;
      assert.ok(Math.abs(share - 0.5) < 0.12, `half of the pictures are flipped once, got ${share}`);
    }
  });

  test('the same chain built twice does the same', () => {
    const build = () => compose([randomHorizontalFlip(), randomResizedCrop(), colorJitter({ hue: 0.1 })]);
    assert.ok(torch.equal(build()(batch, context).input, build()(batch, context).input));
  });

  test('toFloat and normalize in one pass give what two give', () => {
    const one = compose([toFloat(), normalize(statistics)])(batch, context).input;
    const two = normalize(statistics)(toFloat()(batch, context), context).input;
    assert.ok((one.sub(two).abs().max().item() as number) < 1e-6);
    assert.equal(one.dtype, 'float32');
  });

  test('functions of your own take part', () => {
    const seen: number[] = [];
    const own: BatchTransform = (given, { samples }) => {
      seen.push(samples.length);
      return { ...given, target: given.target.add(1) };
    };
    const out = compose([own, randomHorizontalFlip(), own])(batch, context);
    assert.deepEqual(seen, [count, count]);
    assert.ok(torch.equal(out.target, batch.target.add(2)));
  });

  test('alternating flips: half at first, the other half next', () => {
    const flip = alternatingFlip();
    const at = (epoch: number): Tensor =>
      flip(batch, contextOf(count, { epoch })).input.ne(batch.input).flatten(1).any(1);
    const first = at(0);
    const share = first.to('float32').mean().item() as number;
    assert.ok(share > 0.4 && share < 0.6);
    assert.ok(torch.equal(at(1), first.logicalNot()));
    assert.ok(torch.equal(at(2), first));
  });
});

describe('mixing', () => {
  const count = 64;
  const batch = batchOf(count);
  const context = contextOf(count);
  const floats = toFloat()(batch, context);

  test('mixup: pictures and labels by the same weights, with the picture before', () => {
    const out = mixup({ alpha: 0.4 })(floats, context);
    assert.deepEqual(out.target.shape, [count, 5]);
    assert.equal(out.target.dtype, 'float32');
    assert.ok(torch.allclose(out.target.sum(1), torch.ones(count)));
    const before = floats.input.roll(1, 0);
    // x = w · a + (1 − w) · b at the pixel where a and b differ most gives the weight.
    const hot = torch.zeros([count, 5]).scatter_(1, batch.target.unsqueeze(1), 1);
    const gap = floats.input.sub(before);
    const weight = out.input.sub(before).mul(gap).flatten(1).sum(1).div(gap.square().flatten(1).sum(1));
    const wanted = hot.mul(weight.unsqueeze(1)).add(hot.roll(1, 0).mul(torch.rsub(weight, 1).unsqueeze(1)));
    assert.ok(torch.allclose(out.target, wanted, { atol: 1e-5 }));
    assert.ok((weight.max().item() as number) <= 1 + 1e-5 && (weight.min().item() as number) >= 0.5 - 1e-5);
    assert.ok(
      torch.allclose(
        out.input,
        floats.input.mul(weight.view([-1, 1, 1, 1])).add(before.mul(torch.rsub(weight, 1).view([-1, 1, 1, 1]))),
        { atol: 1e-5 },
      ),
    );
  });

  test('cutmix: labels by the share of pixels that are the own ones', () => {
    const out = cutmix()(batch, context);
    assert.equal(out.input.dtype, 'uint8');
    const before = batch.input.roll(1, 0);
    const own = out.input.eq(batch.input).all(1);
    const pasted = out.input.eq(before).all(1);
    assert.ok(own.logicalOr(pasted).all().item(), 'each pixel is from one of the two');
    const share = own.to('float32').mean([1, 2]);
    const hot = torch.zeros([count, 5]).scatter_(1, batch.target.unsqueeze(1), 1);
    const wanted = hot.mul(share.unsqueeze(1)).add(hot.roll(1, 0).mul(torch.rsub(share, 1).unsqueeze(1)));
    assert.ok(torch.allclose(out.target, wanted, { atol: 1e-5 }));
    assert.ok((share.std().item() as number) > 0.1);
  });

  test('p: pictures that are not mixed keep their label', () => {
    for (const transform of [mixup({ p: 0 }), cutmix({ p: 0 })]) {
      const out = transform(floats, context);
      assert.ok(torch.equal(out.input, floats.input));
      assert.ok(
        torch.equal(out.target.argmax(1), batch.target) && torch.equal(out.target.amax([1]), torch.ones(count)),
      );
    }
  });

  test('labels of several kinds are mixed as they are', () => {
    const target = torch.rand([count, 5]).gt(0.5).to('float32');
    const out = mixup()({ ...floats, target }, context);
    assert.ok(torch.allclose(out.target.sum().div(target.sum()), torch.tensor(1), { atol: 0.3 }));
    assert.throws(
      () => mixup()({ ...floats, target: torch.zeros([count, 3]) }, context),
      /3 columns, but there are 5 classes/,
    );
  });

  test('a choice between mixing and not mixing gives soft labels for all', () => {
    const out = randomChoice([mixup(), cutmix(), randomInvert({ p: 1 })])(floats, context);
    assert.deepEqual(out.target.shape, [count, 5]);
    assert.ok(torch.allclose(out.target.sum(1), torch.ones(count)));
    // Also where no picture of the batch happened to be mixed.
    assert.deepEqual(randomApply([mixup()], { p: 0 })(floats, context).target.shape, [count, 5]);
  });

  test('a batch of one', () => {
    const one = part(floats, context, [0]);
    for (const transform of [mixup(), cutmix()]) {
      const out = transform(...one);
      assert.ok(torch.allclose(out.input, one[0].input));
      assert.equal(out.target.at(0, one[0].target.item() as number).item(), 1);
    }
  });
});

describe('errors say what was wrong and what to do', () => {
  const batch = batchOf(4);
  const context = contextOf(4);
  for (const [name, act, message] of [
    [
      'unknown option',
      () => colorJitter({ brigthness: 1 } as object),
      /colorJitter\(\) has no option 'brigthness'; did you mean 'brightness'\?/,
    ],
    ['probability', () => randomHorizontalFlip({ p: 1.5 }), /p must be a number from 0 to 1, got 1\.5/],
    [
      'text for a number',
      () => randomCrop({ padding: '4' as unknown as number }),
      /padding must be a whole number .*got "4"/,
    ],
    [
      'a range upside down',
      () => randomResizedCrop({ scale: [1, 0.5] }),
      /scale must be a pair of numbers \[low, high\], got \[1,0\.5\]/,
    ],
    ['a word', () => randomCrop({ padding: 1, paddingMode: 'reflct' as 'reflect' }), /did you mean 'reflect'\?/],
    ['hue', () => colorJitter({ hue: 0.7 }), /hue must be a number from 0 to 0\.5, got 0\.7/],
    ['blur', () => gaussianBlur({ kernelSize: 4 }), /kernelSize must be odd, got 4 × 4/],
    ['empty choice', () => randomChoice([]), /randomChoice\(\) needs a list of transforms, at least one/],
    ['chances', () => randomChoice([toFloat()], { p: [1, 2] }), /one chance for each of 1 transforms/],
    [
      'no transform',
      () => compose([3 as unknown as BatchTransform]),
      /transform 0 is not a batch transform but number/,
    ],
    ['mixup of bytes', () => mixup()(batch, context), /must be floats, got uint8; put toFloat\(\) before it/],
    [
      'crop too large',
      () => randomCrop({ size: 20 })(batch, context),
      /a crop of 20 × 20 does not fit in pictures of 12 × 10/,
    ],
    [
      'reflection too wide',
      () => randomCrop({ padding: 10, paddingMode: 'reflect' })(batch, context),
      /by at most 9 pixels/,
    ],
    [
      'blur too wide',
      () => gaussianBlur({ kernelSize: 21 })(batch, context),
      /less than twice the picture's width of 10/,
    ],
    ['sample keys', () => randomHorizontalFlip()(batch, contextOf(3)), /a batch of 4 came with 3 sample keys/],
    [
      'channels',
      () => colorJitter({ hue: 0.1 })({ ...batch, input: batch.input.narrow(1, 0, 2) }, context),
      /1 or 3 channels, got 2/,
    ],
    [
      'not pictures',
      () => randomHorizontalFlip()({ ...batch, input: torch.zeros([4, 7]) }, context),
      /\[N, C, H, W\], got a tensor of shape \[4, 7\]/,
    ],
    ['deviation of 0', () => normalize({ mean: [0, 0, 0], std: [1, 0, 1] })(batch, context), /std must be above 0/],
    ['one channel', () => normalize({ mean: [0], std: [1] })(batch, context), /one number for each of 3 channels/],
    [
      'different types',
      () => randomChoice([toFloat(), randomInvert()])(batchOf(40), contextOf(40)),
      /of one type and size/,
    ],
  ] as const)
    test(name, () => {
      assert.throws(act, (error: Error) => {
        assert.match(error.message, message);
        assert.ok(!error.message.includes('\n'));
        return true;
      });
    });

  test('black and white pictures go through everything', () => {
    const grey = batchOf(6, { channels: 1 });
    for (const [name, transform] of Object.entries(everything))
      if (name !== 'normalize' && name !== 'chain') assert.equal(transform(grey, contextOf(6)).input.size(1), 1, name);
  });

  test('pictures of one pixel, and a batch of none', () => {
    for (const [name, transform] of Object.entries(everything)) {
      if (name === 'gaussianBlur' || name === 'randomCrop') continue;
      assert.equal(transform(batchOf(3, { height: 1, width: 1 }), contextOf(3)).input.size(0), 3, name);
    }
    for (const name of ['randomHorizontalFlip', 'colorJitter', 'randomResizedCrop', 'normalize', 'randAugment'])
      assert.equal((everything[name] as BatchTransform)(batchOf(0), contextOf(0)).input.size(0), 0, name);
  });
});
