/** Functions of each element by itself. */
import type { Emission, Emitter, Operand } from '../emission.js';

/** The argument in the type of the result: `exp` of integers is floating. */
export const self = (e: Emission): string => e.cast(e.operand('self'), e.result.dtype);
const number = (e: Emission, value: number): string => e.scalar(value, e.result.dtype);

/** An ONNX operator that does just that. */
const same =
  (operator: string): Emitter =>
  (e) =>
    e.add(operator, [self(e)]);

/** Between two limits, of which either may be missing. */
export function clip(e: Emission, input: string, low: number | null, high: number | null): string {
  return e.add('Clip', [input, low === null ? null : number(e, low), high === null ? null : number(e, high)]);
}

const limit = (e: Emission, name: string): number | null => (e.given(name) ? e.number(name) : null);

/** 0.5 · x · (1 + erf(x / √2)), or its approximation by tanh. */
const gelu: Emitter = (e) => {
  const tanh = e.has('approximate') && e.text('approximate') === 'tanh';
  const x = self(e);
  if (e.opset >= 20) return e.add('Gelu', [x], { approximate: tanh ? 'tanh' : 'none' });
  const half = e.add('Mul', [x, number(e, 0.5)]);
  if (!tanh) {
    const erf = e.add('Erf', [e.add('Div', [x, number(e, Math.SQRT2)])]);
    return e.add('Mul', [half, e.add('Add', [erf, number(e, 1)])]);
  }
  const cube = e.add('Mul', [e.add('Mul', [x, x]), x]);
  const inner = e.add('Add', [x, e.add('Mul', [cube, number(e, 0.044715)])]);
  const curve = e.add('Tanh', [e.add('Mul', [inner, number(e, Math.sqrt(2 / Math.PI))])]);
  return e.add('Mul', [half, e.add('Add', [curve, number(e, 1)])]);
};

/** ln(1 + e^(beta·x)) / beta; PyTorch's threshold only guards against overflow, which ONNX's does itself. */
const softplus: Emitter = (e) => {
  const beta = e.number('beta');
  if (beta === 1) return e.add('Softplus', [self(e)]);
  return e.add('Div', [e.add('Softplus', [e.add('Mul', [self(e), number(e, beta)])]), number(e, beta)]);
};

const prelu: Emitter = (e) => {
  const weight = e.operand('weight');
  const rank = e.operand('self').shape.length;
  // One factor per channel: [channels, 1, 1].
  const channels = weight.shape[0] as number;
  const slope =
    channels > 1 && rank > 2 ? e.reshape(weight.name, [channels, ...new Array<number>(rank - 2).fill(1)]) : weight.name;
  return e.add('PRelu', [self(e), slope]);
};

const threshold: Emitter = (e) => {
  const above = e.add('Greater', [self(e), number(e, e.number('threshold'))]);
  return e.add('Where', [above, self(e), number(e, e.number('value'))]);
};

const hardshrink: Emitter = (e) =>
  e.add('Shrink', [self(e)], { lambd: { float: e.number('lambd') }, bias: { float: 0 } });
const softshrink: Emitter = (e) =>
  e.add('Shrink', [self(e)], { lambd: { float: e.number('lambd') }, bias: { float: e.number('lambd') } });

const glu: Emitter = (e) => {
  const { shape } = e.operand('self');
  const axis = e.axis(e.number('dim'), shape.length);
  const [a, b] = split(e, self(e), 2, axis);
  return e.add('Mul', [a as string, e.add('Sigmoid', [b as string])]);
};

/** Cuts into equal parts. */
export function split(e: Emission, input: string, parts: number, axis: number): string[] {
  return e.addAll('Split', [input], { axis, num_outputs: e.opset >= 18 ? parts : undefined }, { outputs: parts });
}

const rounded: Emitter = (e) => {
  if (e.has('decimals') && e.number('decimals') !== 0) throw e.refuse('rounds to decimals, which ONNX does not');
  return e.add('Round', [self(e)]);
};

/** The limits may be tensors. */
const clamp: Emitter = (e) => {
  if (e.schema.overload !== 'Tensor') return clip(e, self(e), limit(e, 'min'), limit(e, 'max'));
  const bounds = (['min', 'max'] as const).map((name) => e.optional(name));
  const cast = (operand: Operand): string => e.cast(operand, e.result.dtype);
  let value = self(e);
  if (bounds[0]) value = e.add('Max', [value, cast(bounds[0])]);
  return bounds[1] ? e.add('Min', [value, cast(bounds[1])]) : value;
};

export const pointwise: Readonly<Record<string, Emitter>> = {
  relu: same('Relu'),
  relu6: (e) => clip(e, self(e), 0, 6),
  leaky_relu: (e) => e.add('LeakyRelu', [self(e)], { alpha: { float: e.number('negative_slope') } }),
  elu: (e) => {
    if (e.number('scale') !== 1 || e.number('input_scale') !== 1) throw e.refuse('has scales that ONNX does not know');
    return e.add('Elu', [self(e)], { alpha: { float: e.number('alpha') } });
  },
  selu: (e) => e.add('Selu', [self(e)], { alpha: { float: 1.6732632423543772 }, gamma: { float: 1.0507009873554805 } }),
  celu: (e) => e.add('Celu', [self(e)], { alpha: { float: e.number('alpha') } }),
  gelu,
  silu: (e) => e.add('Mul', [self(e), e.add('Sigmoid', [self(e)])]),
  mish: (e) => e.add('Mul', [self(e), e.add('Tanh', [e.add('Softplus', [self(e)])])]),
  hardswish: (e) => e.add('Mul', [self(e), hardSigmoid(e)]),
  hardsigmoid: (e) => hardSigmoid(e),
  hardtanh: (e) => clip(e, self(e), e.number('min_val'), e.number('max_val')),
  hardshrink,
  softshrink,
  softplus,
  prelu,
  threshold,
  glu,
  clamp,
  clip: clamp,
  clamp_min: (e) =>
    e.schema.overload === 'Tensor'
      ? e.add('Max', [self(e), e.cast(e.operand('min'), e.result.dtype)])
      : clip(e, self(e), e.number('min'), null),
  clamp_max: (e) =>
    e.schema.overload === 'Tensor'
      ? e.add('Min', [self(e), e.cast(e.operand('max'), e.result.dtype)])
      : clip(e, self(e), null, e.number('max')),
  sigmoid: same('Sigmoid'),
  tanh: same('Tanh'),
  log_sigmoid: (e) => e.add('Neg', [e.add('Softplus', [e.add('Neg', [self(e)])])]),
  exp: same('Exp'),
  expm1: (e) => e.add('Sub', [e.add('Exp', [self(e)]), number(e, 1)]),
  log: same('Log'),
  log1p: (e) => e.add('Log', [e.add('Add', [self(e), number(e, 1)])]),
  log2: (e) => e.add('Div', [e.add('Log', [self(e)]), number(e, Math.LN2)]),
  log10: (e) => e.add('Div', [e.add('Log', [self(e)]), number(e, Math.LN10)]),
  sqrt: same('Sqrt'),
  rsqrt: (e) => e.add('Reciprocal', [e.add('Sqrt', [self(e)])]),
  square: (e) => e.add('Mul', [self(e), self(e)]),
  abs: same('Abs'),
  neg: same('Neg'),
  reciprocal: same('Reciprocal'),
  floor: same('Floor'),
  ceil: same('Ceil'),
  round: rounded,
  sign: same('Sign'),
  sgn: same('Sign'),
  sin: same('Sin'),
  cos: same('Cos'),
  tan: same('Tan'),
  asin: same('Asin'),
  acos: same('Acos'),
  atan: same('Atan'),
  sinh: same('Sinh'),
  cosh: same('Cosh'),
  erf: same('Erf'),
  isnan: (e) => e.add('IsNaN', [e.operand('self').name]),
  logical_not: (e) => e.add('Not', [e.cast(e.operand('self'), 'bool')]),
  bitwise_not: (e) => {
    if (e.result.dtype !== 'bool') throw e.refuse('works on the bits of integers, which is not exported');
    return e.add('Not', [e.operand('self').name]);
  },
};

/** relu6(x + 3) / 6. */
function hardSigmoid(e: Emission): string {
  return e.add('HardSigmoid', [self(e)], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
}
