/** Operators of two or three tensors, broadcast. */
import { type DType, torch } from '../../torch/index.js';
import type { Emission, Emitter, Operand } from '../emission.js';
import { self } from './pointwise.js';

/** Both operands in the type of the result. */
const pair = (e: Emission): [string, string] => [self(e), e.cast(e.operand('other'), e.result.dtype)];

const scaledOther = (e: Emission): string => {
  const alpha = e.has('alpha') ? e.number('alpha') : 1;
  const [, other] = pair(e);
  return alpha === 1 ? other : e.add('Mul', [other, e.scalar(alpha, e.result.dtype)]);
};

const binary =
  (operator: string): Emitter =>
  (e) =>
    e.add(operator, pair(e));

const isFloating = (dtype: DType): boolean => dtype.startsWith('float') || dtype === 'bfloat16';

const division: Emitter = (e) => {
  const mode = e.given('rounding_mode') ? e.text('rounding_mode') : null;
  const quotient = e.add('Div', pair(e));
  if (mode === null) return quotient;
  if (!isFloating(e.result.dtype)) throw e.refuse('divides integers with rounding, which is not exported');
  if (mode === 'floor') return e.add('Floor', [quotient]);
  const size = e.add('Floor', [e.add('Abs', [quotient])]);
  return e.add('Mul', [size, e.add('Sign', [quotient])]);
};

/** Sign of the divisor, as Python's. */
const remainder: Emitter = (e) => {
  const [a, b] = pair(e);
  if (!isFloating(e.result.dtype)) return e.add('Mod', [a, b]);
  return e.add('Sub', [a, e.add('Mul', [e.add('Floor', [e.add('Div', [a, b])]), b])]);
};

/** The type in which two operands are compared. */
function common(a: Operand, b: Operand): DType {
  const plain = (operand: Operand): boolean => 'plain' in operand;
  if (plain(b)) return isFloating(b.dtype) && !isFloating(a.dtype) ? 'float32' : a.dtype === 'bool' ? b.dtype : a.dtype;
  return a.dtype === b.dtype ? a.dtype : torch.promoteTypes(a.dtype, b.dtype);
}

const comparison =
  (operator: string, negated = false): Emitter =>
  (e) => {
    const [a, b] = [e.operand('self'), e.operand('other')];
    const dtype = common(a, b);
    const answer = e.add(operator, [e.cast(a, dtype), e.cast(b, dtype)]);
    return negated ? e.add('Not', [answer]) : answer;
  };

const logical =
  (operator: string): Emitter =>
  (e) => {
    if (e.result.dtype !== 'bool') throw e.refuse('works on the bits of integers, which is not exported');
    return e.add(operator, [e.cast(e.operand('self'), 'bool'), e.cast(e.operand('other'), 'bool')]);
  };

/** Either side may be a plain number. */
const power: Emitter = (e) => {
  const exponent = e.operand('exponent');
  if (e.schema.overload === 'Tensor_Scalar' && e.number('exponent') === 2) return e.add('Mul', [self(e), self(e)]);
  return e.add('Pow', [self(e), e.cast(exponent, e.result.dtype)]);
};

const where: Emitter = (e) => {
  const { dtype } = e.result;
  return e.add('Where', [
    e.cast(e.operand('condition'), 'bool'),
    e.cast(e.operand('self'), dtype),
    e.cast(e.operand('other'), dtype),
  ]);
};

const maskedFill: Emitter = (e) =>
  e.add('Where', [e.operand('mask').name, e.cast(e.operand('value'), e.result.dtype), self(e)]);

const lerp: Emitter = (e) => {
  const [start, end] = [self(e), e.cast(e.operand('end'), e.result.dtype)];
  const weight = e.cast(e.operand('weight'), e.result.dtype);
  return e.add('Add', [start, e.add('Mul', [weight, e.add('Sub', [end, start])])]);
};

const withProduct =
  (operator: string): Emitter =>
  (e) => {
    const { dtype } = e.result;
    const value = e.number('value');
    const product = e.add(operator, [e.cast(e.operand('tensor1'), dtype), e.cast(e.operand('tensor2'), dtype)]);
    const scaled = value === 1 ? product : e.add('Mul', [product, e.scalar(value, dtype)]);
    return e.add('Add', [self(e), scaled]);
  };

const add: Emitter = (e) => e.add('Add', [self(e), scaledOther(e)]);
const subtract: Emitter = (e) => e.add('Sub', [self(e), scaledOther(e)]);

export const arithmetic: Readonly<Record<string, Emitter>> = {
  add,
  sub: subtract,
  subtract,
  rsub: (e) => {
    const alpha = e.number('alpha');
    const mine = alpha === 1 ? self(e) : e.add('Mul', [self(e), e.scalar(alpha, e.result.dtype)]);
    return e.add('Sub', [e.cast(e.operand('other'), e.result.dtype), mine]);
  },
  mul: binary('Mul'),
  multiply: binary('Mul'),
  div: division,
  divide: division,
  true_divide: division,
  remainder,
  pow: power,
  maximum: binary('Max'),
  minimum: binary('Min'),
  eq: comparison('Equal'),
  ne: comparison('Equal', true),
  lt: comparison('Less'),
  le: comparison('LessOrEqual'),
  gt: comparison('Greater'),
  ge: comparison('GreaterOrEqual'),
  logical_and: logical('And'),
  logical_or: logical('Or'),
  logical_xor: logical('Xor'),
  bitwise_and: logical('And'),
  bitwise_or: logical('Or'),
  where,
  masked_fill: maskedFill,
  lerp,
  addcmul: withProduct('Mul'),
  addcdiv: withProduct('Div'),
};
