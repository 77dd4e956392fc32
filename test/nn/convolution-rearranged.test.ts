/** Convolutions that are rearranged, beside the engine's in float32 on the very same bfloat16 numbers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nn, type Tensor, torch } from '../../src/index.js';
import { unfoldedBytes } from '../../src/nn/convolution-matmul.js';
import { rearrangedConvolution } from '../../src/nn/convolution-rearranged.js';

const half = { dtype: 'bfloat16' } as const;

/** |a − b| over |b|. */
const apart = (a: Tensor, b: Tensor): number => {
  const difference = a.double().sub(b.double()).norm().item() as number;
  return difference / (b.double().norm().item() as number);
};

const last = (x: Tensor): Tensor => x.contiguous({ memoryFormat: 'channelsLast' });

/** Numbers that bfloat16 holds. */
const drawn = (...shape: number[]): Tensor => torch.randn(shape).to('bfloat16').float();

interface Case {
  readonly what: string;
  readonly input: readonly [number, number, number, number];
  readonly outputs: number;
  readonly kernel: number | [number, number];
  readonly stride?: number | [number, number];
  readonly padding?: number | [number, number];
  readonly bias?: boolean;
  /** Pictures: nobody asks for their gradient. */
  readonly picture?: boolean;
}

const cases: readonly Case[] = [
  { what: '3 × 3 on 4 × 4', input: [5, 64, 4, 4], outputs: 48, kernel: 3, padding: 1, bias: true },
  { what: '3 × 3 to 4 × 4 by a stride', input: [3, 48, 8, 8], outputs: 64, kernel: 3, stride: 2, padding: 1 },
  { what: '3 × 3 on 8 × 8', input: [3, 48, 8, 8], outputs: 48, kernel: 3, padding: 1, bias: true },
  { what: 'an odd size and a stride', input: [2, 48, 13, 11], outputs: 50, kernel: 3, stride: 2, padding: 1 },
  { what: '1 × 1 with a stride', input: [2, 64, 15, 16], outputs: 48, kernel: 1, stride: 2, bias: true },
  { what: '1 × 1 on a tiny map', input: [4, 48, 2, 2], outputs: 64, kernel: 1 },
  { what: 'a map of one column', input: [2, 48, 6, 1], outputs: 48, kernel: 3, padding: 1 },
  { what: 'no border', input: [2, 48, 5, 5], outputs: 48, kernel: 3 },
  {
    what: 'rows and columns that differ',
    input: [2, 48, 9, 7],
    outputs: 48,
    kernel: [3, 5],
    stride: [3, 2],
    padding: [0, 2],
  },
  { what: 'a stride that leaves points unseen', input: [2, 48, 8, 8], outputs: 48, kernel: 2, stride: 3 },
  {
    what: '11 × 11 over pictures',
    input: [2, 3, 32, 32],
    outputs: 8,
    kernel: 11,
    stride: 2,
    padding: 5,
    picture: true,
  },
  {
    what: '9 × 10 over odd pictures',
    input: [2, 1, 31, 26],
    outputs: 8,
    kernel: [9, 10],
    stride: [3, 2],
    padding: [4, 0],
    bias: true,
    picture: true,
  },
  { what: '12 × 12 in steps of 12', input: [2, 3, 41, 48], outputs: 8, kernel: 12, stride: 12, picture: true },
];

interface Results {
  readonly output: Tensor;
  readonly input: Tensor | null;
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  /** What made the output. */
  readonly by: string;
}

function run(
  one: Case,
  numbers: { x: Tensor; w: Tensor; b: Tensor; g: Tensor },
  way: 'float32' | nn.ConvolutionWay,
  format: (x: Tensor) => Tensor = last,
): Results {
  const [input, weight] = [numbers.x, numbers.w].map((x) => format(x.clone()).requiresGrad_());
  if (one.picture === true) (input as Tensor).requiresGrad_(false);
  const bias = one.bias === true ? numbers.b.clone().requiresGrad_() : null;
  const { stride = 1, padding = 0 } = one;
  const forward = (): Tensor => nn.functional.conv2d(input as Tensor, weight as Tensor, bias, { stride, padding });
  const output = way === 'float32' ? forward() : nn.withConvolutions(way, () => torch.autocast(half, forward));
  output.backward(numbers.g.to(output.dtype));
  return {
    output,
    input: (input as Tensor).grad,
    weight: (weight as Tensor).grad as Tensor,
    bias: bias === null ? null : (bias.grad as Tensor),
    by: output.gradFn?.name ?? '',
  };
}

describe('rearranged convolutions', () => {
  /** The rounding of bfloat16: up to 0.0025 of the largest number where the processor has AVX512, 0.0041 elsewhere. */
  const near = 1e-2;
  for (const one of cases)
    test(`${one.what}: output and gradients are those of float32, as near as bfloat16 is`, () => {
      torch.manualSeed(1);
      const [high, wide] = typeof one.kernel === 'number' ? [one.kernel, one.kernel] : one.kernel;
      const x = drawn(...one.input);
      const w = drawn(one.outputs, one.input[1], high, wide);
      const b = drawn(one.outputs);
      const { stride = 1, padding = 0 } = one;
      const g = drawn(...nn.functional.conv2d(x, w, null, { stride, padding }).shape);
      const exact = run(one, { x, w, b, g }, 'float32');
      const product = run(one, { x, w, b, g }, 'rearranged');
      if (one.picture === true) assert.doesNotMatch(product.by, /MatmulConvolution/);
      else assert.match(product.by, /MatmulConvolution/);
      assert.equal(product.output.dtype, 'bfloat16');
      for (const name of ['output', 'input', 'weight'] as const) {
        const [ours, theirs] = [product[name], exact[name]];
        assert.equal(ours === null, one.picture === true && name === 'input');
        if (ours === null || theirs === null) continue;
        assert.deepEqual(ours.shape, theirs.shape);
        const distance = apart(ours, theirs);
        assert.ok(distance < near, `${name}: ${distance} apart`);
      }
      assert.equal(product.weight.dtype, 'float32');
      assert.equal(product.weight.isContiguous('channelsLast'), true);
      // Whichever way the tensors lie.
      const first = run(one, { x, w, b, g }, 'rearranged', (tensor) => tensor.contiguous());
      for (const name of ['output', 'weight'] as const) assert.ok(apart(first[name], exact[name]) < near);
      if (exact.input !== null) assert.ok(apart(first.input as Tensor, exact.input) < near);
      if (exact.bias !== null) assert.ok(apart(product.bias as Tensor, exact.bias) < near);
    });

  test('is the same in parts, where the unfolded input would be too large', () => {
    torch.manualSeed(2);
    const one: Case = { what: '', input: [7, 48, 4, 4], outputs: 48, kernel: 3, padding: 1 };
    const numbers = { x: drawn(7, 48, 4, 4), w: drawn(48, 48, 3, 3), b: drawn(48), g: drawn(7, 48, 4, 4) };
    const whole = run(one, numbers, 'rearranged');
    const before = unfoldedBytes.most;
    try {
      // Three pictures at a time: two parts of three, one of one.
      unfoldedBytes.most = 3 * 2 * 16 * 9 * 48;
      const parts = run(one, numbers, 'rearranged');
      assert.ok(apart(parts.weight, whole.weight) < near);
      assert.ok(apart(parts.weight, run(one, numbers, 'float32').weight) < near);
    } finally {
      unfoldedBytes.most = before;
    }
  });

  test('fold large kernels with strides over the few channels of pictures, and no others', () => {
    const folds = (channels: number, kernel: number, stride: number, learnt = false): boolean => {
      const input = drawn(1, channels, 32, 32);
      const weight = drawn(8, channels, kernel, kernel).requiresGrad_();
      return nn.withConvolutions('rearranged', () =>
        torch.autocast(
          half,
          () => rearrangedConvolution(learnt ? input.requiresGrad_() : input, weight, null, stride, 5) !== undefined,
        ),
      );
    };
    assert.equal(folds(3, 11, 2), true);
    assert.equal(folds(4, 9, 3), true);
    assert.deepEqual([folds(3, 7, 2), folds(3, 11, 1), folds(5, 11, 2), folds(3, 11, 2, true)], Array(4).fill(false));
  });

  test('has a second derivative', () => {
    torch.manualSeed(3);
    const penalty = (way: 'float32' | 'rearranged', points: number, numbers: readonly Tensor[]): Tensor => {
      const [x, w] = numbers.map((one) => last(one.clone()).requiresGrad_()) as [Tensor, Tensor];
      const forward = (): Tensor => nn.functional.conv2d(x, w, null, { padding: 1 });
      const output = way === 'float32' ? forward() : nn.withConvolutions(way, () => torch.autocast(half, forward));
      assert.equal(output.shape[2], points);
      const [slope] = torch.autograd.grad(output.float().pow(2).mean(), w, { createGraph: true });
      (slope as Tensor).pow(2).sum().backward();
      return w.grad as Tensor;
    };
    // Those whose output is a product, too, and those where it is the engine's.
    for (const points of [4, 8]) {
      const numbers = [drawn(3, 48, points, points), drawn(48, 48, 3, 3)];
      const distance = apart(penalty('rearranged', points, numbers), penalty('float32', points, numbers));
      assert.ok(distance < 3e-2, `${distance} apart`);
    }
  });

  test('takes no part elsewhere: large maps, few channels, groups, dilation, float32, without gradients, or unasked', () => {
    const by = (
      channels: number,
      size: number,
      options: nn.functional.ConvolutionOptions = {},
      around: (run: () => Tensor) => Tensor = (run) =>
        nn.withConvolutions('rearranged', () => torch.autocast(half, run)),
    ): string => {
      const weight = drawn(channels, channels / (options.groups ?? 1), 3, 3).requiresGrad_();
      const run = (): Tensor =>
        nn.functional.conv2d(drawn(1, channels, size, size), weight, null, { padding: 1, ...options });
      return around(run).gradFn?.name ?? 'none';
    };
    assert.match(by(48, 8), /MatmulConvolution/);
    for (const name of [
      by(48, 9),
      by(32, 8),
      by(96, 8, { groups: 2 }),
      by(48, 8, { dilation: 2 }),
      by(48, 8, { padding: 'same' }),
      by(48, 8, {}, (run) => nn.withConvolutions('rearranged', run)),
      by(48, 8, {}, (run) => torch.autocast(half, run)),
      by(48, 8, {}, (run) => nn.withConvolutions('engine', () => torch.autocast(half, run))),
      by(48, 8, {}, (run) => nn.withConvolutions('rearranged', () => torch.autocast(half, () => torch.noGrad(run)))),
    ])
      assert.doesNotMatch(name, /MatmulConvolution/);
    const none = nn.withConvolutions('rearranged', () =>
      torch.autocast(half, () => nn.functional.conv2d(drawn(0, 48, 8, 8), drawn(48, 48, 3, 3).requiresGrad_())),
    );
    assert.deepEqual(none.shape, [0, 48, 6, 6]);
    const refused = (x: Tensor, padding: number) => () =>
      nn.withConvolutions('rearranged', () =>
        torch.autocast(half, () => nn.functional.conv2d(x, drawn(48, 48, 3, 3).requiresGrad_(), null, { padding })),
      );
    // In the engine's words, as without it.
    assert.throws(refused(drawn(1, 50, 4, 4), 1), /to have 48 channels, but got 50 channels/);
    assert.throws(refused(drawn(1, 48, 8, 8), -1), /negative padding/);
    // And the choice ends with its callback, however that ends.
    assert.throws(() =>
      nn.withConvolutions('rearranged', () => {
        throw new Error('on purpose');
      }),
    );
    assert.doesNotMatch(
      by(48, 8, {}, (run) => torch.autocast(half, run)),
      /MatmulConvolution/,
    );
  });
});
