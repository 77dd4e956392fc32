/** Operators that draw random numbers: the same seed must give the same bits, and leave the generator in the same state. */
import type { DType } from '../../../src/torch/dtype.js';
import {
  as,
  between,
  chance,
  fixed,
  floats,
  given,
  type OperatorCase,
  op,
  positive,
  transposed,
  wide,
  x,
} from '../case.js';

/** Around the sizes where the engine changes from one number at a time to vectors of 16. */
const sizes = [0, 1, 15, 16, 17, 100, 1000];
const seeds = [0, 1, 42, -1, 2 ** 31, 2 ** 53 - 1, '18446744073709551615', '-9223372036854775808'];
const own = { dtype: { dtype: 'own' } } as const;
const integers: readonly DType[] = ['int64', 'int32', 'uint8', 'float32'];
const plain = { gradient: false };
/** The engine asks MKL, where it has it, for these. */
const mkl = { notStored: 'another stream where the engine has no MKL' };
const seeded = (item: OperatorCase, seed: number | string = 7): OperatorCase => ({
  ...item,
  settings: { ...item.settings, seed },
});

const draws: OperatorCase[] = [
  ...sizes.flatMap((n) => [
    op('randn', [[n]], own, { dtypes: [...floats, 'complex64'] }),
    op('rand', [[n]], own, { dtypes: [...floats, 'complex64'] }),
    op('randint', [10, [n]], own, { dtypes: integers }),
    op('randint', [-5, 100, [n]], own, { dtypes: ['int64', 'float64'] }),
    op('randperm', [n], own, { dtypes: ['int64', 'int32', 'float32'] }),
    op('normal_', [fixed(x(n)), 0.5, 2], {}, { dtypes: floats }),
    op('uniform_', [fixed(x(n)), -3, 5], {}, { dtypes: floats }),
    op('exponential_', [fixed(x(n)), 2], {}, { dtypes: floats, ...mkl }),
    op('bernoulli_', [fixed(x(n)), 0.3], {}, { dtypes: [...floats, 'int64', 'bool'], ...mkl }),
    op('dropout', [x(n), 0.4, true], {}, { dtypes: floats, ...mkl, noDifferences: 'random' }),
  ]),
  op('randint', [0, 2 ** 40, [20]], {}, { dtypes: ['int64'], notStored: '1.13 draws fewer bits' }),
  op('randperm', [40000], {}, { dtypes: ['int64'], notStored: 'large' }),
  op('randn', [[3, 4, 5]], own),
  op('rand', [[3, 4, 5]], own),
  op('randn', [[]], own),
  op('rand_like', [x(3, 7)], {}, { dtypes: floats, ...plain }),
  op('randn_like', [transposed(x(5, 7))], {}, { dtypes: floats, ...plain }),
  op('randint_like', [x(3, 7), -4, 9], {}, { dtypes: [...wide, 'int64'], ...plain }),
  op('dropout', [x(3, 40), 0.5, true], {}, { dtypes: floats, ...mkl, noDifferences: 'random' }),
  op('dropout', [x(3, 40), 0.5, false]),
  op('native_dropout', [x(3, 40), 0.5, true], {}, { ...mkl, noDifferences: 'random' }),
  op('dropout_', [x(3, 40), 0.25, true], {}, mkl),
  op('alpha_dropout', [x(3, 40), 0.3, true], {}, { ...mkl, noDifferences: 'random' }),
  op('feature_dropout', [x(3, 8, 2), 0.3, true], {}, { ...mkl, noDifferences: 'random' }),
  op('feature_alpha_dropout', [x(3, 8, 2), 0.3, true], {}, { ...mkl, noDifferences: 'random' }),
  op('bernoulli', [chance(30)], {}, { dtypes: floats, gradient: false }),
  op('bernoulli', [chance(30), 0.7], {}, { gradient: false, ...mkl }),
  op('bernoulli_', [fixed(x(30)), as('float32', chance(30))], {}, { ...plain, dtypes: ['float32'] }),
  op('normal', [x(20), 0.5], {}, { ...plain }),
  op('normal', [2, positive(20)], {}, { ...plain, python: 'ops' }),
  op('normal', [x(20), positive(20)], {}, { ...plain }),
  op('random_', [fixed(x(20))], {}, { dtypes: [...wide, 'int64', 'int32', 'uint8', 'bool'] }),
  op('random_', [fixed(x(20)), 50], {}, { dtypes: [...wide, 'int64', 'uint8'] }),
  op('random_', [fixed(x(20)), -20, 50], {}, { dtypes: [...wide, 'int64'] }),
  op('geometric_', [fixed(x(20)), 0.3], {}, { dtypes: [...wide, 'int64'] }),
  op('log_normal_', [fixed(x(20)), 0.5, 0.25], {}, { dtypes: floats }),
  op('cauchy_', [fixed(x(20)), 0.5, 2], {}, { dtypes: floats }),
  op('multinomial', [positive(6), 4], {}, { ...plain, ...mkl }),
  op('multinomial', [positive(3, 6), 20, true], {}, plain),
  op('poisson', [between(0, 30, 20)], {}, plain),
  op('binomial', [given([6], [5, 10, 50, 100, 3, 0]), chance(6)], {}, plain),
  op('_standard_gamma', [positive(20)], {}, { ...plain, python: 'ops' }),
  op('_sample_dirichlet', [positive(4, 3)], {}, { ...plain, python: 'ops' }),
  op('rrelu', [x(30), 0.1, 0.4, true], {}, { noDifferences: 'random' }),
  op('rrelu', [x(30)], {}, { python: 'ops' }),
  op(
    'lstm',
    [
      x(5, 4, 3),
      [x(2, 4, 2), x(2, 4, 2)],
      [x(8, 3), x(8, 2), x(8), x(8), x(8, 2), x(8, 2), x(8), x(8)],
      true,
      2,
      0.5,
      true,
      false,
      false,
    ],
    {},
    { ...mkl, noDifferences: 'random' },
  ),
  op(
    'scaled_dot_product_attention',
    [x(1, 2, 5, 4), x(1, 2, 5, 4), x(1, 2, 5, 4), null, 0.4],
    {},
    { ...mkl, noDifferences: 'random' },
  ),
];

/** Drawn from a generator of their own; the default one stays as it was. */
const ownGenerator: OperatorCase[] = [
  op('randn', [[20]], { generator: { generator: 5 } }),
  op('rand', [[20]], { generator: { generator: 5 } }),
  op('randint', [10, [20]], { generator: { generator: 5 } }),
  op('randperm', [20], { generator: { generator: 5 } }),
  op('normal_', [fixed(x(20))], { generator: { generator: 5 } }),
  op('uniform_', [fixed(x(20))], { generator: { generator: 5 } }),
  op('bernoulli', [fixed(chance(20))], { generator: { generator: 5 } }),
  op('multinomial', [fixed(positive(6)), 10, true], { generator: { generator: 5 } }),
];

export const random: OperatorCase[] = [
  ...[...draws, ...ownGenerator].map((item) => seeded(item)),
  ...seeds.flatMap((seed) => [
    seeded(op('randn', [[20]], {}, { dtypes: ['float32'] }), seed),
    seeded(op('rand', [[5]], {}, { dtypes: ['float32'] }), seed),
    seeded(op('randperm', [9], {}, { dtypes: ['float32'] }), seed),
    seeded(op('dropout', [x(40), 0.5, true], {}, { dtypes: ['float32'], ...mkl }), seed),
  ]),
];
