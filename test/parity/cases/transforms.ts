/** Fourier transforms and windows; creation functions; lists of tensors. */
import {
  as,
  complexes,
  fixed,
  float,
  given,
  inner,
  numbers,
  type OperatorCase,
  op,
  positive,
  wide,
  x,
} from '../case.js';

const both = ['complex64', 'complex128', 'float32', 'float64'] as const;

export const fourier: OperatorCase[] = [
  ...['fft', 'ifft', 'hfft'].flatMap((name) => [
    op(`fft_${name}`, [x(3, 6)], {}, { dtypes: both }),
    op(`fft_${name}`, [x(3, 6), 5, 0, 'ortho'], {}, { dtypes: complexes }),
    op(`fft_${name}`, [x(7)], { norm: 'forward' }, { dtypes: both }),
  ]),
  ...['rfft', 'ihfft'].flatMap((name) => [
    op(`fft_${name}`, [x(3, 6)]),
    op(`fft_${name}`, [x(3, 7), 8, 1, 'ortho']),
    op(`fft_${name}`, [x(5)], { dim: 0, norm: 'backward' }),
  ]),
  op('fft_irfft', [x(3, 4)], {}, { dtypes: both }),
  op('fft_irfft', [x(3, 4), 5], {}, { dtypes: complexes }),
  ...['fft2', 'ifft2', 'fftn', 'ifftn', 'hfft2', 'hfftn', 'irfft2', 'irfftn'].flatMap((name) => [
    op(`fft_${name}`, [x(3, 4)], {}, { dtypes: both }),
    op(`fft_${name}`, [x(2, 3, 4), [3, 4], [0, 2], 'ortho'], {}, { dtypes: complexes }),
  ]),
  ...['rfft2', 'rfftn', 'ihfft2', 'ihfftn'].flatMap((name) => [
    op(`fft_${name}`, [x(3, 4)]),
    op(`fft_${name}`, [x(2, 3, 4), [3, 4], [0, 2], 'ortho']),
  ]),
  op('fft_fftshift', [x(3, 4)]),
  op('fft_fftshift', [x(3, 4), 1]),
  op('fft_ifftshift', [x(3, 5), [0]]),
  op('fft_fftfreq', [6, 0.5], {}, { dtypes: ['float32'] }),
  op('fft_rfftfreq', [7], { dtype: { dtype: 'float64' } }, { dtypes: ['float32'] }),
  op('stft', [x(2, 32), 8, 4, 8, fixed(positive(8)), false, true, true], {}, { python: 'ops' }),
  op(
    'istft',
    [x(5, 9), 8, 4, 8, as('float32', positive(8))],
    { center: true },
    { dtypes: ['complex64'], python: 'ops' },
  ),
  ...['hann_window', 'hamming_window', 'blackman_window', 'bartlett_window', 'kaiser_window'].flatMap((name) => [
    op(name, [7], {}, { dtypes: ['float32'] }),
    op(name, [8, false], { dtype: { dtype: 'own' } }),
  ]),
];

export const creation: OperatorCase[] = [
  op('zeros', [[2, 3]], { dtype: { dtype: 'own' } }, { dtypes: numbers }),
  op('ones', [[2, 3]], { dtype: { dtype: 'own' } }, { dtypes: numbers }),
  op('zeros', [[]]),
  op('full', [[2, 3], float(2.5)], {}, { dtypes: ['float32'] }),
  op('full', [[2, 3], 3], { dtype: { dtype: 'own' } }, { dtypes: numbers }),
  op('full', [[2], true], {}, { dtypes: ['float32'] }),
  op('full', [[2], { re: 1, im: -2 }], {}, { dtypes: ['float32'] }),
  op('arange', [5], { dtype: { dtype: 'int64' } }, { dtypes: ['float32'] }),
  op('arange', [5], {}, { dtypes: ['float32'], form: 'ops', python: 'ops' }),
  op('arange', [1, 10, 2], { dtype: { dtype: 'own' } }, { dtypes: numbers }),
  op('arange', [0.5, 3, 0.25], {}, { dtypes: ['float32'] }),
  op('linspace', [-1, 2, 7], { dtype: { dtype: 'own' } }),
  op('linspace', [0, 1, 1], {}, { dtypes: ['float32'] }),
  op('logspace', [-1, 2, 7], { dtype: { dtype: 'own' } }),
  op('logspace', [0, 3, 4, 2], {}, { dtypes: ['float32'] }),
  op('eye', [3], { dtype: { dtype: 'own' } }, { dtypes: numbers }),
  op('eye', [2, 4], {}, { dtypes: ['float32'] }),
  op('scalar_tensor', [float(2.5)], { dtype: { dtype: 'own' } }, { dtypes: wide }),
  op('empty_like', [x(0, 3)], {}, { dtypes: numbers, gradient: false }),
  op('new_empty', [x(2), [0, 3]], {}, { dtypes: numbers, gradient: false }),
  op('new_empty_strided', [x(2), [0, 3], [3, 1]], {}, { dtypes: wide, gradient: false }),
  op('empty', [[0, 2]], { dtype: { dtype: 'own' } }, { dtypes: numbers }),
  op('can_cast', [{ dtype: 'own' }, { dtype: 'int32' }], {}, { dtypes: numbers }),
  op('promote_types', [{ dtype: 'own' }, { dtype: 'int32' }], {}, { dtypes: numbers }),
];

const one = [
  'abs',
  'acos',
  'asin',
  'atan',
  'ceil',
  'cos',
  'cosh',
  'erf',
  'erfc',
  'exp',
  'expm1',
  'floor',
  'frac',
  'neg',
];
const more = [
  'lgamma',
  'log',
  'log10',
  'log1p',
  'log2',
  'reciprocal',
  'round',
  'rsqrt',
  'sigmoid',
  'sign',
  'sin',
  'sinh',
];
const list = [positive(3, 4), positive(2), positive(), positive(0)];
/** The arcs are functions of what lies between −1 and 1. */
const listFor = (name: string) => (/^a[cs]/.test(name) ? [inner(3, 4), inner(2), inner(), inner(0)] : list);
const other = [x(3, 4), x(2), x(), x(0)];
const floats = { dtypes: ['float32', 'float64', 'bfloat16'] } as const;

export const lists: OperatorCase[] = [
  ...[...one, ...more, 'sqrt', 'tan', 'tanh', 'trunc'].flatMap((name) => [
    op(`_foreach_${name}`, [listFor(name)], {}, floats),
    op(`_foreach_${name}_`, [listFor(name).map(fixed)], {}, floats),
  ]),
  ...['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'clamp_min', 'clamp_max', 'pow'].flatMap((name) => [
    op(`_foreach_${name}`, [list, other], {}, floats),
    op(`_foreach_${name}`, [list, 2.5], {}, floats),
    op(`_foreach_${name}`, [list, [1, 2, 3, 0.5]], {}, floats),
    op(`_foreach_${name}_`, [list.map(fixed), other.map(fixed)], {}, floats),
    op(`_foreach_${name}_`, [list.map(fixed), 2.5], {}, floats),
  ]),
  op('_foreach_add', [list, other], { alpha: 2 }),
  op('_foreach_addcmul', [list, other, other, 0.5]),
  op('_foreach_addcmul', [list, other, other, [1, 2, 3, 4]]),
  op(
    '_foreach_addcdiv',
    [list, other, list, 0.5],
    {},
    { noDifferences: 'its gradient refuses tensors without dimensions' },
  ),
  op('_foreach_addcdiv_', [list.map(fixed), other.map(fixed), list.map(fixed), 2]),
  op('_foreach_addcmul_', [list.map(fixed), other.map(fixed), list.map(fixed), [1, 2, 3, 4]]),
  op('_foreach_lerp', [list, other, 0.3]),
  op('_foreach_lerp_', [list.map(fixed), other.map(fixed), 0.3]),
  op('_foreach_norm', [list], {}, { noDifferences: 'the empty one' }),
  op('_foreach_norm', [list, 1], {}, { noDifferences: 'the empty one' }),
  op('_foreach_zero_', [list.map(fixed)]),
  op('_foreach_copy_', [list.map(fixed), other.map(fixed)]),
  op(
    '_amp_foreach_non_finite_check_and_unscale_',
    [[fixed(x(3)), fixed(x(2))], given([], [0], 'float32'), given([], [0.5], 'float32')],
    {},
    {
      dtypes: ['float32'],
      gradient: false,
    },
  ),
  op('_foreach_max', [list.slice(0, 3).map(fixed)]),
  op(
    '_fused_adamw_',
    [
      [fixed(x(3)), fixed(x(2))],
      [fixed(x(3)), fixed(x(2))],
      [fixed(x(3)), fixed(x(2))],
      [fixed(positive(3)), fixed(positive(2))],
      [],
      [given([], [1], 'float32'), given([], [1], 'float32')],
    ],
    { lr: 0.01, beta1: 0.9, beta2: 0.999, weightDecay: 0.1, eps: 1e-8, amsgrad: false, maximize: false },
    { dtypes: ['float32'], gradient: false },
  ),
];
