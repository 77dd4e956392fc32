/** Bad input to layers and functions gets one clear sentence. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { F, nn, torch } from '../../src/index.js';
import { throwsArgument } from '../support/throws.js';

describe('sizes that cannot be', () => {
  const cases: readonly [string, () => unknown, RegExp][] = [
    ['Linear', () => new nn.Linear(2.5, 1), /Linear: inFeatures must be a whole number of at least 0, got 2\.5/],
    ['groups', () => new nn.Conv2d(3, 4, 3, { groups: 2 }), /Conv2d: inChannels \(3\) cannot be split into 2 groups/],
    ['kernel', () => new nn.Conv2d(3, 4, [3, 3, 3]), /kernelSize must be one number or 2, got \[3, 3, 3\]/],
    ['same', () => new nn.Conv1d(1, 1, 3, { stride: 2, padding: 'same' }), /'same' works with stride 1 only/],
    [
      'padding',
      () => new nn.Conv1d(1, 1, 3, { padding: 'full' as 'same' }),
      /must be a size, 'same' or 'valid', got 'full'/,
    ],
    ['padding mode', () => new nn.Conv1d(1, 1, 3, { paddingMode: 'mirror' as 'reflect' }), /got 'mirror'/],
    ['group norm', () => new nn.GroupNorm(3, 4), /4 channels cannot be split into 3 groups/],
    ['dropout', () => new nn.Dropout(1.5), /Dropout: p must be between 0 and 1, got 1\.5/],
    ['heads', () => new nn.MultiheadAttention(10, 3), /10 features cannot be split into 3 heads/],
    ['padding row', () => new nn.Embedding(3, 2, { paddingIdx: 3 }), /paddingIdx 3 is not a row of a table of 3/],
    ['projection', () => new nn.LSTM(2, 3, { projSize: 3 }), /projSize \(3\) must be below hiddenSize \(3\)/],
    ['softmax', () => new nn.Softmax(undefined as unknown as number), /say along which dimension/],
    ['pads', () => new nn.ZeroPad2d([1, 2]), /must be one number or 4, got \[1, 2\]/],
    ['hardtanh', () => new nn.Hardtanh({ minVal: 2 }), /maxVal \(1\) must be above minVal \(2\)/],
  ];
  for (const [name, work, message] of cases) test(name, () => throwsArgument(work, message));
});

describe('inputs that do not fit', () => {
  const x = torch.zeros([2, 3]);
  const cases: readonly [string, () => unknown, RegExp][] = [
    [
      'batch norm dimensions',
      () => new nn.BatchNorm2d(3).forward(x),
      /BatchNorm2d: the input must have 4 dimensions, got shape \[2, 3\]/,
    ],
    [
      'batch norm of one',
      () => new nn.BatchNorm1d(3).forward(torch.zeros([1, 3])),
      /more than 1 value per channel.*use a larger batch, or eval\(\)/,
    ],
    [
      'instance norm',
      () => new nn.InstanceNorm1d(4, { affine: true }).forward(torch.zeros([2, 3, 5])),
      /has 3 channels, expected 4/,
    ],
    [
      'recurrent',
      () => new nn.LSTM(4, 2).forward(x),
      /LSTM: the input must be \[length, batch, 4\] or \[length, 4\], got \[2, 3\]/,
    ],
    [
      'recurrent state',
      () => new nn.GRU(3, 2).forward(x, torch.zeros([1, 3])),
      /GRU: the state must be \[1, 2\], got \[1, 3\]/,
    ],
    [
      'float indices',
      () => new nn.Embedding(3, 2).forward(torch.tensor([1, 2])),
      /the indices are float32; make them integers: indices\.long\(\)/,
    ],
    [
      'float classes',
      () => F.crossEntropy(x, torch.tensor([1, 2])),
      /holds class numbers as float32; make them integers: target\.long\(\)/,
    ],
    ['reduction', () => F.mseLoss(x, x, { reduction: 'avg' as 'mean' }), /'mean', 'sum' or 'none', got 'avg'/],
    [
      'binary target',
      () => F.binaryCrossEntropyWithLogits(x, torch.zeros([2])),
      /target of a loss must have the shape of the input, \[2, 3\], got \[2\]/,
    ],
    [
      'interpolation',
      () => F.interpolate(torch.zeros([1, 1, 4, 4]), { size: 3, mode: 'linear' }),
      /mode 'linear' does not fit an input of 4 dimensions/,
    ],
    ['interpolation without size', () => F.interpolate(x, {}), /give either size or scaleFactor/],
    [
      'attention mask',
      () =>
        new nn.MultiheadAttention(4, 2).forward(
          torch.zeros([2, 1, 4]),
          torch.zeros([3, 1, 4]),
          torch.zeros([3, 1, 4]),
          { attnMask: torch.zeros([2, 2]) },
        ),
      /attnMask must have shape \[2, 3\] or \[2, 2, 3\].*got \[2, 2\]/,
    ],
    [
      'attention shapes',
      () =>
        new nn.MultiheadAttention(4, 2).forward(torch.zeros([2, 1, 4]), torch.zeros([3, 2, 4]), torch.zeros([3, 2, 4])),
      /do not fit each other/,
    ],
    [
      'transposed size',
      () => new nn.ConvTranspose1d(1, 1, 3, { stride: 2 }).forward(torch.zeros([1, 1, 4]), [20]),
      /dimension 0 must be between 9 and 10/,
    ],
    [
      'weights of another shape',
      () => F.mseLoss(x, x, { weight: torch.ones([3]) }),
      /weight of a loss must have the shape/,
    ],
    ['views that have no partner', () => F.ntXentLoss(torch.zeros([5, 3])), /two views of two samples or more.*got 5/],
    [
      'no temperature',
      () => new nn.NTXentLoss({ temperature: 0 }).forward(torch.zeros([4, 3])),
      /temperature must be above 0/,
    ],
  ];
  for (const [name, work, message] of cases) test(name, () => throwsArgument(work, message));
});

test('a broadcast target is warned about', async () => {
  const warned = new Promise<string>((resolve) => process.once('warning', (warning) => resolve(warning.message)));
  const loss = F.mseLoss(torch.zeros([3]), torch.ones([3, 1]));
  assert.equal(loss.item(), 1);
  assert.match(await warned, /\[3, 1\] is broadcast against the input of shape \[3\], which is likely wrong/);
});
