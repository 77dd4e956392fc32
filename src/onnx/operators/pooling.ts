/** Maxima and means over windows. */
import type { Emission, Emitter, Operand } from '../emission.js';

const input = (e: Emission): Operand => e.operand('self');

/** `kernel_size`, or what it says where none is given. */
const sizesOf = (e: Emission, name: string, kernel: readonly number[]): number[] => {
  const sizes = e.integers(name);
  return sizes.length === 0 ? [...kernel] : sizes;
};

interface Windows {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Before and behind each dimension, so that as many windows fit as PyTorch makes, rounding up or not. */
  readonly pads: readonly number[];
  /** Whether the pads behind are larger than the padding asked for. */
  readonly uneven: boolean;
}

function windowsOf(e: Emission): Windows {
  const kernel = e.integers('kernel_size');
  const stride = sizesOf(e, 'stride', kernel);
  const padding = e.integers('padding');
  const dilation = e.has('dilation') ? e.integers('dilation') : kernel.map(() => 1);
  const rank = kernel.length;
  const sizes = input(e).shape.slice(-rank) as number[];
  const results = e.result.shape.slice(-rank) as number[];
  const behind = sizes.map((size, d) => {
    const reach = (dilation[d] as number) * ((kernel[d] as number) - 1) + 1;
    const needed = ((results[d] as number) - 1) * (stride[d] as number) + reach - size - (padding[d] as number);
    // With fewer than asked for, the same windows fit.
    return Math.max(needed, 0);
  });
  return {
    kernel,
    stride,
    dilation,
    pads: [...padding, ...behind],
    uneven: behind.some((size, d) => size > (padding[d] as number)),
  };
}

/** Pools in batches; [channels, …] alone is a batch of one. */
function batched(e: Emission, rank: number, run: (x: string) => string): string {
  const { name, shape } = input(e);
  if (shape.length === rank + 2) return run(name);
  const axis = e.graph.integers([0]);
  return e.add('Squeeze', [run(e.add('Unsqueeze', [name, axis])), axis]);
}

const maxPool: Emitter = (e) => {
  const { kernel, stride, dilation, pads } = windowsOf(e);
  return batched(e, kernel.length, (x) =>
    e.add('MaxPool', [x], { kernel_shape: kernel, strides: stride, pads, dilations: dilation }),
  );
};

const avgPool: Emitter = (e) => {
  const { kernel, stride, pads, uneven } = windowsOf(e);
  if (e.given('divisor_override')) throw e.refuse('divides by a number of its own, which is not exported');
  const bordered = e.integers('padding').some((size) => size > 0);
  const counts = e.boolean('count_include_pad') && bordered;
  if (counts && uneven) throw e.refuse('counts a border that is wider on one side; give countIncludePad false');
  return batched(e, kernel.length, (x) =>
    e.add('AveragePool', [x], {
      kernel_shape: kernel,
      strides: stride,
      pads,
      count_include_pad: counts ? 1 : 0,
    }),
  );
};

/** Windows of PyTorch's adaptive pools, as a matrix: each row is the mean over one window. */
function windowMeans(size: number, results: number): number[] {
  const matrix: number[] = [];
  for (let row = 0; row < results; row++) {
    const start = Math.floor((row * size) / results);
    const end = Math.ceil(((row + 1) * size) / results);
    for (let column = 0; column < size; column++) matrix.push(column >= start && column < end ? 1 / (end - start) : 0);
  }
  return matrix;
}

const adaptive =
  (operator: 'Average' | 'Max'): Emitter =>
  (e) => {
    const wanted = e.integers('output_size');
    const rank = wanted.length;
    const { name, shape, dtype } = input(e);
    const sizes = shape.slice(-rank) as number[];
    if (wanted.every((size, d) => size === sizes[d])) return name;
    const values = ((): string => {
      if (wanted.every((size) => size === 1)) return batched(e, rank, (x) => e.add(`Global${operator}Pool`, [x]));
      if (wanted.every((size, d) => (sizes[d] as number) % size === 0)) {
        const kernel = wanted.map((size, d) => (sizes[d] as number) / size);
        return batched(e, rank, (x) => e.add(`${operator}Pool`, [x], { kernel_shape: kernel, strides: kernel }));
      }
      if (operator === 'Max' || rank > 2 || dtype !== 'float32')
        throw e.refuse(
          `makes [${wanted.join(', ')}] of [${sizes.join(', ')}], and ONNX has no windows of unequal size; choose a size that divides them`,
        );
      // Means are sums: the windows of unequal size are two products of matrices.
      const { graph } = e;
      const [last, before] = [sizes.at(-1) as number, sizes.at(-2) as number];
      const [columns, rows] = [wanted.at(-1) as number, wanted.at(-2) as number];
      const across = e.add('Transpose', [graph.constant(windowMeans(last, columns), dtype, [columns, last])], {
        perm: [1, 0],
      });
      const narrowed = e.add('MatMul', [name, across]);
      if (rank === 1) return narrowed;
      return e.add('MatMul', [graph.constant(windowMeans(before, rows), dtype, [rows, before]), narrowed]);
    })();
    return values;
  };

export const pooling: Readonly<Record<string, Emitter>> = {
  max_pool1d: maxPool,
  max_pool2d: maxPool,
  max_pool3d: maxPool,
  avg_pool1d: avgPool,
  avg_pool2d: avgPool,
  avg_pool3d: avgPool,
  adaptive_avg_pool1d: adaptive('Average'),
  adaptive_avg_pool2d: adaptive('Average'),
  adaptive_avg_pool3d: adaptive('Average'),
  adaptive_max_pool1d: adaptive('Max'),
  adaptive_max_pool2d: adaptive('Max'),
  adaptive_max_pool3d: adaptive('Max'),
};
