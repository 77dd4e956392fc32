/** What layers compute: linear maps, convolutions, normalisation, dropout. */
import type { DType } from '../../torch/index.js';
import { type Dimension, isGrowing } from '../dimension.js';
import type { Emission, Emitter, Operand } from '../emission.js';

const input = (e: Emission): Operand => e.operand('input');

/** A matrix with its last two dimensions exchanged, at once where it is a weight. */
function transposedMatrix(e: Emission, matrix: Operand): string {
  if (matrix.constant !== null) return e.constant(`${matrix.label}.transposed`, matrix.constant.transpose(-2, -1));
  const rank = matrix.shape.length;
  const order = Array.from({ length: rank }, (_, i) => i);
  order[rank - 1] = rank - 2;
  order[rank - 2] = rank - 1;
  return e.add('Transpose', [matrix.name], { perm: order });
}

const linear: Emitter = (e) => {
  const [x, weight, bias] = [input(e), e.operand('weight'), e.optional('bias')];
  if (x.shape.length === 2 && weight.shape.length === 2)
    return e.add('Gemm', [x.name, weight.name, bias?.name ?? null], { transB: 1 });
  const matrix = weight.shape.length === 1 ? weight.name : transposedMatrix(e, weight);
  const product = e.add('MatMul', [x.name, matrix]);
  return bias === null ? product : e.add('Add', [product, bias.name]);
};

const addmm: Emitter = (e) => {
  const scale = (name: string) => ({ float: e.number(name) });
  return e.add('Gemm', [e.operand('mat1').name, e.operand('mat2').name, e.operand('self').name], {
    alpha: scale('alpha'),
    beta: scale('beta'),
  });
};

const product =
  (second: string): Emitter =>
  (e) =>
    e.add('MatMul', [e.operand('self').name, e.operand(second).name]);

/** `same` puts the odd zero behind, as ONNX's SAME_UPPER. */
function bordersOf(e: Emission, kernel: readonly number[]): number[] {
  const padding = e.value('padding');
  const dimensions = kernel.length;
  if (padding === 'valid') return new Array<number>(2 * dimensions).fill(0);
  if (padding === 'same') {
    const dilation = e.integers('dilation');
    const total = kernel.map((size, d) => (dilation[d] as number) * (size - 1));
    return [...total.map((size) => Math.floor(size / 2)), ...total.map((size) => size - Math.floor(size / 2))];
  }
  const sides = e.integers('padding');
  return [...sides, ...sides];
}

/** Networks take pictures in batches; one alone is a batch of one. */
function batched(e: Emission, dimensions: number, run: (x: string) => string): string {
  const x = input(e);
  if (x.shape.length === dimensions + 2) return run(x.name);
  const axis = e.graph.integers([0]);
  return e.add('Squeeze', [run(e.add('Unsqueeze', [x.name, axis])), axis]);
}

const convolution: Emitter = (e) => {
  const weight = e.operand('weight');
  const kernel = weight.shape.slice(2) as number[];
  return batched(e, kernel.length, (x) =>
    e.add('Conv', [x, weight.name, e.optional('bias')?.name ?? null], {
      kernel_shape: kernel,
      strides: e.integers('stride'),
      pads: bordersOf(e, kernel),
      dilations: e.integers('dilation'),
      group: e.number('groups'),
    }),
  );
};

const transposedConvolution: Emitter = (e) => {
  const weight = e.operand('weight');
  const kernel = weight.shape.slice(2) as number[];
  return batched(e, kernel.length, (x) =>
    e.add('ConvTranspose', [x, weight.name, e.optional('bias')?.name ?? null], {
      kernel_shape: kernel,
      strides: e.integers('stride'),
      pads: bordersOf(e, kernel),
      dilations: e.integers('dilation'),
      output_padding: e.integers('output_padding'),
      group: e.number('groups'),
    }),
  );
};

const orFilled = (e: Emission, name: string, value: number, length: number, dtype: DType): string =>
  e.optional(name)?.name ?? e.filled(value, length, dtype);

const batchNorm: Emitter = (e) => {
  const { name, shape, dtype } = input(e);
  const channels = shape[1] as number;
  const mean = e.optional('running_mean');
  if (e.has('training') && e.boolean('training'))
    throw e.refuse('normalises by the batch that it is given; put the network in eval mode');
  if (mean === null) throw e.refuse('keeps no running statistics, so that it normalises by the batch that it is given');
  return e.add(
    'BatchNormalization',
    [
      name,
      orFilled(e, 'weight', 1, channels, dtype),
      orFilled(e, 'bias', 0, channels, dtype),
      mean.name,
      e.operand('running_var').name,
    ],
    { epsilon: { float: e.number('eps') } },
  );
};

const instanceNorm: Emitter = (e) => {
  const { name, shape, dtype } = input(e);
  const channels = shape[1] as number;
  const scale = [orFilled(e, 'weight', 1, channels, dtype), orFilled(e, 'bias', 0, channels, dtype)];
  const epsilon = { epsilon: { float: e.number('eps') } };
  if (e.boolean('use_input_stats')) return e.add('InstanceNormalization', [name, ...scale], epsilon);
  const statistics = [e.operand('running_mean').name, e.operand('running_var').name];
  return e.add('BatchNormalization', [name, ...scale, ...statistics], epsilon);
};

/** A factor and a summand per channel, for [n, channels, …]. */
function perChannel(e: Emission, operand: Operand, rank: number): string {
  const shape = [operand.shape[0] as number, ...new Array<number>(rank - 2).fill(1)];
  if (operand.constant !== null) return e.constant(operand.label, operand.constant.reshape(shape));
  return e.reshape(operand.name, shape);
}

/** By InstanceNormalization over groups, which runtimes have had for longer than GroupNormalization. */
const groupNorm: Emitter = (e) => {
  const { name, shape, dtype } = input(e);
  const groups = e.number('num_groups');
  const rest = shape.slice(1).reduce<number>((elements, size) => {
    if (isGrowing(size)) throw e.refuse('goes over a size that grows with the batch');
    return elements * size;
  }, 1);
  const apart = e.reshape(name, [shape[0] as Dimension, groups, rest / groups]);
  const normal = e.add('InstanceNormalization', [apart, e.filled(1, groups, dtype), e.filled(0, groups, dtype)], {
    epsilon: { float: e.number('eps') },
  });
  let result = e.reshape(normal, shape);
  const [weight, bias] = [e.optional('weight'), e.optional('bias')];
  if (weight !== null) result = e.add('Mul', [result, perChannel(e, weight, shape.length)]);
  return bias === null ? result : e.add('Add', [result, perChannel(e, bias, shape.length)]);
};

const layerNorm: Emitter = (e) => {
  const { name, shape, dtype } = input(e);
  const normalised = e.integers('normalized_shape');
  const axis = shape.length - normalised.length;
  const [weight, bias] = [e.optional('weight'), e.optional('bias')];
  const eps = e.number('eps');
  if (e.opset >= 17 && (weight !== null || normalised.length === 1))
    return e.add(
      'LayerNormalization',
      [name, weight?.name ?? e.filled(1, normalised[0] as number, dtype), bias?.name ?? null],
      { axis, epsilon: { float: eps } },
    );
  const axes = normalised.map((_, i) => axis + i);
  const off = e.add('Sub', [name, e.reduce('ReduceMean', name, axes, true)]);
  const variance = e.reduce('ReduceMean', e.add('Mul', [off, off]), axes, true);
  let result = e.add('Div', [off, e.add('Sqrt', [e.add('Add', [variance, e.scalar(eps, dtype)])])]);
  if (weight !== null) result = e.add('Mul', [result, weight.name]);
  return bias === null ? result : e.add('Add', [result, bias.name]);
};

const epsilons: Readonly<Partial<Record<DType, number>>> = { float64: 2 ** -52, float32: 2 ** -23, float16: 2 ** -10 };

const rmsNorm: Emitter = (e) => {
  const { name, shape, dtype } = input(e);
  const axes = e.integers('normalized_shape').map((_, i, all) => shape.length - all.length + i);
  const eps = e.given('eps') ? e.number('eps') : (epsilons[dtype] ?? 2 ** -23);
  const power = e.reduce('ReduceMean', e.add('Mul', [name, name]), axes, true);
  const result = e.add('Div', [name, e.add('Sqrt', [e.add('Add', [power, e.scalar(eps, dtype)])])]);
  const weight = e.optional('weight');
  return weight === null ? result : e.add('Mul', [result, weight.name]);
};

const dropout: Emitter = (e) => {
  if (e.boolean('train') && e.number('p') > 0) throw e.refuse('drops units at random; put the network in eval mode');
  return input(e).name;
};

/** softmax(query · keyᵀ · scale + mask) · value. */
const attention: Emitter = (e) => {
  const [query, key, value] = [e.operand('query'), e.operand('key'), e.operand('value')];
  const { dtype } = query;
  if (e.number('dropout_p') > 0) throw e.refuse('drops weights at random; pass dropoutP 0 when evaluating');
  if (e.has('enable_gqa') && e.boolean('enable_gqa'))
    throw e.refuse('shares keys between heads, which is not exported');
  const size = query.shape.at(-1) as number;
  const scale = e.given('scale') ? e.number('scale') : 1 / Math.sqrt(size);
  // The root on both sides, as the engine does, loses less in half types than the whole factor on one.
  const root = e.scalar(Math.sqrt(scale), dtype);
  const scaled = e.add('Mul', [transposedMatrix(e, key), root]);
  let scores = e.add('MatMul', [e.add('Mul', [query.name, root]), scaled]);
  const mask = e.optional('attn_mask');
  const least = e.scalar(Number.NEGATIVE_INFINITY, dtype);
  if (mask !== null)
    scores =
      mask.dtype === 'bool' ? e.add('Where', [mask.name, scores, least]) : e.add('Add', [scores, e.cast(mask, dtype)]);
  if (e.boolean('is_causal')) {
    const [queries, keys] = [query.shape.at(-2), key.shape.at(-2)] as [number, number];
    const visible = Array.from({ length: queries * keys }, (_, i) => (i % keys <= Math.floor(i / keys) ? 1 : 0));
    scores = e.add('Where', [e.graph.constant(visible, 'bool', [queries, keys]), scores, least]);
  }
  return e.add('MatMul', [e.add('Softmax', [scores], { axis: query.shape.length - 1 }), value.name]);
};

const einsum: Emitter = (e) => {
  const equation = e.text('equation');
  return e.add(
    'Einsum',
    e.operands('tensors').map(({ name }) => name),
    { equation: equation.includes('->') ? equation : `${equation}->${implicit(equation)}` },
  );
};

/** Without an arrow, the result has the letters that occur once, in order. */
function implicit(equation: string): string {
  const letters = [...equation.replace(/[^a-zA-Z]/g, '')];
  return [...new Set(letters)]
    .filter((letter) => letters.filter((other) => other === letter).length === 1)
    .sort()
    .join('');
}

export const layers: Readonly<Record<string, Emitter>> = {
  linear,
  addmm,
  matmul: product('other'),
  mm: product('mat2'),
  bmm: product('mat2'),
  mv: product('vec'),
  conv1d: convolution,
  conv2d: convolution,
  conv3d: convolution,
  conv_transpose1d: transposedConvolution,
  conv_transpose2d: transposedConvolution,
  conv_transpose3d: transposedConvolution,
  batch_norm: batchNorm,
  instance_norm: instanceNorm,
  group_norm: groupNorm,
  layer_norm: layerNorm,
  rms_norm: rmsNorm,
  dropout,
  feature_dropout: dropout,
  alpha_dropout: dropout,
  feature_alpha_dropout: dropout,
  scaled_dot_product_attention: attention,
  einsum,
};
