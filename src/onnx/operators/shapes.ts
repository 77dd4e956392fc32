/** Operators that rearrange elements. */
import type { DType } from '../../torch/index.js';
import { type Dimension, isGrowing, sameDimension } from '../dimension.js';
import type { Emission, Emitter, Operand } from '../emission.js';
import { elementType } from '../proto.js';
import { split as equalParts } from './pointwise.js';

const input = (e: Emission): Operand => e.operand('self');

/** The same tensor: memory and history are nothing to ONNX. */
const pass: Emitter = (e) => input(e).name;

/** Whatever the operator's arguments: its result has this shape and the same elements in order. */
const reshape: Emitter = (e) => {
  const { name, shape } = input(e);
  const wanted = e.result.shape;
  if (shape.length === wanted.length && shape.every((size, d) => sameDimension(size, wanted[d] as Dimension)))
    return name;
  return e.reshape(name, wanted);
};

/** `view` also reads memory as another type. */
const view: Emitter = (e) => {
  if (e.schema.overload === 'dtype') throw e.refuse('reads the memory of numbers as another type');
  return reshape(e);
};

const transposed = (e: Emission, order: readonly number[]): string =>
  order.every((axis, i) => axis === i) ? input(e).name : e.add('Transpose', [input(e).name], { perm: order });

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

const transpose: Emitter = (e) => {
  const rank = input(e).shape.length;
  const [a, b] = [e.axis(e.number('dim0'), rank), e.axis(e.number('dim1'), rank)];
  const order = range(rank);
  order[a] = b;
  order[b] = a;
  return transposed(e, order);
};

const swap: Emitter = (e) => {
  const rank = input(e).shape.length;
  const names = e.has('axis0') ? (['axis0', 'axis1'] as const) : (['dim0', 'dim1'] as const);
  const [a, b] = names.map((name) => e.axis(e.number(name), rank)) as [number, number];
  const order = range(rank);
  order[a] = b;
  order[b] = a;
  return transposed(e, order);
};

const movedim: Emitter = (e) => {
  const rank = input(e).shape.length;
  const at = (name: string): number[] => e.integers(name).map((dim) => e.axis(dim, rank));
  const [from, to] = [at('source'), at('destination')];
  const order = new Array<number>(rank).fill(-1);
  for (const [i, place] of to.entries()) order[place] = from[i] as number;
  const rest = range(rank).filter((axis) => !from.includes(axis));
  return transposed(
    e,
    order.map((axis) => (axis < 0 ? (rest.shift() as number) : axis)),
  );
};

/** A size that the input has already is left to it. */
function expandTo(e: Emission, name: string, from: readonly Dimension[], to: readonly Dimension[]): string {
  const lead = to.length - from.length;
  const same = lead === 0 && from.every((size, d) => sameDimension(size, to[d] as Dimension));
  if (same) return name;
  const sizes = to.map((size, d) => {
    const own = from[d - lead];
    return own !== undefined && isGrowing(size) && sameDimension(own, size) ? 1 : size;
  });
  return e.add('Expand', [name, e.graph.sizes(sizes)]);
}

const expand: Emitter = (e) => expandTo(e, input(e).name, input(e).shape, e.result.shape);

const repeat: Emitter = (e) => {
  const { name, shape } = input(e);
  const times = e.dimensions(e.has('repeats') ? 'repeats' : 'dims');
  const missing = times.length - shape.length;
  const start = missing > 0 ? e.reshape(name, [...new Array<number>(missing).fill(1), ...shape]) : name;
  const padded = missing < 0 ? [...new Array<number>(-missing).fill(1), ...times] : times;
  return e.add('Tile', [start, e.graph.sizes(padded)]);
};

/** Tensors in one type, as the result has it. */
const cast = (e: Emission, operands: readonly Operand[]): string[] =>
  operands.map((operand) => e.cast(operand, e.result.dtype));

const concatenate: Emitter = (e) => {
  const tensors = e.operands('tensors');
  // PyTorch lets empty tensors of one dimension through.
  const rank = e.result.shape.length;
  const whole = tensors.filter(({ shape }) => shape.length === rank);
  return e.add('Concat', cast(e, whole), { axis: e.axis(e.number('dim'), rank) });
};

const stack: Emitter = (e) => {
  const axis = e.axis(e.number('dim'), e.result.shape.length);
  const parts = cast(e, e.operands('tensors')).map((name) => e.add('Unsqueeze', [name, e.graph.integers([axis])]));
  return e.add('Concat', parts, { axis });
};

/** Parts of the sizes that the results have. */
const split: Emitter = (e) => {
  const { name, shape } = input(e);
  const axis = e.axis(e.number('dim'), shape.length);
  const sizes = e.results.map((result) => result.shape[axis] as Dimension);
  if (sizes.length === 1) return [name];
  if (sizes.some(isGrowing)) throw e.refuse('splits the batch, whose size is not known');
  const [first] = sizes;
  if (sizes.every((size) => size === first)) return equalParts(e, name, sizes.length, axis);
  return e.addAll('Split', [name, e.graph.integers(sizes as number[])], { axis }, { outputs: sizes.length });
};

const unbind: Emitter = (e) => {
  const { name, shape } = input(e);
  const axis = e.axis(e.number('dim'), shape.length);
  if (isGrowing(shape[axis] as Dimension)) throw e.refuse('takes the batch apart, whose size is not known');
  return e.results.map((_, i) => e.add('Gather', [name, e.graph.scalar(i, 'int64')], { axis }));
};

const select: Emitter = (e) => {
  const { name, shape } = input(e);
  return e.add('Gather', [name, e.graph.scalar(e.number('index'), 'int64')], {
    axis: e.axis(e.number('dim'), shape.length),
  });
};

/** Beyond any end. */
const everything = 2 ** 62;

const slice: Emitter = (e) => {
  const { name, shape } = input(e);
  const axis = e.axis(e.number('dim'), shape.length);
  const size = shape[axis] as Dimension;
  const [start, end, step] = [e.dimension('start') ?? 0, e.dimension('end') ?? everything, e.number('step')];
  const whole = sameDimension(end, size) || (!isGrowing(end) && end >= (isGrowing(size) ? 2 ** 31 : size));
  if (start === 0 && whole && step === 1) return name;
  const bound = (value: Dimension): string => e.graph.sizes([value]);
  return e.add('Slice', [
    name,
    bound(start),
    bound(whole ? everything : end),
    e.graph.integers([axis]),
    e.graph.integers([step]),
  ]);
};

const narrow: Emitter = (e) => {
  const { name, shape } = input(e);
  const axis = e.axis(e.number('dim'), shape.length);
  const start = e.number('start');
  const length = e.result.shape[axis] as Dimension;
  const end = isGrowing(length) ? { ...length, plus: length.plus + start } : start + length;
  return e.add('Slice', [name, e.graph.integers([start]), e.graph.sizes([end]), e.graph.integers([axis])]);
};

const gather: Emitter = (e) =>
  e.add('GatherElements', [input(e).name, e.operand('index').name], {
    axis: e.axis(e.number('dim'), input(e).shape.length),
  });

const indexSelect: Emitter = (e) =>
  e.add('Gather', [input(e).name, e.operand('index').name], { axis: e.axis(e.number('dim'), input(e).shape.length) });

/** `x[:, positions]`: one tensor of positions, on any dimension. */
const index: Emitter = (e) => {
  const indices = e.value('indices') as readonly unknown[];
  const used = indices.flatMap((one, axis) => (one === null || one === undefined ? [] : [axis]));
  const [axis] = used;
  if (used.length !== 1 || axis === undefined)
    throw e.refuse('picks by several tensors of positions at once, which is not exported; use one, or torch.gather');
  const position = e.element('indices', axis);
  if (position.dtype === 'bool') throw e.refuse('picks by a mask, whose result has no known size');
  return e.add('Gather', [input(e).name, position.name], { axis });
};

const flip: Emitter = (e) => {
  const { name, shape } = input(e);
  const axes = e.integers('dims').map((dim) => e.axis(dim, shape.length));
  const many = (value: number): string => e.graph.integers(axes.map(() => value));
  return e.add('Slice', [name, many(-1), many(-everything), e.graph.integers(axes), many(-1)]);
};

const modes: Readonly<Record<string, string>> = { constant: 'constant', reflect: 'reflect', replicate: 'edge' };

/** PyTorch counts borders from the last dimension, ONNX from the first. */
function padded(e: Emission, mode: string, value: number): string {
  const { name, shape, dtype } = input(e);
  const borders = e.integers('pad');
  const rank = shape.length;
  const [begin, end] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)];
  for (let i = 0; i < borders.length / 2; i++) {
    begin[rank - 1 - i] = borders[2 * i] as number;
    end[rank - 1 - i] = borders[2 * i + 1] as number;
  }
  const onnxMode = modes[mode];
  if (onnxMode === undefined && !(mode === 'circular' && e.opset >= 19))
    throw e.refuse(`pads in mode '${mode}', which this opset does not have`);
  const filling = mode === 'constant' ? e.scalar(value, dtype) : null;
  return e.add('Pad', [name, e.graph.integers([...begin, ...end]), filling], { mode: onnxMode ?? 'wrap' });
}

const pixelShuffle: Emitter = (e) => {
  const factor = e.number('upscale_factor');
  return e.add('DepthToSpace', [input(e).name], { blocksize: factor, mode: 'CRD' });
};

const pixelUnshuffle: Emitter = (e) => {
  const factor = e.number('downscale_factor');
  const [n, c, h, w] = input(e).shape as [Dimension, number, number, number];
  const apart = e.reshape(input(e).name, [n, c, h / factor, factor, w / factor, factor]);
  return e.reshape(e.add('Transpose', [apart], { perm: [0, 1, 3, 5, 2, 4] }), e.result.shape);
};

/** Another element type; device and memory format are nothing to ONNX. */
const convert: Emitter = (e) => e.cast(input(e), e.result.dtype);

const triangle =
  (upper: number): Emitter =>
  (e) =>
    e.add('Trilu', [input(e).name, e.graph.scalar(e.number('diagonal'), 'int64')], { upper });

/** `nearest` and `bilinear`, by the size that results. */
const resize =
  (mode: 'nearest' | 'linear' | 'cubic'): Emitter =>
  (e) => {
    const { name, shape } = e.operand(e.has('input') ? 'input' : 'self');
    const sizes = e.result.shape.slice(2);
    const align = e.has('align_corners') && e.boolean('align_corners');
    const scales = e.given('scale_factors') ? (e.value('scale_factors') as readonly number[]) : null;
    const factors = sizes.map((size, d) => scales?.[d] ?? (size as number) / (shape[d + 2] as number));
    const coordinates = mode === 'nearest' ? 'asymmetric' : align ? 'align_corners' : 'half_pixel';
    const attributes = {
      mode,
      coordinate_transformation_mode: coordinates,
      nearest_mode: mode === 'nearest' ? 'floor' : undefined,
      cubic_coeff_a: mode === 'cubic' ? { float: -0.75 } : undefined,
    };
    return e.add(
      'Resize',
      [name, null, e.graph.constant([1, 1, ...factors], 'float32', [factors.length + 2])],
      attributes,
    );
  };

/** A tensor of one number, of a shape that may grow with the batch. */
const filled =
  (value: number | null): Emitter =>
  (e) => {
    const number = value ?? e.number('fill_value');
    return e.add('Expand', [e.scalar(number, e.result.dtype), e.graph.sizes(e.result.shape)]);
  };

/** Takes the source's numbers, broadcast to its own shape. */
const copy: Emitter = (e) => {
  const source = e.operand('src');
  return expandTo(e, e.cast(source, e.result.dtype), source.shape, e.result.shape);
};

const cumulate: Emitter = (e) =>
  e.add('CumSum', [
    e.cast(input(e), e.result.dtype),
    e.graph.scalar(e.axis(e.number('dim'), input(e).shape.length), 'int64'),
  ]);

const embedding: Emitter = (e) => e.add('Gather', [e.operand('weight').name, e.operand('indices').name], { axis: 0 });

const typeAs =
  (dtype: DType): Emitter =>
  (e) =>
    e.add('Cast', [input(e).name], { to: elementType(dtype) });

export const shapes: Readonly<Record<string, Emitter>> = {
  view,
  reshape,
  _unsafe_view: reshape,
  view_as: reshape,
  reshape_as: reshape,
  flatten: reshape,
  unflatten: reshape,
  squeeze: reshape,
  unsqueeze: reshape,
  ravel: reshape,
  transpose,
  swapaxes: swap,
  swapdims: swap,
  t: (e) => (input(e).shape.length < 2 ? input(e).name : transposed(e, [1, 0])),
  numpy_T: (e) => transposed(e, range(input(e).shape.length).reverse()),
  mT: (e) => {
    const rank = input(e).shape.length;
    return transposed(e, [...range(rank - 2), rank - 1, rank - 2]);
  },
  permute: (e) =>
    transposed(
      e,
      e.integers('dims').map((dim) => e.axis(dim, input(e).shape.length)),
    ),
  movedim,
  moveaxis: movedim,
  expand,
  expand_as: expand,
  broadcast_to: expand,
  repeat,
  tile: repeat,
  cat: concatenate,
  concat: concatenate,
  concatenate,
  stack,
  split,
  split_with_sizes: split,
  chunk: split,
  tensor_split: split,
  unbind,
  select,
  slice,
  narrow,
  gather,
  index_select: indexSelect,
  index,
  flip,
  pad: (e) => padded(e, e.text('mode'), e.given('value') ? e.number('value') : 0),
  constant_pad_nd: (e) => padded(e, 'constant', e.number('value')),
  pixel_shuffle: pixelShuffle,
  pixel_unshuffle: pixelUnshuffle,
  to: convert,
  _to_copy: convert,
  type_as: convert,
  float: typeAs('float32'),
  contiguous: pass,
  clone: pass,
  detach: pass,
  alias: pass,
  lift_fresh: pass,
  requires_grad: pass,
  triu: triangle(1),
  tril: triangle(0),
  upsample_nearest1d: resize('nearest'),
  upsample_nearest2d: resize('nearest'),
  upsample_nearest3d: resize('nearest'),
  upsample_linear1d: resize('linear'),
  upsample_bilinear2d: resize('linear'),
  upsample_trilinear3d: resize('linear'),
  upsample_bicubic2d: resize('cubic'),
  zeros: filled(0),
  ones: filled(1),
  full: filled(null),
  new_zeros: filled(0),
  new_ones: filled(1),
  new_full: filled(null),
  zeros_like: filled(0),
  ones_like: filled(1),
  full_like: filled(null),
  copy,
  cumsum: cumulate,
  embedding,
};
