/** Layers with their options, held to PyTorch. */
import { nn, type Tensor } from '../../src/index.js';
import { type Case, layer } from './case.js';

const golden = true;
const evaluate = { eval: true };
const image = 'randn(2, 4, 7, 6)';
const sequence = 'randn(2, 4, 9)';
const volume = 'randn(2, 4, 5, 4, 6)';

const linear: Case[] = [
  layer('Linear(4, 3)', () => new nn.Linear(4, 3), 'randn(5, 4)', { golden }),
  layer('Linear(4, 3, bias=False)', () => new nn.Linear(4, 3, { bias: false }), 'randn(2, 5, 4)'),
  layer('Bilinear(3, 4, 2)', () => new nn.Bilinear(3, 4, 2), ['randn(5, 3)', 'randn(5, 4)'], { golden }),
  layer('Identity()', () => new nn.Identity(), 'randn(3)'),
];

const convolutions: Case[] = [
  layer('Conv1d(4, 6, 3)', () => new nn.Conv1d(4, 6, 3), sequence, { golden }),
  layer(
    'Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, bias=False)',
    () => new nn.Conv1d(4, 6, 3, { stride: 2, padding: 1, dilation: 2, groups: 2, bias: false }),
    sequence,
  ),
  layer("Conv1d(4, 2, 4, padding='same')", () => new nn.Conv1d(4, 2, 4, { padding: 'same' }), sequence),
  layer('Conv2d(4, 6, 3)', () => new nn.Conv2d(4, 6, 3), image, { golden }),
  layer(
    'Conv2d(4, 6, (3, 5), stride=(2, 1), padding=(1, 2), dilation=(2, 1))',
    () => new nn.Conv2d(4, 6, [3, 5], { stride: [2, 1], padding: [1, 2], dilation: [2, 1] }),
    image,
    { golden },
  ),
  layer(
    "Conv2d(4, 6, 3, padding='same', dilation=2, groups=2)",
    () => new nn.Conv2d(4, 6, 3, { padding: 'same', dilation: 2, groups: 2 }),
    image,
  ),
  layer("Conv2d(4, 6, 3, padding='valid')", () => new nn.Conv2d(4, 6, 3, { padding: 'valid' }), image),
  layer("Conv2d(4, 6, (2, 4), padding='same')", () => new nn.Conv2d(4, 6, [2, 4], { padding: 'same' }), image),
  ...(['reflect', 'replicate', 'circular'] as const).map((mode) =>
    layer(
      `Conv2d(4, 6, 3, padding=(2, 1), padding_mode='${mode}')`,
      () => new nn.Conv2d(4, 6, 3, { padding: [2, 1], paddingMode: mode }),
      image,
    ),
  ),
  layer(
    "Conv2d(4, 6, (2, 3), padding='same', padding_mode='reflect')",
    () => new nn.Conv2d(4, 6, [2, 3], { padding: 'same', paddingMode: 'reflect' }),
    image,
  ),
  layer('Conv2d(4, 6, 3)', () => new nn.Conv2d(4, 6, 3), 'randn(4, 7, 6)', { call: 'm(i[0])' }),
  layer('Conv3d(4, 6, 3, padding=1)', () => new nn.Conv3d(4, 6, 3, { padding: 1 }), volume, { golden }),
  layer('ConvTranspose1d(4, 6, 3, stride=2)', () => new nn.ConvTranspose1d(4, 6, 3, { stride: 2 }), sequence),
  layer(
    'ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2, dilation=2)',
    () => new nn.ConvTranspose2d(4, 6, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2, dilation: 2 }),
    image,
    { golden },
  ),
  layer('ConvTranspose2d(4, 6, 3, stride=2)', () => new nn.ConvTranspose2d(4, 6, 3, { stride: 2 }), image, {
    call: 'm(i[0], output_size=[16, 13])',
    forward: (m, [x]) => (m as nn.ConvTranspose2d).forward(x as Tensor, [16, 13]),
  }),
  layer('ConvTranspose3d(4, 2, 2, bias=False)', () => new nn.ConvTranspose3d(4, 2, 2, { bias: false }), volume),
];

const withNorms = (dimensions: 1 | 2 | 3, input: string): Case[] => {
  const Batch = [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d][dimensions - 1] as typeof nn.BatchNorm1d;
  const Instance = [nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d][
    dimensions - 1
  ] as typeof nn.InstanceNorm1d;
  const printVaries = true;
  return [
    layer(`BatchNorm${dimensions}d(4)`, () => new Batch(4), input, { golden, printVaries }),
    layer(`BatchNorm${dimensions}d(4)`, () => new Batch(4), input, { ...evaluate, printVaries }),
    layer(
      `BatchNorm${dimensions}d(4, eps=1e-3, momentum=0.3, affine=False)`,
      () => new Batch(4, { eps: 1e-3, momentum: 0.3, affine: false }),
      input,
      { printVaries },
    ),
    layer(`BatchNorm${dimensions}d(4, momentum=None)`, () => new Batch(4, { momentum: null }), input, { printVaries }),
    layer(
      `BatchNorm${dimensions}d(4, track_running_stats=False)`,
      () => new Batch(4, { trackRunningStats: false }),
      input,
      { ...evaluate, printVaries },
    ),
    layer(`InstanceNorm${dimensions}d(4)`, () => new Instance(4), input, { golden, printVaries }),
    layer(
      `InstanceNorm${dimensions}d(4, affine=True, track_running_stats=True)`,
      () => new Instance(4, { affine: true, trackRunningStats: true }),
      input,
      { printVaries },
    ),
  ];
};

const normalisation: Case[] = [
  ...withNorms(1, sequence),
  ...withNorms(2, image),
  ...withNorms(3, volume),
  layer('BatchNorm1d(4)', () => new nn.BatchNorm1d(4), 'randn(6, 4)', { call: 'm(i[0])', printVaries: true }),
  layer('InstanceNorm2d(4)', () => new nn.InstanceNorm2d(4), 'randn(4, 3, 5)', { call: 'm(i[0])', printVaries: true }),
  layer('GroupNorm(2, 4)', () => new nn.GroupNorm(2, 4), image, { golden, printVaries: true }),
  layer('GroupNorm(1, 4, eps=0.01)', () => new nn.GroupNorm(1, 4, { eps: 0.01 }), sequence, { printVaries: true }),
  layer('GroupNorm(4, 4, affine=False)', () => new nn.GroupNorm(4, 4, { affine: false }), image, { printVaries: true }),
  layer('LayerNorm(6)', () => new nn.LayerNorm(6), image, { golden, printVaries: true }),
  layer('LayerNorm((7, 6), eps=1e-3)', () => new nn.LayerNorm([7, 6], { eps: 1e-3 }), image, { printVaries: true }),
  layer('LayerNorm(6, elementwise_affine=False)', () => new nn.LayerNorm(6, { elementwiseAffine: false }), image, {
    printVaries: true,
  }),
  layer('LayerNorm(6, bias=False)', () => new nn.LayerNorm(6, { bias: false }), image, {
    since: '2.1',
    printVaries: true,
  }),
  layer('RMSNorm(6)', () => new nn.RMSNorm(6), image, { golden, printVaries: true }),
  layer('RMSNorm((7, 6), eps=1e-5)', () => new nn.RMSNorm([7, 6], { eps: 1e-5 }), image, { printVaries: true }),
  layer('RMSNorm(6, elementwise_affine=False)', () => new nn.RMSNorm(6, { elementwiseAffine: false }), image, {
    printVaries: true,
  }),
  layer('LocalResponseNorm(3)', () => new nn.LocalResponseNorm(3), image, { golden }),
  layer(
    'LocalResponseNorm(2, alpha=0.1, beta=0.5, k=2.0)',
    () => new nn.LocalResponseNorm(2, { alpha: 0.1, beta: 0.5, k: 2 }),
    sequence,
  ),
];

const dropout: Case[] = [
  layer('Dropout()', () => new nn.Dropout(), image, { golden }),
  layer('Dropout(0.2, inplace=True)', () => new nn.Dropout(0.2, { inplace: true }), image),
  layer('Dropout(0.2)', () => new nn.Dropout(0.2), image, evaluate),
  layer('Dropout1d(0.4)', () => new nn.Dropout1d(0.4), sequence),
  layer('Dropout1d(0.4)', () => new nn.Dropout1d(0.4), 'randn(6, 3)', { call: 'm(i[0])' }),
  layer('Dropout2d(0.4)', () => new nn.Dropout2d(0.4), image, { golden }),
  layer('Dropout3d(0.4)', () => new nn.Dropout3d(0.4), volume),
  layer('AlphaDropout(0.3)', () => new nn.AlphaDropout(0.3), image, { golden }),
  layer('FeatureAlphaDropout(0.3)', () => new nn.FeatureAlphaDropout(0.3), image),
];

const integers = 'randint(0, 7, (3, 5))';
const bags = { call: 'm(*i)' };
const embedding: Case[] = [
  layer('Embedding(7, 3)', () => new nn.Embedding(7, 3), integers, { golden }),
  layer('Embedding(7, 3, padding_idx=-2)', () => new nn.Embedding(7, 3, { paddingIdx: -2 }), integers),
  layer(
    'Embedding(7, 3, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True)',
    () => new nn.Embedding(7, 3, { maxNorm: 1, normType: 1, scaleGradByFreq: true }),
    integers,
  ),
  layer('Embedding(7, 3, sparse=True)', () => new nn.Embedding(7, 3, { sparse: true }), integers),
  layer('EmbeddingBag(7, 3)', () => new nn.EmbeddingBag(7, 3), integers, bags),
  layer(
    "EmbeddingBag(7, 3, mode='max', padding_idx=1)",
    () => new nn.EmbeddingBag(7, 3, { mode: 'max', paddingIdx: 1 }),
    ['randint(0, 7, (9,))', 'torch.tensor([0, 3, 5])'],
    bags,
  ),
  layer(
    "EmbeddingBag(7, 3, mode='sum', max_norm=2.0)",
    () => new nn.EmbeddingBag(7, 3, { mode: 'sum', maxNorm: 2 }),
    ['randint(0, 7, (3, 5))', 'randn(3, 5)'],
    {
      call: 'm(i[0], None, i[1])',
      forward: (m, [x, w]) => (m as nn.EmbeddingBag).forward(x as Tensor, null, w as Tensor),
    },
  ),
];

const activation = 'randn(3, 4, 5)';
const activations: Case[] = [
  ...(
    [
      ['ReLU()', () => new nn.ReLU()],
      ['ReLU(inplace=True)', () => new nn.ReLU({ inplace: true })],
      ['ReLU6()', () => new nn.ReLU6()],
      ['LeakyReLU()', () => new nn.LeakyReLU()],
      ['LeakyReLU(0.3, inplace=True)', () => new nn.LeakyReLU({ negativeSlope: 0.3, inplace: true })],
      ['ELU()', () => new nn.ELU()],
      ['ELU(0.5, inplace=True)', () => new nn.ELU({ alpha: 0.5, inplace: true })],
      ['SELU()', () => new nn.SELU()],
      ['SELU(inplace=True)', () => new nn.SELU({ inplace: true })],
      ['CELU(0.7)', () => new nn.CELU({ alpha: 0.7 })],
      ['GELU()', () => new nn.GELU()],
      ["GELU(approximate='tanh')", () => new nn.GELU({ approximate: 'tanh' })],
      ['SiLU()', () => new nn.SiLU()],
      ['SiLU(inplace=True)', () => new nn.SiLU({ inplace: true })],
      ['Mish()', () => new nn.Mish()],
      ['Hardswish()', () => new nn.Hardswish()],
      ['Hardsigmoid()', () => new nn.Hardsigmoid()],
      ['Hardtanh()', () => new nn.Hardtanh()],
      ['Hardtanh(-0.5, 0.25)', () => new nn.Hardtanh({ minVal: -0.5, maxVal: 0.25 })],
      ['Hardshrink(0.3)', () => new nn.Hardshrink(0.3)],
      ['Softshrink()', () => new nn.Softshrink()],
      ['Tanhshrink()', () => new nn.Tanhshrink()],
      ['Softplus()', () => new nn.Softplus()],
      ['Softplus(beta=2.0, threshold=1.0)', () => new nn.Softplus({ beta: 2, threshold: 1 })],
      ['Softsign()', () => new nn.Softsign()],
      ['Sigmoid()', () => new nn.Sigmoid()],
      ['Tanh()', () => new nn.Tanh()],
      ['LogSigmoid()', () => new nn.LogSigmoid()],
      ['PReLU()', () => new nn.PReLU()],
      ['PReLU(4, init=0.1)', () => new nn.PReLU(4, { init: 0.1 })],
      ['RReLU()', () => new nn.RReLU()],
      ['RReLU(0.1, 0.2)', () => new nn.RReLU({ lower: 0.1, upper: 0.2 })],
      ['Threshold(0.1, 20)', () => new nn.Threshold(0.1, 20)],
      ['Softmax(dim=1)', () => new nn.Softmax(1)],
      ['Softmin(dim=-1)', () => new nn.Softmin(-1)],
      ['LogSoftmax(dim=0)', () => new nn.LogSoftmax(0)],
      ['Softmax2d()', () => new nn.Softmax2d()],
      ['GLU(dim=1)', () => new nn.GLU(1)],
    ] as const
  ).map(([python, make]) =>
    layer(python, make, activation, {
      golden: !/RReLU|inplace/.test(python),
      printVaries: python.startsWith('Softplus'),
    }),
  ),
  layer('RReLU()', () => new nn.RReLU(), activation, evaluate),
];

export const layerCases: readonly Case[] = [
  ...linear,
  ...convolutions,
  ...normalisation,
  ...dropout,
  ...embedding,
  ...activations,
];
