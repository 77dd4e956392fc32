/**
 * Tensors as text, character for character what Python's `print(tensor)` writes (behaviour of PyTorch 2.13).
 * This file knows nothing of the engine: it prints whatever answers `PrintableTensor`.
 */

import { type ElementFormatter, floatFormatter, integerFormatter, type PrintableValue } from './print-elements.js';
import { formatRepr } from './print-numbers.js';
import { getPrintOptions, type PrintOptions } from './print-options.js';

export type { PrintableValue } from './print-elements.js';
export {
  getPrintOptions,
  type PrintOptions,
  type PrintProfile,
  type PrintSettings,
  setPrintOptions,
  withPrintOptions,
} from './print-options.js';

/** What printing needs to know of a tensor. */
export interface PrintableTensor {
  readonly shape: readonly number[];
  /** PyTorch's name without `torch.`: `float32`, `int64`, `bool`, `bfloat16`, `complex64`, `float8_e4m3fn`, … */
  readonly dtype: string;
  /** `cpu`, `cuda:0`, `mps:0`, `meta`, … */
  readonly device: string;
  /** PyTorch's name without `torch.`: `strided`, `sparse_coo`, `sparse_csr`, `_mkldnn`, … */
  readonly layout: string;
  readonly requiresGrad: boolean;
  /** Name of the operation that made it, e.g. `AddBackward0`; null when there is none. */
  readonly gradFnName: string | null;
  /**
   * The elements, row-major; a complex element is two numbers, real and imaginary part. When `edgeItems` is a number,
   * only the first and last so many along every dimension that is longer than twice that, and all along the others.
   * Called for dense tensors that are not empty and for the dense form of layouts without `parts`. Quantised tensors
   * give their dequantised values.
   */
  values(edgeItems: number | null): ArrayLike<PrintableValue>;
  /** Set for sparse layouts. */
  readonly sparse?: SparseParts;
  /** Set for quantised tensors. */
  readonly quantization?: Quantization;
  /** Set for nested tensors: the tensors inside. */
  readonly nested?: readonly PrintableTensor[];
}

export interface SparseParts {
  /** Number of stored elements (or blocks). */
  readonly nnz: number;
  /** The dense tensors it consists of, under the names they print with, e.g. `indices` and `values`. */
  readonly parts: readonly { readonly name: string; readonly tensor: PrintableTensor }[];
}

export interface Quantization {
  /** PyTorch's name without `torch.`, e.g. `per_tensor_affine`, `per_channel_affine`. */
  readonly scheme: string;
  /** A number for schemes per tensor, a tensor of one per channel otherwise. */
  readonly scale: number | PrintableTensor;
  readonly zeroPoint: number | PrintableTensor;
  /** The dimension of the channels; only for schemes per channel. */
  readonly axis?: number;
}

export interface PrintContext {
  /** Default: what `setPrintOptions` has set. */
  readonly options?: PrintOptions;
  /** The default floating-point type, whose name is not shown. Default `float32`. */
  readonly defaultDtype?: string;
  /** Device type whose name is not shown. Default `cpu`. */
  readonly defaultDeviceType?: string;
}

type Resolved = Required<PrintContext>;

/** The tensor as Python's `print` shows it. Several lines for all but the smallest; no line break at the end. */
export function formatTensor(tensor: PrintableTensor, context: PrintContext = {}): string {
  return describe(tensor, {
    options: context.options ?? getPrintOptions(),
    defaultDtype: context.defaultDtype ?? 'float32',
    defaultDeviceType: context.defaultDeviceType ?? 'cpu',
  });
}

function describe(tensor: PrintableTensor, context: Resolved): string {
  const prefix = tensor.nested ? 'nested_tensor(' : 'tensor(';
  const suffixes: string[] = [];
  const deviceType = tensor.device.split(':')[0];
  if (deviceType !== context.defaultDeviceType || deviceType === 'mps') suffixes.push(`device='${tensor.device}'`);

  const body = describeBody(tensor, prefix.length, suffixes, context);
  if (tensor.layout !== 'strided') suffixes.push(`layout=torch.${tensor.layout}`);
  if (tensor.gradFnName !== null) suffixes.push(`grad_fn=<${tensor.gradFnName}>`);
  else if (tensor.requiresGrad) suffixes.push('requires_grad=True');
  return joinSuffixes(prefix + body, suffixes, prefix.length, tensor.layout === 'sparse_coo', context.options);
}

/** What stands between the opening bracket and the suffixes. Adds the suffixes that describe it: size, dtype, … */
function describeBody(tensor: PrintableTensor, indent: number, suffixes: string[], context: Resolved): string {
  const size = `size=${tupleText(tensor.shape)}`;
  const dtype = `dtype=torch.${tensor.dtype}`;
  const dtypeSuffix = impliedDtypes(context.defaultDtype).includes(tensor.dtype) ? [] : [dtype];

  if (tensor.nested) {
    const items = tensor.nested.map((item) => describe(item, context).replace(/^/gm, '  '));
    return `[\n${items.join(',\n')}\n]`;
  }
  if (tensor.sparse) {
    const counted = isMeta(tensor) ? [] : [`nnz=${tensor.sparse.nnz}`];
    suffixes.push(size, ...counted, ...dtypeSuffix);
    return describeParts(tensor.sparse, indent, context.options);
  }
  if (tensor.quantization) {
    suffixes.push(size, ...dtypeSuffix, ...quantizationSuffixes(tensor.quantization, context));
    return elementsText(tensor, indent, context.options);
  }
  // Without elements to tell it from, every type but the default one is named, int64 and bool included.
  const namedAlways = tensor.dtype === context.defaultDtype ? [] : [dtype];
  if (isMeta(tensor)) {
    suffixes.push(size, ...namedAlways);
    return '...';
  }
  if (countElements(tensor.shape) === 0) {
    suffixes.push(...(tensor.shape.length === 1 ? [] : [size]), ...namedAlways);
    return '[]';
  }
  suffixes.push(...(context.options.edgeitems === 0 ? [size] : []), ...dtypeSuffix);
  return elementsText(tensor, indent, context.options);
}

function describeParts(sparse: SparseParts, indent: number, options: PrintOptions): string {
  const texts = sparse.parts.map(({ name, tensor }) => {
    const prefix = `${name}=tensor(`;
    const text = isMeta(tensor) ? '...' : elementsText(tensor, indent + prefix.length, options);
    const hidden = isMeta(tensor) || countElements(tensor.shape) === 0;
    return `${prefix}${text}${hidden ? `, size=${tupleText(tensor.shape)}` : ''})`;
  });
  return texts.join(`,\n${' '.repeat(indent)}`);
}

function quantizationSuffixes(quantization: Quantization, context: Resolved): string[] {
  const { scheme, scale, zeroPoint, axis } = quantization;
  return [
    `quantization_scheme=torch.${scheme}`,
    `scale=${typeof scale === 'number' ? formatRepr(scale) : describe(scale, context)}`,
    `zero_point=${typeof zeroPoint === 'number' ? String(zeroPoint) : describe(zeroPoint, context)}`,
    ...(axis === undefined ? [] : [`axis=${axis}`]),
  ];
}

/** The bracketed elements of a dense tensor; continuation lines are indented by `indent`. */
function elementsText(tensor: PrintableTensor, indent: number, options: PrintOptions): string {
  const { shape, dtype } = tensor;
  const count = countElements(shape);
  if (count === 0) return '[]';
  const summarise = count > options.threshold;
  if (summarise && options.edgeitems === 0 && shape.length > 0) return '[...]';

  const values = tensor.values(summarise ? options.edgeitems : null);
  const singlePrecision = tensor.device.startsWith('mps');
  const { format, width } = dtype.startsWith('complex')
    ? complexColumn(values as ArrayLike<number>, dtype, options, singlePrecision)
    : realColumn(values, dtype, options, singlePrecision);
  if (shape.length === 0) return format(0);

  const cut = (size: number): boolean => summarise && size > 2 * options.edgeitems;
  let next = 0;
  /** Up to `limit` items made one after the other, with the mark of what is left out in the middle. */
  const items = (size: number, make: () => string, mark: string): string[] => {
    if (!cut(size)) return Array.from({ length: size }, make);
    const first = Array.from({ length: options.edgeitems }, make);
    return [...first, mark, ...Array.from({ length: options.edgeitems }, make)];
  };
  const block = (dimension: number, column: number): string => {
    const size = shape[dimension]!;
    if (dimension === shape.length - 1) {
      const perLine = Math.max(1, Math.floor((options.linewidth - column) / (width + 2)));
      const cells = items(size, () => format(next++), ' ...');
      const lines: string[] = [];
      for (let i = 0; i < cells.length; i += perLine) lines.push(cells.slice(i, i + perLine).join(', '));
      return `[${lines.join(`,\n${' '.repeat(column + 1)}`)}]`;
    }
    const rows = items(size, () => block(dimension + 1, column + 1), '...');
    return `[${rows.join(`,${'\n'.repeat(shape.length - dimension - 1)}${' '.repeat(column + 1)}`)}]`;
  };
  return block(0, indent);
}

interface Column {
  /** Width on which lines are planned. */
  readonly width: number;
  /** The n-th element. */
  format(index: number): string;
}

function realColumn(
  values: ArrayLike<PrintableValue>,
  dtype: string,
  options: PrintOptions,
  singlePrecision: boolean,
): Column {
  const floating = dtype.startsWith('float') || dtype.startsWith('bfloat') || dtype.startsWith('q');
  const formatter: ElementFormatter = floating
    ? floatFormatter(values, dtype, options, singlePrecision)
    : integerFormatter(values, dtype === 'bool');
  return { width: formatter.width, format: (index) => formatter.format(values[index]!) };
}

/** Real and imaginary parts choose their notation separately; the imaginary part always shows its sign. */
function complexColumn(
  values: ArrayLike<number>,
  dtype: string,
  options: PrintOptions,
  singlePrecision: boolean,
): Column {
  const half = (offset: number): ElementFormatter => {
    const numbers = Array.from({ length: values.length / 2 }, (_, i) => values[2 * i + offset]!);
    return floatFormatter(numbers, dtype, options, singlePrecision);
  };
  const real = half(0);
  const imaginary = half(1);
  return {
    width: real.width + imaginary.width + 1,
    format: (index) => {
      const text = imaginary.format(values[2 * index + 1]!).trimStart();
      return `${real.format(values[2 * index]!)}${text.startsWith('-') ? '' : '+'}${text}j`;
    },
  };
}

/** Appends `, dtype=…` and the like, each on a new line where it would run over the line width, and the bracket. */
function joinSuffixes(
  text: string,
  suffixes: readonly string[],
  indent: number,
  firstOnNewLine: boolean,
  options: PrintOptions,
): string {
  let result = text;
  // PyTorch counts two characters more than the last line has; kept, since it decides where lines break.
  let lineLength = text.length - text.lastIndexOf('\n') + 1;
  let newLine = firstOnNewLine;
  for (const suffix of suffixes) {
    if (newLine || lineLength + suffix.length + 2 > options.linewidth) {
      result += `,\n${' '.repeat(indent)}${suffix}`;
      lineLength = indent + suffix.length;
      newLine = false;
    } else {
      result += `, ${suffix}`;
      lineLength += suffix.length + 2;
    }
  }
  return `${result})`;
}

/** Types that are not named because the elements themselves show them. */
function impliedDtypes(defaultDtype: string): readonly string[] {
  return [defaultDtype, defaultDtype === 'float64' ? 'complex128' : 'complex64', 'int64', 'bool'];
}

const isMeta = (tensor: PrintableTensor): boolean => tensor.device.startsWith('meta');

const countElements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** A shape as Python writes a tuple: `()`, `(3,)`, `(2, 3)`. */
function tupleText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}
