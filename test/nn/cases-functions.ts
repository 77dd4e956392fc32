/** Functions of `F` and losses with their options, held to PyTorch. */
import { F, nn, type Tensor, torch } from '../../src/index.js';
import { type Case, call, layer } from './case.js';

const golden = true;
const logits = 'randn(6, 4)';
const classes = 'randint(0, 4, (6,))';
const someIgnored = 'torch.tensor([0, 3, -100, 1, -100, 2])';
const weights = 'const rand(4)';
const probabilities = 'torch.softmax(torch.randn(6, 4), 1)';
const binary = 'randint(0, 2, (6, 4)).float()';
const signs = 'randint(0, 2, (6,)) * 2 - 1';
const reductions = ['none', 'mean', 'sum'] as const;

const crossEntropy: Case[] = [
  ...reductions.map((reduction) =>
    call(
      `F.cross_entropy(*i, reduction='${reduction}')`,
      (x, t) => F.crossEntropy(x as Tensor, t as Tensor, { reduction }),
      [logits, classes],
      { golden },
    ),
  ),
  ...reductions.map((reduction) =>
    call(
      `F.cross_entropy(i[0], i[1], weight=i[2], label_smoothing=0.2, reduction='${reduction}')`,
      (x, t, weight) => F.crossEntropy(x as Tensor, t as Tensor, { weight, labelSmoothing: 0.2, reduction }),
      [logits, someIgnored, weights],
      { golden: reduction === 'mean' },
    ),
  ),
  call('F.cross_entropy(*i, ignore_index=2)', (x, t) => F.crossEntropy(x as Tensor, t as Tensor, { ignoreIndex: 2 }), [
    logits,
    classes,
  ]),
  call(
    'F.cross_entropy(i[0], i[1], weight=i[2], label_smoothing=0.1)',
    (x, t, weight) => F.crossEntropy(x as Tensor, t as Tensor, { weight, labelSmoothing: 0.1 }),
    [logits, probabilities, weights],
    { golden },
  ),
  call('F.cross_entropy(*i)', (x, t) => F.crossEntropy(x as Tensor, t as Tensor), [
    'randn(2, 4, 3, 5)',
    'randint(0, 4, (2, 3, 5))',
  ]),
  call(
    'F.nll_loss(F.log_softmax(i[0], 1), i[1], weight=i[2])',
    (x, t, weight) => F.nllLoss(F.logSoftmax(x as Tensor, 1), t as Tensor, { weight }),
    [logits, someIgnored, weights],
    { golden },
  ),
  layer('CrossEntropyLoss(label_smoothing=0.1)', () => new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }), [
    logits,
    classes,
  ]),
  layer("NLLLoss(reduction='sum')", () => new nn.NLLLoss({ reduction: 'sum' }), [logits, classes]),
];

const pair = ['randn(5, 3)', 'randn(5, 3)'];
const regression: Case[] = [
  ...reductions.flatMap((reduction) => [
    call(
      `F.mse_loss(*i, reduction='${reduction}')`,
      (x, t) => F.mseLoss(x as Tensor, t as Tensor, { reduction }),
      pair,
      { golden },
    ),
    call(`F.l1_loss(*i, reduction='${reduction}')`, (x, t) => F.l1Loss(x as Tensor, t as Tensor, { reduction }), pair),
    call(
      `F.smooth_l1_loss(*i, beta=0.5, reduction='${reduction}')`,
      (x, t) => F.smoothL1Loss(x as Tensor, t as Tensor, { beta: 0.5, reduction }),
      pair,
    ),
    call(
      `F.huber_loss(*i, delta=0.7, reduction='${reduction}')`,
      (x, t) => F.huberLoss(x as Tensor, t as Tensor, { delta: 0.7, reduction }),
      pair,
    ),
    call(
      `F.mse_loss(i[0], i[1], weight=i[2], reduction='${reduction}')`,
      (x, t, weight) => F.mseLoss(x as Tensor, t as Tensor, { weight, reduction }),
      [...pair, 'const rand(5, 3)'],
      { since: '2.7' },
    ),
  ]),
  call('F.smooth_l1_loss(*i, beta=0.0)', (x, t) => F.smoothL1Loss(x as Tensor, t as Tensor, { beta: 0 }), pair),
  call('F.huber_loss(*i)', (x, t) => F.huberLoss(x as Tensor, t as Tensor), pair, { golden }),
  layer('MSELoss()', () => new nn.MSELoss(), pair),
  layer('L1Loss()', () => new nn.L1Loss(), pair),
  layer('SmoothL1Loss(beta=2.0)', () => new nn.SmoothL1Loss({ beta: 2 }), pair),
  layer('HuberLoss(delta=0.1)', () => new nn.HuberLoss({ delta: 0.1 }), pair),
];

const binaryLosses: Case[] = [
  ...reductions.flatMap((reduction) => [
    call(
      `F.binary_cross_entropy(torch.sigmoid(i[0]), i[1], weight=i[2], reduction='${reduction}')`,
      (x, t, weight) => F.binaryCrossEntropy(F.sigmoid(x as Tensor), t as Tensor, { weight, reduction }),
      [logits, binary, weights],
    ),
    call(
      `F.binary_cross_entropy_with_logits(i[0], i[1], weight=i[2], pos_weight=i[3], reduction='${reduction}')`,
      (x, t, weight, posWeight) =>
        F.binaryCrossEntropyWithLogits(x as Tensor, t as Tensor, { weight, posWeight, reduction }),
      [logits, binary, weights, weights],
      { golden: reduction === 'mean' },
    ),
    call(
      `sigmoid_focal_loss(i[0], i[1], alpha=0.4, gamma=1.5, reduction='${reduction}')`,
      (x, t) => F.sigmoidFocalLoss(x as Tensor, t as Tensor, { alpha: 0.4, gamma: 1.5, reduction }),
      [logits, binary],
      { golden: reduction === 'mean' },
    ),
    call(
      `F.kl_div(F.log_softmax(i[0], 1), i[1], reduction='${reduction}')`,
      (x, t) => F.klDiv(F.logSoftmax(x as Tensor, 1), t as Tensor, { reduction }),
      [logits, probabilities],
    ),
  ]),
  call(
    "F.kl_div(F.log_softmax(i[0], 1), i[1].log(), reduction='batchmean', log_target=True)",
    (x, t) => F.klDiv(F.logSoftmax(x as Tensor, 1), (t as Tensor).log(), { reduction: 'batchmean', logTarget: true }),
    [logits, probabilities],
    { golden },
  ),
  // gamma 0 is cross-entropy, and the general form is checked against its definition.
  call(
    'F.cross_entropy(i[0], i[1], weight=i[2])',
    (x, t, weight) => F.focalLoss(x as Tensor, t as Tensor, { gamma: 0, weight }),
    [logits, someIgnored, weights],
  ),
  call(
    '((1 - torch.softmax(i[0], 1).gather(1, i[1][:, None])[:, 0]) ** 2 * F.cross_entropy(*i, reduction="none")).mean()',
    (x, t) => F.focalLoss(x as Tensor, t as Tensor),
    [logits, classes],
    { golden },
  ),
  layer('BCELoss()', () => new nn.BCELoss(), ['torch.rand(6, 4)', binary]),
  layer('BCEWithLogitsLoss()', () => new nn.BCEWithLogitsLoss(), [logits, binary]),
  layer('KLDivLoss(log_target=True)', () => new nn.KLDivLoss({ logTarget: true }), [logits, logits]),
];

const rows = ['randn(6, 3)', 'randn(6, 3)'];
const marginLosses: Case[] = [
  call(
    'F.cosine_embedding_loss(*i, margin=0.3)',
    (a, b, t) => F.cosineEmbeddingLoss(a as Tensor, b as Tensor, t as Tensor, { margin: 0.3 }),
    [...rows, signs],
    { golden },
  ),
  call(
    'F.hinge_embedding_loss(*i, margin=0.5)',
    (x, t) => F.hingeEmbeddingLoss(x as Tensor, t as Tensor, { margin: 0.5 }),
    ['randn(6)', signs],
  ),
  call(
    'F.margin_ranking_loss(*i, margin=0.2)',
    (a, b, t) => F.marginRankingLoss(a as Tensor, b as Tensor, t as Tensor, { margin: 0.2 }),
    ['randn(6)', 'randn(6)', signs],
  ),
  call(
    'F.triplet_margin_loss(*i, margin=0.7, p=1, swap=True)',
    (a, p, n) => F.tripletMarginLoss(a as Tensor, p as Tensor, n as Tensor, { margin: 0.7, p: 1, swap: true }),
    [...rows, 'randn(6, 3)'],
  ),
  call('F.soft_margin_loss(*i)', (x, t) => F.softMarginLoss(x as Tensor, t as Tensor), [
    'randn(6)',
    `const (${signs}).float()`,
  ]),
  call(
    'F.multi_margin_loss(i[0], i[1], p=2, margin=0.5, weight=i[2])',
    (x, t, weight) => F.multiMarginLoss(x as Tensor, t as Tensor, { p: 2, margin: 0.5, weight }),
    [logits, classes, weights],
  ),
  call('F.multilabel_margin_loss(*i)', (x, t) => F.multilabelMarginLoss(x as Tensor, t as Tensor), [
    'randn(2, 4)',
    'torch.tensor([[1, 3, -1, 0], [2, -1, 0, 1]])',
  ]),
  call(
    'F.multilabel_soft_margin_loss(i[0], i[1], weight=i[2])',
    (x, t, weight) => F.multilabelSoftMarginLoss(x as Tensor, t as Tensor, { weight }),
    [logits, binary, weights],
  ),
  call('F.poisson_nll_loss(*i, full=True)', (x, t) => F.poissonNllLoss(x as Tensor, t as Tensor, { full: true }), [
    'randn(6)',
    'randint(0, 9, (6,)).float()',
  ]),
  call(
    'F.gaussian_nll_loss(*i, full=True)',
    (x, t, v) => F.gaussianNllLoss(x as Tensor, t as Tensor, v as Tensor, { full: true }),
    ['randn(6)', 'randn(6)', 'rand(6)'],
  ),
  call(
    'F.ctc_loss(F.log_softmax(i[0], 2), i[1], (9, 8), (3, 2))',
    (x, t) => F.ctcLoss(F.logSoftmax(x as Tensor, 2), t as Tensor, [9, 8], [3, 2]),
    ['randn(9, 2, 5)', 'randint(1, 5, (2, 3))'],
  ),
];

const heads = ['randn(2, 3, 5, 4)', 'randn(2, 3, 6, 4)', 'randn(2, 3, 6, 4)'];
const attention: Case[] = [
  call(
    'F.scaled_dot_product_attention(*i)',
    (q, k, v) => F.scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor),
    heads,
    { since: '2.0', golden },
  ),
  call(
    'F.scaled_dot_product_attention(*i, is_causal=True, scale=0.7)',
    (q, k, v) => F.scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, { isCausal: true, scale: 0.7 }),
    heads,
    { since: '2.1', golden },
  ),
  call(
    'F.scaled_dot_product_attention(*i)',
    (q, k, v, attnMask) => F.scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, { attnMask }),
    [...heads, 'torch.rand(5, 6) > 0.4'],
    { since: '2.0', golden },
  ),
];

const others: Case[] = [
  call(
    "torch.cat([stochastic_depth(i[0], 0.4, 'row'), stochastic_depth(i[0], 0.4, 'batch')])",
    (x) => torch.cat((['row', 'batch'] as const).map((mode) => F.stochasticDepth(x as Tensor, { p: 0.4, mode }))),
    'randn(8, 3)',
    { golden },
  ),
  call('F.normalize(i[0], p=3.0, dim=-1)', (x) => F.normalize(x as Tensor, { p: 3, dim: -1 }), 'randn(4, 3)', {
    golden,
  }),
  call('F.cosine_similarity(*i, dim=0)', (a, b) => F.cosineSimilarity(a as Tensor, b as Tensor, { dim: 0 }), rows),
  call(
    'F.pairwise_distance(*i, p=1, keepdim=True)',
    (a, b) => F.pairwiseDistance(a as Tensor, b as Tensor, { p: 1, keepdim: true }),
    rows,
  ),
  call('F.one_hot(i[0], 5)', (x) => F.oneHot(x as Tensor, 5), 'randint(0, 5, (4,))'),
  call(
    'F.gumbel_softmax(i[0], tau=0.5, hard=True)',
    (x) => F.gumbelSoftmax(x as Tensor, { tau: 0.5, hard: true }),
    logits,
  ),
  call(
    'F.max_pool2d(i[0], 2, return_indices=True)',
    (x) => F.maxPool2d(x as Tensor, 2, { returnIndices: true }),
    'randn(1, 2, 4, 4)',
  ),
  call(
    'F.adaptive_max_pool2d(i[0], 2, return_indices=True)',
    (x) => F.adaptiveMaxPool2d(x as Tensor, 2, { returnIndices: true }),
    'randn(1, 2, 5, 4)',
  ),
  call(
    "F.interpolate(i[0], size=(3, 4), mode='bilinear', antialias=True)",
    (x) => F.interpolate(x as Tensor, { size: [3, 4], mode: 'bilinear', antialias: true }),
    'randn(1, 2, 9, 8)',
  ),
  call(
    "F.interpolate(i[0], scale_factor=0.6, mode='area')",
    (x) => F.interpolate(x as Tensor, { scaleFactor: 0.6, mode: 'area' }),
    'randn(1, 2, 9, 8)',
  ),
  call(
    "F.interpolate(i[0], scale_factor=1.7, mode='nearest-exact')",
    (x) => F.interpolate(x as Tensor, { scaleFactor: 1.7, mode: 'nearest-exact' }),
    'randn(1, 2, 5)',
  ),
  call(
    "F.pad(i[0], (1, 2), mode='circular')",
    (x) => F.pad(x as Tensor, [1, 2], { mode: 'circular' }),
    'randn(1, 2, 5)',
  ),
  call(
    "F.grid_sample(i[0], F.affine_grid(i[1], (1, 2, 3, 4), align_corners=True), mode='bicubic', padding_mode='border', align_corners=True)",
    (x, theta) =>
      F.gridSample(x as Tensor, F.affineGrid(theta as Tensor, [1, 2, 3, 4], { alignCorners: true }), {
        mode: 'bicubic',
        paddingMode: 'border',
        alignCorners: true,
      }),
    ['randn(1, 2, 5, 4)', 'randn(1, 2, 3)'],
  ),
  call('F.softmax(i[0], dim=0, dtype=torch.float64)', (x) => F.softmax(x as Tensor, 0, { dtype: 'float64' }), logits),
  call('F.glu(i[0])', (x) => F.glu(x as Tensor), logits),
  call('rms_norm(i[0], (4,), eps=1e-3)', (x) => F.rmsNorm(x as Tensor, [4], { eps: 1e-3 }), logits),
  call(
    'F.conv2d(i[0], i[1], stride=2, padding=(1, 0), groups=2)',
    (x, w) => F.conv2d(x as Tensor, w as Tensor, null, { stride: 2, padding: [1, 0], groups: 2 }),
    ['randn(1, 4, 6, 5)', 'randn(2, 2, 3, 3)'],
  ),
  call(
    "F.conv1d(*i, padding='same')",
    (x, w, b) => F.conv1d(x as Tensor, w as Tensor, b as Tensor, { padding: 'same' }),
    ['randn(1, 4, 6)', 'randn(2, 4, 3)', 'randn(2)'],
  ),
  call(
    'F.conv_transpose2d(*i, stride=2, output_padding=1)',
    (x, w) => F.convTranspose2d(x as Tensor, w as Tensor, null, { stride: 2, outputPadding: 1 }),
    ['randn(1, 4, 3, 5)', 'randn(4, 2, 3, 3)'],
  ),
];

const contrastive: Case[] = [0.5, 0.1].map((temperature) =>
  call(
    `nt_xent(i[0], temperature=${temperature})`,
    (x) => F.ntXentLoss(x as Tensor, { temperature }),
    ['randn(8, 3)'],
    { golden },
  ),
);

export const functionCases: readonly Case[] = [
  ...crossEntropy,
  ...regression,
  ...binaryLosses,
  ...marginLosses,
  ...attention,
  ...others,
  ...contrastive,
];
