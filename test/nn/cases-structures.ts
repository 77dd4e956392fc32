/** Pools, shapes, recurrence and attention with their options, held to PyTorch. */
import { nn, type Tensor } from '../../src/index.js';
import { type Case, layer } from './case.js';

const golden = true;
const image = 'randn(2, 4, 9, 8)';
const sequence = 'randn(2, 4, 9)';
const volume = 'randn(2, 4, 6, 5, 7)';

const pools: Case[] = [
  layer('MaxPool1d(3)', () => new nn.MaxPool1d(3), sequence, { golden }),
  layer('MaxPool2d(2)', () => new nn.MaxPool2d(2), image, { golden }),
  layer(
    'MaxPool2d((3, 2), stride=(2, 1), padding=1, dilation=2, ceil_mode=True)',
    () => new nn.MaxPool2d([3, 2], { stride: [2, 1], padding: 1, dilation: 2, ceilMode: true }),
    image,
  ),
  layer('MaxPool3d(2, stride=1)', () => new nn.MaxPool3d(2, { stride: 1 }), volume),
  layer('AvgPool1d(3, stride=2, padding=1)', () => new nn.AvgPool1d(3, { stride: 2, padding: 1 }), sequence, {
    golden,
  }),
  layer(
    'AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)',
    () => new nn.AvgPool2d(3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
    image,
    { golden },
  ),
  layer('AvgPool2d((2, 3), divisor_override=5)', () => new nn.AvgPool2d([2, 3], { divisorOverride: 5 }), image),
  layer('AvgPool3d(2)', () => new nn.AvgPool3d(2), volume),
  layer('LPPool1d(2, 3)', () => new nn.LPPool1d(2, 3), 'rand(2, 4, 9)'),
  layer('LPPool2d(1.5, (2, 3), stride=1)', () => new nn.LPPool2d(1.5, [2, 3], { stride: 1 }), 'rand(2, 4, 9, 8)'),
  layer('LPPool2d(2, 3, ceil_mode=True)', () => new nn.LPPool2d(2, 3, { ceilMode: true }), image, { golden }),
  layer('LPPool3d(2, 2)', () => new nn.LPPool3d(2, 2), 'rand(2, 4, 6, 5, 7)', { since: '2.3' }),
  layer('AdaptiveAvgPool1d(4)', () => new nn.AdaptiveAvgPool1d(4), sequence),
  layer('AdaptiveAvgPool2d(1)', () => new nn.AdaptiveAvgPool2d(1), image, { golden }),
  layer('AdaptiveAvgPool2d((3, None))', () => new nn.AdaptiveAvgPool2d([3, null]), image),
  layer('AdaptiveAvgPool3d((1, 2, 3))', () => new nn.AdaptiveAvgPool3d([1, 2, 3]), volume),
  layer('AdaptiveMaxPool1d(4)', () => new nn.AdaptiveMaxPool1d(4), sequence),
  layer('AdaptiveMaxPool2d((2, 3))', () => new nn.AdaptiveMaxPool2d([2, 3]), image, { golden }),
  layer('AdaptiveMaxPool3d(2)', () => new nn.AdaptiveMaxPool3d(2), volume),
  layer('MaxUnpool1d(2)', () => new nn.MaxUnpool1d(2), ['randn(1, 1, 3)', 'torch.tensor([[[1, 2, 5]]])']),
  layer(
    'MaxUnpool2d(2, stride=2)',
    () => new nn.MaxUnpool2d(2, { stride: 2 }),
    ['randn(1, 1, 2, 2)', 'torch.tensor([[[[1, 3], [8, 14]]]])'],
    { golden },
  ),
  layer('MaxUnpool3d(2)', () => new nn.MaxUnpool3d(2), ['randn(1, 1, 1, 2, 1)', 'torch.tensor([[[[[3], [5]]]]])']),
];

const shapes: Case[] = [
  layer('Flatten()', () => new nn.Flatten(), image, { golden }),
  layer('Flatten(0, 2)', () => new nn.Flatten(0, 2), image),
  layer('Unflatten(1, (2, 2))', () => new nn.Unflatten(1, [2, 2]), image),
  layer('Upsample(scale_factor=2)', () => new nn.Upsample({ scaleFactor: 2 }), image, { golden }),
  layer('Upsample(size=(5, 4))', () => new nn.Upsample({ size: [5, 4] }), image),
  layer(
    "Upsample(scale_factor=(1.5, 2.5), mode='bilinear', align_corners=True)",
    () => new nn.Upsample({ scaleFactor: [1.5, 2.5], mode: 'bilinear', alignCorners: true }),
    image,
    { golden },
  ),
  layer("Upsample(size=12, mode='linear')", () => new nn.Upsample({ size: 12, mode: 'linear' }), sequence),
  layer(
    "Upsample(scale_factor=1.3, mode='bicubic', recompute_scale_factor=True)",
    () => new nn.Upsample({ scaleFactor: 1.3, mode: 'bicubic', recomputeScaleFactor: true }),
    image,
  ),
  layer(
    "Upsample(scale_factor=2, mode='trilinear')",
    () => new nn.Upsample({ scaleFactor: 2, mode: 'trilinear' }),
    volume,
  ),
  layer('PixelShuffle(2)', () => new nn.PixelShuffle(2), image, { golden }),
  layer('PixelUnshuffle(3)', () => new nn.PixelUnshuffle(3), 'randn(2, 2, 6, 9)'),
  layer('ChannelShuffle(2)', () => new nn.ChannelShuffle(2), image, { since: '2.0' }),
  layer('Unfold((2, 3), padding=1, stride=2)', () => new nn.Unfold([2, 3], { padding: 1, stride: 2 }), image),
  layer('Fold((4, 5), (2, 2))', () => new nn.Fold([4, 5], [2, 2]), 'randn(2, 8, 12)'),
  layer('ConstantPad1d(2, 3.5)', () => new nn.ConstantPad1d(2, 3.5), sequence),
  layer('ConstantPad2d((1, 2, 0, -1), 1.5)', () => new nn.ConstantPad2d([1, 2, 0, -1], 1.5), image, { golden }),
  layer('ConstantPad3d(1, 0.5)', () => new nn.ConstantPad3d(1, 0.5), volume),
  layer('ZeroPad1d(1)', () => new nn.ZeroPad1d(1), sequence, { since: '2.1' }),
  layer('ZeroPad2d((1, 0, 2, 1))', () => new nn.ZeroPad2d([1, 0, 2, 1]), image),
  layer('ReflectionPad1d(2)', () => new nn.ReflectionPad1d(2), sequence),
  layer('ReflectionPad2d((1, 2, 3, 0))', () => new nn.ReflectionPad2d([1, 2, 3, 0]), image, { golden }),
  layer('ReflectionPad3d(1)', () => new nn.ReflectionPad3d(1), volume),
  layer('ReplicationPad1d(2)', () => new nn.ReplicationPad1d(2), sequence),
  layer('ReplicationPad2d(1)', () => new nn.ReplicationPad2d(1), image),
  layer('ReplicationPad3d(1)', () => new nn.ReplicationPad3d(1), volume),
  layer('CircularPad1d(2)', () => new nn.CircularPad1d(2), sequence, { since: '2.1' }),
  layer('CircularPad2d((1, 2, 0, 3))', () => new nn.CircularPad2d([1, 2, 0, 3]), image, { since: '2.1' }),
  layer('CircularPad3d(1)', () => new nn.CircularPad3d(1), volume, { since: '2.1' }),
];

const steps = 'randn(5, 2, 3)';
const recurrent: Case[] = [
  layer('LSTM(3, 4)', () => new nn.LSTM(3, 4), steps, { golden }),
  layer(
    'LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True, dropout=0.3)',
    () => new nn.LSTM(3, 4, { numLayers: 2, bidirectional: true, batchFirst: true, dropout: 0.3 }),
    steps,
  ),
  layer('LSTM(3, 4, bias=False, proj_size=2)', () => new nn.LSTM(3, 4, { bias: false, projSize: 2 }), steps),
  layer('LSTM(3, 4)', () => new nn.LSTM(3, 4), [steps, 'randn(1, 2, 4)', 'randn(1, 2, 4)'], {
    call: 'm(i[0], (i[1], i[2]))',
    forward: (m, [x, h, c]) => (m as nn.LSTM).forward(x as Tensor, [h as Tensor, c as Tensor]),
  }),
  layer('LSTM(3, 4)', () => new nn.LSTM(3, 4), 'randn(5, 3)', { call: 'm(i[0])' }),
  layer('GRU(3, 4)', () => new nn.GRU(3, 4), steps, { golden }),
  layer('GRU(3, 4, num_layers=2, bidirectional=True)', () => new nn.GRU(3, 4, { numLayers: 2, bidirectional: true }), [
    steps,
    'randn(4, 2, 4)',
  ]),
  layer('GRU(3, 4, bias=False, batch_first=True)', () => new nn.GRU(3, 4, { bias: false, batchFirst: true }), steps),
  layer('RNN(3, 4)', () => new nn.RNN(3, 4), steps, { golden }),
  layer(
    "RNN(3, 4, num_layers=2, nonlinearity='relu')",
    () => new nn.RNN(3, 4, { numLayers: 2, nonlinearity: 'relu' }),
    steps,
  ),
];

const cells: Case[] = [
  layer('LSTMCell(3, 4)', () => new nn.LSTMCell(3, 4), 'randn(2, 3)', { golden }),
  layer(
    'LSTMCell(3, 4, bias=False)',
    () => new nn.LSTMCell(3, 4, { bias: false }),
    ['randn(2, 3)', 'randn(2, 4)', 'randn(2, 4)'],
    {
      call: 'm(i[0], (i[1], i[2]))',
      forward: (m, [x, h, c]) => (m as nn.LSTMCell).forward(x as Tensor, [h as Tensor, c as Tensor]),
    },
  ),
  layer('GRUCell(3, 4)', () => new nn.GRUCell(3, 4), ['randn(2, 3)', 'randn(2, 4)']),
  layer("RNNCell(3, 4, nonlinearity='relu')", () => new nn.RNNCell(3, 4, { nonlinearity: 'relu' }), 'randn(3)'),
  layer('RNNCell(3, 4)', () => new nn.RNNCell(3, 4), 'randn(2, 3)'),
];

const distances: Case[] = [
  layer('CosineSimilarity(dim=0)', () => new nn.CosineSimilarity({ dim: 0 }), ['randn(4, 3)', 'randn(4, 3)']),
  layer('PairwiseDistance(p=1, keepdim=True)', () => new nn.PairwiseDistance({ p: 1, keepdim: true }), [
    'randn(4, 3)',
    'randn(4, 3)',
  ]),
];

const attentionInputs = ['randn(5, 2, 8)', 'randn(4, 2, 8)', 'randn(4, 2, 8)'];
const mask = 'torch.rand(5, 4) > 0.7';
const padding = 'torch.tensor([[False, False, True, True], [False, False, False, True]])';
type Attention = nn.MultiheadAttention;
const attention: Case[] = [
  layer('MultiheadAttention(8, 2)', () => new nn.MultiheadAttention(8, 2), attentionInputs, { golden }),
  layer('MultiheadAttention(8, 2)', () => new nn.MultiheadAttention(8, 2), 'randn(5, 2, 8)', {
    call: 'm(i[0], i[0], i[0], need_weights=False)',
    forward: (m, [x]) => (m as Attention).forward(x as Tensor, x as Tensor, x as Tensor, { needWeights: false }),
  }),
  layer('MultiheadAttention(8, 2)', () => new nn.MultiheadAttention(8, 2), ['randn(5, 2, 8)', 'randn(4, 2, 8)'], {
    call: 'm(i[0], i[1], i[1])',
    forward: (m, [q, k]) => (m as Attention).forward(q as Tensor, k as Tensor, k as Tensor),
  }),
  layer('MultiheadAttention(8, 2)', () => new nn.MultiheadAttention(8, 2), 'randn(5, 8)', {
    call: 'm(i[0], i[0], i[0])',
    forward: (m, [x]) => (m as Attention).forward(x as Tensor, x as Tensor, x as Tensor),
  }),
  layer('MultiheadAttention(8, 2)', () => new nn.MultiheadAttention(8, 2), [...attentionInputs, mask, padding], {
    call: 'm(i[0], i[1], i[2], attn_mask=i[3], key_padding_mask=i[4], average_attn_weights=False)',
    forward: (m, [q, k, v, attnMask, keyPaddingMask]) =>
      (m as Attention).forward(q as Tensor, k as Tensor, v as Tensor, {
        attnMask,
        keyPaddingMask,
        averageAttnWeights: false,
      }),
  }),
  layer(
    'MultiheadAttention(8, 2)',
    () => new nn.MultiheadAttention(8, 2),
    [...attentionInputs, 'randn(4, 5, 4)', padding],
    {
      call: 'm(i[0], i[1], i[2], attn_mask=i[3], key_padding_mask=i[4], need_weights=False)',
      forward: (m, [q, k, v, attnMask, keyPaddingMask]) =>
        (m as Attention).forward(q as Tensor, k as Tensor, v as Tensor, {
          attnMask,
          keyPaddingMask,
          needWeights: false,
        }),
    },
  ),
  layer('MultiheadAttention(8, 2)', () => new nn.MultiheadAttention(8, 2), ['randn(5, 2, 8)'], {
    call: "m(i[0], i[0], i[0], attn_mask=torch.full((5, 5), float('-inf'), dtype=i[0].dtype).triu(1), is_causal=True, need_weights=False)",
    forward: (m, [x]) =>
      (m as Attention).forward(x as Tensor, x as Tensor, x as Tensor, {
        attnMask: nn.generateSquareSubsequentMask(5, { dtype: (x as Tensor).dtype }),
        isCausal: true,
        needWeights: false,
      }),
    since: '2.1',
  }),
  layer(
    'MultiheadAttention(8, 4, dropout=0.3, bias=False, add_bias_kv=True, add_zero_attn=True)',
    () => new nn.MultiheadAttention(8, 4, { dropout: 0.3, bias: false, addBiasKv: true, addZeroAttn: true }),
    attentionInputs,
  ),
  layer(
    'MultiheadAttention(8, 2, kdim=3, vdim=6, batch_first=True)',
    () => new nn.MultiheadAttention(8, 2, { kdim: 3, vdim: 6, batchFirst: true }),
    ['randn(2, 5, 8)', 'randn(2, 4, 3)', 'randn(2, 4, 6)'],
    { golden },
  ),
];

const transformers: Case[] = [
  layer(
    'TransformerEncoderLayer(8, 2, dim_feedforward=12, dropout=0.0)',
    () => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12, dropout: 0 }),
    'randn(5, 2, 8)',
    { golden, printVaries: true },
  ),
  layer(
    "TransformerEncoderLayer(8, 2, 12, 0.0, activation='gelu', batch_first=True, norm_first=True, layer_norm_eps=1e-3)",
    () =>
      new nn.TransformerEncoderLayer(8, 2, {
        dimFeedforward: 12,
        dropout: 0,
        activation: 'gelu',
        batchFirst: true,
        normFirst: true,
        layerNormEps: 1e-3,
      }),
    ['randn(2, 5, 8)', 'torch.tensor([[False] * 4 + [True], [False] * 5])'],
    {
      printVaries: true,
      call: 'm(i[0], src_key_padding_mask=i[1])',
      forward: (m, [x, srcKeyPaddingMask]) =>
        (m as nn.TransformerEncoderLayer).forward(x as Tensor, { srcKeyPaddingMask }),
    },
  ),
  layer(
    'TransformerEncoderLayer(8, 2, 12, 0.2)',
    () => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12, dropout: 0.2 }),
    'randn(5, 2, 8)',
    { printVaries: true, since: '2.0' },
  ),
  layer(
    'TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, 0.0), 2, norm=nn.LayerNorm(8))',
    () =>
      new nn.TransformerEncoder(new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12, dropout: 0 }), 2, {
        norm: new nn.LayerNorm(8),
      }),
    'randn(5, 2, 8)',
    {
      printVaries: true,
      call: "m(i[0], mask=torch.full((5, 5), float('-inf'), dtype=i[0].dtype).triu(1))",
      forward: (m, [x]) =>
        (m as nn.TransformerEncoder).forward(x as Tensor, {
          mask: nn.generateSquareSubsequentMask(5, { dtype: (x as Tensor).dtype }),
        }),
    },
  ),
  layer(
    'TransformerDecoderLayer(8, 2, 12, 0.0)',
    () => new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 12, dropout: 0 }),
    ['randn(5, 2, 8)', 'randn(4, 2, 8)'],
    { printVaries: true },
  ),
  layer(
    'TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=True), 2)',
    () =>
      new nn.TransformerDecoder(
        new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 12, dropout: 0, batchFirst: true, normFirst: true }),
        2,
      ),
    ['randn(2, 5, 8)', 'randn(2, 4, 8)'],
    {
      printVaries: true,
      call: "m(i[0], i[1], tgt_mask=torch.full((5, 5), float('-inf'), dtype=i[0].dtype).triu(1))",
      forward: (m, [x, memory]) => {
        const tgtMask = nn.generateSquareSubsequentMask(5, { dtype: (x as Tensor).dtype });
        return (m as nn.TransformerDecoder).forward(x as Tensor, memory as Tensor, { tgtMask });
      },
    },
  ),
];

const containers: Case[] = [
  layer(
    'Sequential(nn.Conv2d(4, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(126, 2))',
    () => new nn.Sequential(new nn.Conv2d(4, 3, 3), new nn.ReLU(), new nn.Flatten(), new nn.Linear(126, 2)),
    image,
    { golden },
  ),
];

export const structureCases: readonly Case[] = [
  ...pools,
  ...shapes,
  ...recurrent,
  ...cells,
  ...distances,
  ...attention,
  ...transformers,
  ...containers,
];
