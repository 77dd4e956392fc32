/** Cases written by `scripts/golden/print.py`: how they are read, and how their tensors answer the printer. */

import type { PrintableTensor, PrintableValue, PrintContext, PrintSettings } from '../../src/torch/print.js';

export interface TensorDescription {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly device?: string;
  readonly layout?: string;
  readonly gradFnName?: string;
  readonly requiresGrad?: boolean;
  /** Row-major, two per complex element; repeats when shorter than the tensor. */
  readonly values?: readonly (number | string | boolean)[];
  readonly nested?: readonly TensorDescription[];
  readonly sparse?: {
    readonly nnz: number;
    readonly parts: readonly { readonly name: string; readonly tensor: TensorDescription }[];
  };
  readonly quantization?: {
    readonly scheme: string;
    readonly scale: number | TensorDescription;
    readonly zeroPoint: number | TensorDescription;
    readonly axis?: number;
  };
}

export interface PrintCase {
  readonly text: string;
  readonly tensor: TensorDescription;
  readonly options?: Omit<PrintSettings, 'threshold'> & { readonly threshold?: number | 'inf' };
  readonly defaultDtype?: string;
}

export interface PrintCases {
  readonly torch: string;
  readonly cases: readonly PrintCase[];
}

/** The options of a case in the form `setPrintOptions` takes. */
export function settingsOf(test: PrintCase): PrintSettings {
  const { threshold, ...rest } = test.options ?? {};
  return threshold === undefined
    ? rest
    : { ...rest, threshold: threshold === 'inf' ? Number.POSITIVE_INFINITY : threshold };
}

export function contextOf(test: PrintCase): PrintContext {
  return test.defaultDtype === undefined ? {} : { defaultDtype: test.defaultDtype };
}

/** All elements of a described tensor as plain values, row-major, complex ones interleaved. */
export function elementsOf({ dtype, shape, values = [] }: TensorDescription): PrintableValue[] {
  const count = shape.reduce((product, size) => product * size, dtype.startsWith('complex') ? 2 : 1);
  const decoded = values.map(decode);
  return Array.from({ length: count }, (_, i) => decoded[i % decoded.length]!);
}

function decode(value: number | string | boolean): PrintableValue {
  if (typeof value !== 'string') return value;
  const special: Record<string, number> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity, '-0': -0 };
  return special[value] ?? BigInt(value);
}

/** A described tensor as the printer wants it. */
export function printable(description: TensorDescription): PrintableTensor {
  const { dtype, shape, nested, sparse, quantization } = description;
  const part = (value: number | TensorDescription): number | PrintableTensor =>
    typeof value === 'number' ? value : printable(value);
  return {
    dtype,
    shape,
    device: description.device ?? 'cpu',
    layout: description.layout ?? 'strided',
    requiresGrad: description.requiresGrad ?? false,
    gradFnName: description.gradFnName ?? null,
    values: (edgeItems) => pickEdges(elementsOf(description), shape, dtype.startsWith('complex') ? 2 : 1, edgeItems),
    ...(nested && { nested: nested.map(printable) }),
    ...(sparse && {
      sparse: {
        nnz: sparse.nnz,
        parts: sparse.parts.map(({ name, tensor }) => ({ name, tensor: printable(tensor) })),
      },
    }),
    ...(quantization && {
      quantization: { ...quantization, scale: part(quantization.scale), zeroPoint: part(quantization.zeroPoint) },
    }),
  };
}

function pickEdges(
  elements: PrintableValue[],
  shape: readonly number[],
  numbersPerElement: number,
  edgeItems: number | null,
): PrintableValue[] {
  if (edgeItems === null) return elements;
  const kept: PrintableValue[] = [];
  elements.forEach((element, position) => {
    let rest = Math.floor(position / numbersPerElement);
    for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
      const size = shape[dimension]!;
      const index = rest % size;
      rest = Math.floor(rest / size);
      if (size > 2 * edgeItems && index >= edgeItems && index < size - edgeItems) return;
    }
    kept.push(element);
  });
  return kept;
}
