/** Operators that users' own modules are made of: the exported form computes the same. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as F from '../../src/nn/functional.js';
import * as nn from '../../src/nn/index.js';
import type { AnyModule } from '../../src/nn/module.js';
import { toOnnx } from '../../src/onnx/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { runOnnx, skipRuntime } from '../support/onnxruntime.js';

class Of extends nn.Module<[Tensor], Tensor | readonly Tensor[]> {
  constructor(private readonly compute: (x: Tensor) => Tensor | readonly Tensor[]) {
    super();
  }
  override forward(x: Tensor): Tensor | readonly Tensor[] {
    return this.compute(x);
  }
}

type Case = readonly [name: string, shape: readonly number[], compute: (x: Tensor) => Tensor | readonly Tensor[]];

torch.manualSeed(5);
const matrix = torch.randn([6, 5]);
const row = torch.randn([5]);
const kernel = torch.randn([4, 3, 3, 3]);
const inputs = { vector: [5], plane: [4, 5], picture: [3, 8, 9] } as const;
const { vector, plane, picture } = inputs;

/** Of each element. */
const curves: readonly Case[] = [
  ...(['relu', 'relu6', 'elu', 'selu', 'celu', 'silu', 'mish', 'hardswish', 'hardsigmoid', 'hardtanh'] as const),
  ...(['hardshrink', 'softshrink', 'tanhshrink', 'softplus', 'softsign', 'sigmoid', 'tanh', 'logSigmoid'] as const),
  ...(['leakyRelu', 'gelu'] as const),
].map(
  (name): Case => [
    name,
    vector,
    (x) => (F as unknown as Record<string, (x: Tensor) => Tensor>)[name]?.(x.mul(4)) as Tensor,
  ],
);

const cases: readonly Case[] = [
  ...curves,
  ['gelu, tanh', vector, (x) => F.gelu(x, { approximate: 'tanh' })],
  ['softplus, beta', vector, (x) => F.softplus(x, { beta: 2 })],
  ['in place', vector, (x) => F.relu(x.add(1), { inplace: true }).mul_(2).sub_(1)],
  ['numbers', vector, (x) => x.mul(2).add(1.5).div(3).sub(x, { alpha: 0.5 }).pow(2)],
  ['number first', vector, (x) => torch.rsub(x, 2)],
  ['roots and logarithms', vector, (x) => x.abs().add(1).sqrt().log().add(x.abs().add(1).rsqrt().log1p())],
  ['exponentials', vector, (x) => x.exp().add(x.expm1()).add(x.square().add(1).log2())],
  ['waves', vector, (x) => x.sin().add(x.cos()).add(x.atan()).add(x.erf())],
  ['rounding', vector, (x) => x.mul(3).round().add(x.floor()).sub(x.ceil()).add(x.sign())],
  [
    'division, rounded',
    vector,
    (x) => [torch.div(x.mul(9), 2, { roundingMode: 'floor' }), torch.div(x.mul(9), 2, { roundingMode: 'trunc' })],
  ],
  ['remainder', vector, (x) => x.mul(5).remainder(1.5)],
  ['clamp', vector, (x) => [x.clamp(-0.5, 0.5), x.clampMin(0.1), x.clampMax(row)]],
  ['compared', vector, (x) => [x.gt(0), x.le(row), x.ne(x.abs()), x.gt(0).logicalAnd(x.lt(1))]],
  ['chosen', vector, (x) => torch.where(x.gt(0), x, row).maskedFill(x.lt(-1), 7)],
  ['maximum', vector, (x) => torch.maximum(x, row).add(torch.minimum(x, row.neg()))],
  ['lerp, addcmul', vector, (x) => [x.lerp(row, 0.3), x.addcmul(row, row, { value: 2 })]],
  ['types', vector, (x) => x.mul(3).to('int64').add(1).to('float32').div(2)],
  ['softmax', plane, (x) => [x.softmax(-1), x.logSoftmax(1)]],
  ['sums', plane, (x) => [x.sum(1), x.mean([1, 2], { keepdim: true }), x.prod(-1), x.amax(1), x.amin([1, 2])]],
  ['extremes', plane, (x) => [x.max(1)[0], x.min(-1, { keepdim: true })[1], x.argmax(1), x.argmin(2)]],
  ['spread', plane, (x) => [x.var(2), x.std(1, { keepdim: true }), x.var([1, 2], { correction: 0 })]],
  ['norms', plane, (x) => [x.norm(2, 1), torch.linalg.vectorNorm(x, 1, 2), x.logsumexp(1), F.normalize(x)]],
  ['topk', plane, (x) => x.topk(2)],
  ['cumsum', plane, (x) => x.cumsum(1)],
  ['view', plane, (x) => [x.view(-1, 20), x.reshape(x.size(0), 2, 10), x.flatten(1).unflatten(1, [5, 4])]],
  ['batch in shapes', plane, (x) => x.reshape(x.size(0) * 4, 5).reshape(x.size(0), -1)],
  [
    'dimensions',
    plane,
    (x) => [x.unsqueeze(1).squeeze(1), x.transpose(1, 2), x.permute(2, 0, 1), x.movedim(2, 1), x.mT],
  ],
  ['expand', plane, (x) => [x.unsqueeze(1).expand(-1, 3, -1, -1), row.expand(x.size(0), 5), x.repeat(1, 2, 1)]],
  ['made anew', plane, (x) => torch.cat([torch.zeros([x.size(0), 1, 5]), x, torch.ones([x.size(0), 2, 5])], 1)],
  ['cat, stack', plane, (x) => [torch.cat([x, x.neg()], 2), torch.stack([x, x.abs()], 1)]],
  ['parts', plane, (x) => [...x.split(2, 1), ...x.split([1, 3], 1), ...x.chunk(2, 2), ...x.unbind(1)]],
  ['at', plane, (x) => [x.at(':', 0), x.at(':', -1, '1:4'), x.at('...', '::2'), x.at(':', [0, 2])]],
  [
    'positions',
    plane,
    (x) => [
      x.indexSelect(1, torch.tensor([2, 0], { dtype: 'int64' })),
      x.gather(2, x.argmax(2, { keepdim: true })),
      x.flip([2]),
      x.narrow(1, 1, 2),
    ],
  ],
  ['triangles', plane, (x) => [x.tril(), x.triu(1)]],
  ['linear', plane, (x) => F.linear(x, matrix).add(F.linear(x, matrix, torch.arange(6).float()))],
  ['products', plane, (x) => [x.matmul(matrix.t()), x.bmm(x.transpose(1, 2)), torch.einsum('bij,bkj->bik', [x, x])]],
  ['linear, flat', vector, (x) => F.linear(x, matrix, torch.ones([6]))],
  ['convolution', picture, (x) => F.conv2d(x, kernel, null, { stride: 2, padding: 1, dilation: 1 })],
  ['convolution, same', picture, (x) => F.conv2d(x, kernel.at(':', ':', ':', ':2'), row.at(':4'), { padding: 'same' })],
  ['convolution, grouped', picture, (x) => F.conv2d(x, kernel.at(':3', ':1'), null, { groups: 3, dilation: 2 })],
  [
    'convolution, turned round',
    picture,
    (x) => F.convTranspose2d(x, kernel.at(':3'), null, { stride: 2, padding: 1, outputPadding: 1 }),
  ],
  ['convolution of lines', plane, (x) => F.conv1d(x, torch.ones([2, 4, 3]), null, { padding: 1 })],
  [
    'max pool',
    picture,
    (x) => [
      F.maxPool2d(x, 3, { stride: 2, padding: 1 }),
      F.maxPool2d(x, 2, { ceilMode: true }),
      F.maxPool2d(x, 2, { dilation: 2, stride: 1 }),
    ],
  ],
  [
    'average pool',
    picture,
    (x) => [
      F.avgPool2d(x, 3, { stride: 2, padding: 1 }),
      F.avgPool2d(x, 2, { ceilMode: true, countIncludePad: false }),
      F.avgPool2d(x, 3, { padding: 1, countIncludePad: false }),
    ],
  ],
  [
    'adaptive pools',
    picture,
    (x) => [
      F.adaptiveAvgPool2d(x, 1),
      F.adaptiveAvgPool2d(x, [4, 3]),
      F.adaptiveAvgPool2d(x, [3, 4]),
      F.adaptiveMaxPool2d(x, [2, 3]),
    ],
  ],
  [
    'normalisation',
    picture,
    (x) => [
      F.layerNorm(x, [8, 9]),
      F.layerNorm(x, [9], { weight: torch.arange(9).float(), eps: 0.1 }),
      F.groupNorm(x, 3),
      F.instanceNorm(x),
      F.localResponseNorm(x, 2),
    ],
  ],
  ['root mean square', plane, (x) => F.rmsNorm(x, [5], { weight: row })],
  [
    'pad',
    picture,
    (x) => [
      F.pad(x, [1, 2, 0, 1], { value: 3 }),
      F.pad(x, [1, 1, 2, 2], { mode: 'reflect' }),
      F.pad(x, [1, 0, 0, 2], { mode: 'replicate' }),
      F.pad(x, [-1, 0]),
    ],
  ],
  [
    'resized',
    picture,
    (x) => [
      F.interpolate(x, { scaleFactor: 2 }),
      F.interpolate(x, { size: [16, 5], mode: 'bilinear' }),
      F.interpolate(x, { size: [5, 18], mode: 'bilinear', alignCorners: true }),
      F.interpolate(x, { scaleFactor: 2, mode: 'bicubic' }),
    ],
  ],
  ['shuffled', [4, 6, 6], (x) => [F.pixelShuffle(x, 2), F.pixelUnshuffle(x, 3)]],
  [
    'attention',
    [2, 4, 6],
    (x) => [
      F.scaledDotProductAttention(x, x.mul(2), x),
      F.scaledDotProductAttention(x, x, x, { isCausal: true }),
      F.scaledDotProductAttention(x, x, x, { attnMask: torch.ones([4, 4], { dtype: 'bool' }).tril() }),
    ],
  ],
  [
    'prelu, threshold, glu',
    [4, 3],
    (x) => [
      F.prelu(x, torch.tensor([0.1, 0.2, 0.3, 0.4])),
      F.threshold(x, { threshold: 0.2, value: 9 }),
      F.glu(x, { dim: 1 }),
    ],
  ],
];

async function checkCase([name, shape, compute]: Case, opset: number): Promise<void> {
  const model = new Of(compute).eval();
  const bytes = toOnnx(model, torch.randn([2, ...shape]), { opset });
  const batches = [1, 3].map((count) => torch.randn([count, ...shape]));
  const answers = await runOnnx(
    bytes,
    batches.map((batch) => [batch]),
  );
  for (const [i, batch] of batches.entries()) {
    const expected = [torch.noGrad(() => model.call(batch))].flat();
    assert.equal(answers[i]?.length, expected.length);
    for (const [j, want] of expected.entries()) {
      const got = answers[i]?.[j] as Tensor;
      assert.deepEqual(got.shape, want.shape, `${name}, output ${j}: shape`);
      assert.equal(got.dtype, want.dtype, `${name}, output ${j}: type`);
      const error = got.double().sub(want.double()).abs().max().item();
      assert.ok(error < 2e-5, `${name}, opset ${opset}, output ${j}, ${batch.shape[0]} samples: differs by ${error}`);
    }
  }
}

describe('operators in onnxruntime', { skip: skipRuntime }, () => {
  for (const one of cases) test(one[0], () => checkCase(one, 17));
  test('all of them in the oldest and the newest version of the operators', async () => {
    for (const opset of [14, 22]) for (const one of cases) await checkCase(one, opset);
  });

  const modules: readonly [AnyModule, readonly number[]][] = [
    [
      new nn.Sequential(
        new nn.Conv2d(3, 4, 3),
        new nn.BatchNorm2d(4),
        new nn.ReLU(),
        new nn.Flatten(),
        new nn.Linear(4 * 42, 2),
      ),
      picture,
    ],
    [
      new nn.Sequential(
        new nn.InstanceNorm2d(3, { affine: true }),
        new nn.PReLU(3),
        new nn.Upsample({ scaleFactor: 2 }),
      ),
      picture,
    ],
    [
      new nn.Sequential(
        new nn.Dropout(0.5),
        new nn.LayerNorm(5),
        new nn.Linear(5, 4, { bias: false }),
        new nn.Softmax(-1),
      ),
      plane,
    ],
    [new nn.TransformerEncoderLayer(6, 2, { dimFeedforward: 8, batchFirst: true }), [3, 6]],
  ];
  for (const [module, shape] of modules)
    test(
      module.constructor.name === 'Sequential'
        ? module
            .modules()
            .slice(1)
            .map((one) => one.constructor.name)
            .join(', ')
        : module.constructor.name,
      async () => {
        module.eval();
        const x = torch.randn([4, ...shape]);
        const [[answer]] = (await runOnnx(toOnnx(module, x.narrow(0, 0, 2)), [[x]])) as [[Tensor]];
        assert.ok(torch.allclose(answer, torch.noGrad(() => module.call(x)) as Tensor, { atol: 1e-5 }));
      },
    );
});
