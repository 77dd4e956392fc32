/** One call of an operator as the writers of its ONNX form see it: arguments by name, sizes that grow with the batch, results. */
import type { DType, Tensor } from '../torch/index.js';
import type { FunctionSchema, SchemaArgument } from '../torch/schema.js';
import { isTraced, type TracedArgument, type TracedTensor } from '../torch/trace.js';
import { type Dimension, dimensionOf, isGrowing } from './dimension.js';
import { OnnxError } from './errors.js';
import { type AddOptions, encodeNumbers, type Graph } from './graph.js';
import { type Attribute, elementType, type TensorData } from './proto.js';

/** A tensor of the graph. */
export interface Operand {
  /** Its name; of a constant, which comes with the graph from then on. */
  readonly name: string;
  readonly shape: readonly Dimension[];
  readonly dtype: DType;
  /** Its elements, where they are the same for all inputs. */
  readonly constant: Tensor | null;
  /** What a constant is called, for others that are made of it. */
  readonly label: string;
}

/** The shape and type of a result. */
export type ResultFacts = Pick<Operand, 'shape' | 'dtype'>;

/** The elements of a tensor as a file holds them. */
export function dataOf(tensor: Tensor): TensorData {
  const whole = tensor.detach().cpu().contiguous();
  const { dtype } = whole;
  // Typed arrays give half types as float32: their bytes are read as what they are.
  const plain = dtype === 'float16' || dtype === 'bfloat16' ? whole.view('int16') : whole;
  const array = plain.toTypedArray();
  return { dtype, dims: whole.shape, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) };
}

/** What the emission needs of who walks through the trace. */
export interface Surroundings {
  readonly graph: Graph;
  /** Sizes of the batches of the two traces. */
  readonly batches: readonly [number, number];
  operandOf(traced: TracedTensor): Operand;
  /** The module the call stands in, for messages. */
  readonly where: string;
}

export class Emission {
  readonly graph: Graph;
  readonly results: readonly ResultFacts[];

  constructor(
    private readonly around: Surroundings,
    readonly schema: FunctionSchema,
    private readonly first: readonly TracedArgument[],
    private readonly second: readonly TracedArgument[],
    results: readonly [readonly TracedTensor[], readonly TracedTensor[]],
  ) {
    this.graph = around.graph;
    this.results = results[0].map((one, i) => ({
      shape: one.shape.map((size, d) => this.#grow(size, results[1][i]?.shape[d] ?? size)),
      dtype: one.dtype,
    }));
  }

  /** The only, or first, result. */
  get result(): ResultFacts {
    return this.results[0] as ResultFacts;
  }

  get opset(): number {
    return this.graph.opset;
  }

  /** A sentence about this operator, at this place. */
  refuse(why: string): OnnxError {
    return new OnnxError(`${this.schema.name.replace('aten::', '')}${this.around.where} ${why}.`);
  }

  #grow(a: number, b: number): Dimension {
    return dimensionOf(a, b, ...this.around.batches);
  }

  #position(name: string): number {
    const position = this.schema.arguments.findIndex((argument) => argument.name === name);
    if (position < 0) throw new Error(`${this.schema.name}.${this.schema.overload} has no argument ${name}`);
    return position;
  }

  /** Whether this form of the operator has such an argument. */
  has(name: string): boolean {
    return this.schema.arguments.some((argument) => argument.name === name);
  }

  #given(name: string, trace: readonly TracedArgument[]): TracedArgument {
    const position = this.#position(name);
    const value = trace[position];
    return value === undefined
      ? ((this.schema.arguments[position] as SchemaArgument).default as TracedArgument)
      : value;
  }

  /** An argument as it was given, or its default. @throws OnnxError when it changes with the batch */
  value(name: string): TracedArgument {
    const [a, b] = [this.#given(name, this.first), this.#given(name, this.second)];
    if (!isTraced(a) && JSON.stringify(a, exact) !== JSON.stringify(b, exact))
      throw this.refuse(`is given another '${name}' for another number of samples, which its ONNX form cannot have`);
    return a;
  }

  /** Whether an argument is there and not null. */
  given(name: string): boolean {
    if (!this.has(name)) return false;
    const value = this.#given(name, this.first);
    return value !== null && value !== undefined;
  }

  number(name: string): number {
    const value = this.value(name);
    if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean')
      throw this.refuse(`is given no plain number for '${name}'`);
    return Number(value);
  }

  boolean(name: string): boolean {
    return this.value(name) === true;
  }

  text(name: string): string {
    return String(this.value(name));
  }

  /** Integers; a single one stands for as many as the schema says. */
  integers(name: string): number[] {
    return this.dimensions(name).map((one) => {
      if (isGrowing(one))
        throw this.refuse(`is given another '${name}' for another number of samples, which its ONNX form cannot have`);
      return one;
    });
  }

  /** `integers`, of which some may grow with the batch. */
  dimensions(name: string): Dimension[] {
    const [a, b] = [this.#given(name, this.first), this.#given(name, this.second)];
    if (Array.isArray(a) && Array.isArray(b) && a.length === b.length)
      return a.map((one, i) => this.#grow(Number(one), Number(b[i])));
    if (typeof a === 'number' && typeof b === 'number') {
      const { listSize } = (this.schema.arguments[this.#position(name)] as SchemaArgument).type;
      return new Array<Dimension>(listSize ?? 1).fill(this.#grow(a, b));
    }
    throw this.refuse(`is given no list of integers for '${name}'`);
  }

  /** One integer that may grow with the batch; null where none is given. */
  dimension(name: string): Dimension | null {
    const [a, b] = [this.#given(name, this.first), this.#given(name, this.second)];
    if (a === null || a === undefined) return null;
    return this.#grow(Number(a), Number(b));
  }

  /** A tensor argument; a number in its place becomes a tensor that yields to others in type. */
  operand(name: string): Operand {
    const found = this.optional(name);
    if (found === null) throw this.refuse(`lacks '${name}'`);
    return found;
  }

  optional(name: string): Operand | null {
    if (!this.has(name)) return null;
    const value = this.value(name);
    if (value === null || value === undefined) return null;
    if (isTraced(value)) return this.around.operandOf(value);
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
      return this.numberOperand(value);
    throw this.refuse(`is given no tensor for '${name}'`);
  }

  /** A number as a tensor without dimensions, in the type of the result where that holds it. */
  numberOperand(value: number | bigint | boolean): Operand {
    const { graph } = this;
    const whole = Number.isInteger(Number(value));
    const dtype: DType = typeof value === 'boolean' ? 'bool' : whole ? 'int64' : 'float32';
    return {
      get name() {
        return graph.scalar(Number(value), dtype);
      },
      shape: [],
      dtype,
      constant: null,
      label: 'constant',
      plain: Number(value),
    } as Operand & { plain: number };
  }

  operands(name: string): Operand[] {
    return (this.#given(name, this.first) as readonly TracedTensor[]).map((one) => this.around.operandOf(one));
  }

  /** A tensor of a list that may have gaps. */
  element(name: string, index: number): Operand {
    return this.around.operandOf((this.#given(name, this.first) as readonly TracedTensor[])[index] as TracedTensor);
  }

  add(
    operator: string,
    inputs: readonly (string | null)[],
    attributes: Readonly<Record<string, Attribute | undefined>> = {},
  ): string {
    return this.graph.add(operator, inputs, attributes);
  }

  addAll(
    operator: string,
    inputs: readonly (string | null)[],
    attributes: Readonly<Record<string, Attribute | undefined>> = {},
    options: AddOptions = {},
  ): string[] {
    return this.graph.addAll(operator, inputs, attributes, options);
  }

  /** A tensor in another element type. */
  cast(operand: Operand, dtype: DType): string {
    const { plain } = operand as Operand & { plain?: number };
    if (plain !== undefined) return this.scalar(plain, dtype);
    if (operand.dtype === dtype) return operand.name;
    return this.add('Cast', [operand.name], { to: elementType(dtype) });
  }

  /** A number in the type of a tensor. */
  scalar(value: number, dtype: DType): string {
    if (dtype !== 'float16' && dtype !== 'bfloat16') return this.graph.scalar(value, dtype);
    return this.add('Cast', [this.graph.scalar(value, 'float32')], { to: elementType(dtype) });
  }

  /** A constant made of others. */
  constant(label: string, tensor: Tensor): string {
    return this.graph.initializer(label, dataOf(tensor));
  }

  /** A floating tensor filled with one number. */
  filled(value: number, length: number, dtype: DType): string {
    if (dtype === 'float32' || dtype === 'float64')
      return this.graph.constant(new Array<number>(length).fill(value), dtype, [length]);
    const data = { dtype: 'float32' as const, dims: [length] };
    const bytes = encodeNumbers(new Array<number>(length).fill(value), 'float32');
    return this.add('Cast', [this.graph.initializer('constant', { ...data, bytes })], { to: elementType(dtype) });
  }

  /** A dimension counted from 0. */
  axis(dim: number, rank: number): number {
    return dim < 0 ? dim + rank : dim;
  }

  /** Reshapes; one size that grows with the batch is left to the network to find. */
  reshape(input: string, shape: readonly Dimension[]): string {
    const growing = shape.filter(isGrowing);
    const others = shape.filter((size): size is number => !isGrowing(size));
    if (growing.length === 1 && others.every((size) => size > 0))
      return this.add('Reshape', [input, this.graph.integers(shape.map((size) => (isGrowing(size) ? -1 : size)))]);
    if (growing.length === 0 && others.includes(0))
      return this.add('Reshape', [input, this.graph.integers(others)], { allowzero: 1 });
    return this.add('Reshape', [input, this.graph.sizes(shape)]);
  }

  /** Means, sums and the like over axes: from a later version on they stand in an input. */
  reduce(
    operator: string,
    input: string,
    axes: readonly number[] | null,
    keepDimensions: boolean,
    axesInputSince = 18,
  ): string {
    const attributes = { keepdims: keepDimensions ? 1 : 0 };
    if (axes === null) return this.add(operator, [input], attributes);
    if (this.opset >= axesInputSince) return this.add(operator, [input, this.graph.integers(axes)], attributes);
    return this.add(operator, [input], { axes, ...attributes });
  }
}

/** NaN, the infinities and bigints differ from null and each other. */
function exact(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `bigint ${value}`;
  if (typeof value === 'number' && !Number.isFinite(value)) return `number ${value}`;
  if (typeof value === 'object' && value !== null && 'origin' in value) return (value as TracedTensor).origin;
  return value;
}

/** Writes the ONNX form of a call; gives the names of its results. */
export type Emitter = (e: Emission) => string | readonly string[];
