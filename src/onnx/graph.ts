/** A graph of ONNX operators while it grows: nodes, constants, names. */
import type { DType } from '../torch/index.js';
import { type Dimension, isGrowing } from './dimension.js';
import { OnnxError } from './errors.js';
import type { Attribute, NodeInfo, TensorData } from './proto.js';

/** JavaScript's numbers as the elements of a type. */
export function encodeNumbers(values: readonly (number | bigint)[], dtype: DType): Uint8Array {
  const numbers = values.map(Number);
  const array = ((): ArrayBufferView => {
    switch (dtype) {
      case 'float32':
        return Float32Array.from(numbers);
      case 'float64':
        return Float64Array.from(numbers);
      case 'int64':
        return BigInt64Array.from(values, (value) => BigInt(typeof value === 'bigint' ? value : Math.trunc(value)));
      case 'int32':
        return Int32Array.from(numbers);
      case 'uint8':
      case 'bool':
        return Uint8Array.from(numbers);
      case 'int8':
        return Int8Array.from(numbers);
      case 'int16':
        return Int16Array.from(numbers);
      default:
        throw new OnnxError(`A number cannot be written as ${dtype}; export the network in float32: model.float().`);
    }
  })();
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

export interface AddOptions {
  readonly outputs?: number;
  /** Names for the outputs. */
  readonly named?: readonly string[];
}

export class Graph {
  readonly nodes: NodeInfo[] = [];
  readonly initializers = new Map<string, TensorData>();
  /** Where in the network the nodes that are added belong: `layer1.0.conv1`. */
  place = '';
  readonly #taken = new Set<string>();
  readonly #counts = new Map<string, number>();
  readonly #small = new Map<string, string>();
  /** The batch's size as a tensor of one element, once something needs it. */
  #batch: string | null = null;

  constructor(
    readonly opset: number,
    /** The input whose first dimension is the batch. */
    readonly batchOf: string,
  ) {}

  /** A name that nothing else has. */
  unique(wanted: string): string {
    let name = wanted;
    for (let count = (this.#counts.get(wanted) ?? 0) + 1; this.#taken.has(name); count++) {
      this.#counts.set(wanted, count);
      name = `${wanted}_${count}`;
    }
    this.#taken.add(name);
    return name;
  }

  /** Adds a node. @returns the names of its outputs */
  addAll(
    operator: string,
    inputs: readonly (string | null)[],
    attributes: Readonly<Record<string, Attribute | undefined>> = {},
    options: AddOptions = {},
  ): string[] {
    const place = this.place === '' ? '' : `/${this.place.replaceAll('.', '/')}`;
    const name = this.unique(`${place}/${operator}`);
    const count = options.named?.length ?? options.outputs ?? 1;
    const outputs = options.named ?? Array.from({ length: count }, (_, i) => this.unique(`${name}_output_${i}`));
    const given = [...inputs];
    while (given.length > 0 && given.at(-1) === null) given.pop();
    this.nodes.push({
      operator,
      name,
      inputs: given.map((input) => input ?? ''),
      outputs,
      attributes: Object.fromEntries(
        Object.entries(attributes).filter((entry): entry is [string, Attribute] => entry[1] !== undefined),
      ),
    });
    return [...outputs];
  }

  /** `addAll` for an operator with one output. */
  add(
    operator: string,
    inputs: readonly (string | null)[],
    attributes: Readonly<Record<string, Attribute | undefined>> = {},
  ): string {
    return this.addAll(operator, inputs, attributes)[0] as string;
  }

  /** A tensor that comes with the graph. */
  initializer(wanted: string, data: TensorData): string {
    const name = this.unique(wanted);
    this.initializers.set(name, data);
    return name;
  }

  /** Numbers that come with the graph; equal ones once. */
  constant(values: readonly (number | bigint)[], dtype: DType, dims: readonly number[]): string {
    const key = `${dtype}[${dims.join()}]${values.map((value) => (Object.is(value, -0) ? '-0' : String(value))).join()}`;
    let name = this.#small.get(key);
    if (name === undefined) {
      name = this.initializer('constant', { dtype, dims, bytes: encodeNumbers(values, dtype) });
      this.#small.set(key, name);
    }
    return name;
  }

  /** One number. */
  scalar(value: number | bigint, dtype: DType): string {
    return this.constant([value], dtype, []);
  }

  /** A list of integers: axes, positions. */
  integers(values: readonly number[]): string {
    return this.constant(values, 'int64', [values.length]);
  }

  /** Sizes as a list; computed from the batch where they grow with it. */
  sizes(dimensions: readonly Dimension[]): string {
    if (!dimensions.some(isGrowing)) return this.integers(dimensions as readonly number[]);
    const parts: string[] = [];
    let plain: number[] = [];
    const flush = (): void => {
      if (plain.length > 0) parts.push(this.integers(plain));
      plain = [];
    };
    for (const dimension of dimensions) {
      if (!isGrowing(dimension)) {
        plain.push(dimension);
        continue;
      }
      flush();
      let size = this.#batchSize();
      if (dimension.times !== 1) size = this.add('Mul', [size, this.integers([dimension.times])]);
      if (dimension.plus !== 0) size = this.add('Add', [size, this.integers([dimension.plus])]);
      parts.push(size);
    }
    flush();
    return parts.length === 1 ? (parts[0] as string) : this.add('Concat', parts, { axis: 0 });
  }

  #batchSize(): string {
    if (this.#batch === null) {
      const { place } = this;
      this.place = '';
      const shape = this.add('Shape', [this.batchOf]);
      this.#batch = this.add('Slice', [shape, this.integers([0]), this.integers([1])]);
      this.place = place;
    }
    return this.#batch;
  }
}
