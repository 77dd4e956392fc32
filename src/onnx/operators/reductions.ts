/** Sums, means, maxima: operators that make fewer elements of many. */
import { isGrowing } from '../dimension.js';
import type { Emission, Emitter, Operand } from '../emission.js';
import { self } from './pointwise.js';

const input = (e: Emission): Operand => e.operand('self');

/** The dimensions to reduce, or null for all. */
function axesOf(e: Emission, name = 'dim'): number[] | null {
  if (!e.given(name)) return null;
  const rank = input(e).shape.length;
  const dims = e.integers(name).map((dim) => e.axis(dim, rank));
  return dims.length === 0 ? null : dims;
}

const keeps = (e: Emission): boolean => e.has('keepdim') && e.boolean('keepdim');

const reduction =
  (operator: string, axesInputSince = 18): Emitter =>
  (e) => {
    const axes = axesOf(e);
    return e.reduce(operator, self(e), axes, keeps(e), axesInputSince);
  };

/** How many elements one result is made of. */
function countOf(e: Emission, axes: readonly number[] | null): number {
  const { shape } = input(e);
  return (axes ?? shape.map((_, d) => d)).reduce((product, axis) => {
    const size = shape[axis];
    if (size === undefined || isGrowing(size)) throw e.refuse('goes over the batch, whose size is not known');
    return product * size;
  }, 1);
}

/** Mean squared distance from the mean, over n − correction. */
function variance(e: Emission): string {
  const axes = axesOf(e);
  const { dtype } = e.result;
  const x = self(e);
  const mean = e.reduce('ReduceMean', x, axes, true);
  const off = e.add('Sub', [x, mean]);
  const spread = e.reduce('ReduceMean', e.add('Mul', [off, off]), axes, keeps(e));
  const correction = e.has('correction')
    ? e.given('correction')
      ? e.number('correction')
      : 1
    : e.boolean('unbiased')
      ? 1
      : 0;
  if (correction === 0) return spread;
  const count = countOf(e, axes);
  return e.add('Mul', [spread, e.scalar(count / (count - correction), dtype)]);
}

/** The values and where they stand. */
const extreme =
  (reduce: string, find: string): Emitter =>
  (e) => {
    if (e.has('other'))
      return e.add(reduce === 'ReduceMax' ? 'Max' : 'Min', [self(e), e.cast(e.operand('other'), e.result.dtype)]);
    if (!e.given('dim')) return e.reduce(reduce, input(e).name, null, false);
    const axis = e.axis(e.number('dim'), input(e).shape.length);
    const { name } = input(e);
    return [e.reduce(reduce, name, [axis], keeps(e)), e.add(find, [name], { axis, keepdims: keeps(e) ? 1 : 0 })];
  };

const position =
  (operator: string): Emitter =>
  (e) => {
    const { name, shape } = input(e);
    if (e.given('dim'))
      return e.add(operator, [name], { axis: e.axis(e.number('dim'), shape.length), keepdims: keeps(e) ? 1 : 0 });
    const flat = e.add('Reshape', [name, e.graph.integers([-1])]);
    return e.add(operator, [flat], { axis: 0, keepdims: 0 });
  };

const norm: Emitter = (e) => {
  const order = e.has('ord') ? e.number('ord') : e.given('p') ? e.number('p') : 2;
  const axes = axesOf(e);
  const x = self(e);
  if (order === 2) return e.reduce('ReduceL2', x, axes, keeps(e));
  if (order === 1) return e.reduce('ReduceL1', x, axes, keeps(e));
  const size = e.add('Abs', [x]);
  if (order === Number.POSITIVE_INFINITY) return e.reduce('ReduceMax', size, axes, keeps(e));
  const { dtype } = e.result;
  const sum = e.reduce('ReduceSum', e.add('Pow', [size, e.scalar(order, dtype)]), axes, keeps(e), 13);
  return e.add('Pow', [sum, e.scalar(1 / order, dtype)]);
};

const softmax =
  (operator: string): Emitter =>
  (e) =>
    e.add(operator, [self(e)], { axis: e.axis(e.number('dim'), input(e).shape.length) });

const topk: Emitter = (e) =>
  e.addAll(
    'TopK',
    [input(e).name, e.graph.integers([e.number('k')])],
    {
      axis: e.axis(e.number('dim'), input(e).shape.length),
      largest: e.boolean('largest') ? 1 : 0,
      sorted: e.boolean('sorted') ? 1 : 0,
    },
    { outputs: 2 },
  );

const product: Emitter = (e) => e.reduce('ReduceProd', self(e), axesOf(e), keeps(e));

export const reductions: Readonly<Record<string, Emitter>> = {
  mean: reduction('ReduceMean'),
  sum: reduction('ReduceSum', 13),
  prod: product,
  amax: reduction('ReduceMax'),
  amin: reduction('ReduceMin'),
  logsumexp: reduction('ReduceLogSumExp'),
  max: extreme('ReduceMax', 'ArgMax'),
  min: extreme('ReduceMin', 'ArgMin'),
  argmax: position('ArgMax'),
  argmin: position('ArgMin'),
  var: variance,
  std: (e) => e.add('Sqrt', [variance(e)]),
  norm,
  linalg_vector_norm: norm,
  softmax: softmax('Softmax'),
  _softmax: softmax('Softmax'),
  log_softmax: softmax('LogSoftmax'),
  _log_softmax: softmax('LogSoftmax'),
  topk,
};
