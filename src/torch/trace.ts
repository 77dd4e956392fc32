/**
 * Notes which operators a piece of code calls, on what, and what they give: what a graph can be made of.
 *
 * The calls are seen where all of them pass, at the bridge, by standing in front of it for as long as the tracing lasts; a program that does
 * not trace pays nothing.
 */
import { schemaOf } from './binding.js';
import { type DType, dtypeName } from './dtype.js';
import { TorchError } from './errors.js';
import { native } from './load.js';
import type { Handle, NativeBridge, NativeValue } from './native.js';
import type { FunctionSchema, SchemaType } from './schema.js';
import { Tensor } from './tensor.js';

/** The code does something that no graph of operators can say. */
export class TraceError extends TorchError {
  override readonly name = 'TraceError';
  constructor(message: string) {
    super(message, 'TraceError');
  }
}

/** A tensor at one moment: an operator that writes in place makes a new one of it. */
export interface TracedTensor {
  readonly origin:
    | { readonly kind: 'input'; readonly index: number }
    /** Made before the tracing, or by no operator: a weight, `torch.tensor([…])`. Counted in the order of first use. */
    | { readonly kind: 'leaf'; readonly index: number }
    | { readonly kind: 'call'; readonly call: number; readonly output: number };
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Whether its elements depend on the inputs. */
  readonly fromInput: boolean;
  /** What the program knew it by. */
  readonly handle: Handle;
  /** The tensor itself, for those that do not depend on the inputs. */
  tensor: Tensor | null;
}

/** What an operator was given: numbers and words as they are, tensors as what is known of them. */
export type TracedArgument =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | TracedTensor
  | { readonly re: number; readonly im: number }
  | readonly TracedArgument[];

export interface TracedCall {
  readonly schema: FunctionSchema;
  /** By position in the schema; `undefined` where the default holds. */
  readonly args: readonly TracedArgument[];
  /** Tensors it gave, those it wrote to included, in the order of the schema. */
  readonly results: readonly TracedTensor[];
  /** What `place` said when it was called. */
  readonly place: string;
}

export interface Trace<Result> {
  readonly calls: readonly TracedCall[];
  readonly leaves: readonly TracedTensor[];
  readonly result: Result;
  /** What is known of a tensor that the code gave back. @throws TraceError for one that was never seen */
  of(tensor: Tensor): TracedTensor;
}

export const isTraced = (value: TracedArgument): value is TracedTensor =>
  typeof value === 'object' && value !== null && 'origin' in value;

type Patched = Pick<NativeBridge, 'call' | 'item' | 'read' | 'map'>;

/** Everything a tracing remembers while it runs. */
class Recorder {
  readonly calls: TracedCall[] = [];
  readonly leaves: TracedTensor[] = [];
  readonly #known = new Map<Handle, TracedTensor>();
  /** Tensors of one memory, by its address. */
  readonly #sharers = new Map<bigint, Set<Handle>>();
  /** Tensors whose memory was written to through another one, with the operator that did. */
  readonly #stale = new Map<Handle, string>();
  #paused = false;

  constructor(
    readonly original: Patched,
    inputs: readonly Tensor[],
    readonly place: () => string,
  ) {
    for (const [index, input] of inputs.entries()) this.#remember(input.handle, { kind: 'input', index }, true);
  }

  readonly patched: Patched = {
    call: (id, shell, ...args) => this.#call(id, shell, args),
    item: (handle) => this.original.item(this.#plain(handle)),
    read: (handle) => this.original.read(this.#plain(handle)),
    map: (handle) => this.original.map(this.#plain(handle)),
  };

  /** What is known of a tensor as it is now; one never seen is a leaf. */
  of(handle: Handle): TracedTensor {
    const known = this.#known.get(handle);
    const writer = this.#stale.get(handle);
    if (writer !== undefined)
      throw new TraceError(
        `${this.#where()}a tensor is used after ${writer} wrote into memory that it shares; use the operator that makes a new tensor (without the underscore), or put parts together with torch.cat.`,
      );
    if (known !== undefined) return known;
    const leaf = this.#remember(handle, { kind: 'leaf', index: this.leaves.length }, false);
    this.leaves.push(leaf);
    return leaf;
  }

  #where(): string {
    const place = this.place();
    return place === '' ? '' : `${place}: `;
  }

  #remember(handle: Handle, origin: TracedTensor['origin'], fromInput: boolean): TracedTensor {
    const traced: TracedTensor = {
      origin,
      shape: native.shape(handle),
      dtype: dtypeName(native.dtype(handle)),
      fromInput,
      handle,
      tensor: fromInput ? null : new Tensor(native.alias(handle)),
    };
    this.#known.set(handle, traced);
    this.#stale.delete(handle);
    const memory = this.#memoryOf(handle);
    if (memory !== null) {
      const sharers = this.#sharers.get(memory) ?? new Set();
      this.#sharers.set(memory, sharers.add(handle));
    }
    return traced;
  }

  #memoryOf(handle: Handle): bigint | null {
    try {
      const { id, bytes } = native.storage(handle);
      return bytes === 0 ? null : id;
    } catch {
      return null; // a sparse layout
    }
  }

  /** A tensor whose numbers the program wants to see. */
  #plain(handle: Handle): Handle {
    if (!this.#paused && this.#known.get(handle)?.fromInput === true)
      throw new TraceError(
        `${this.#where()}the code reads numbers of a tensor that depends on the input (item, toArray and the like), and what it does with them cannot be part of a graph; compute with tensors instead.`,
      );
    return handle;
  }

  #call(id: number, shell: object | null, args: readonly NativeValue[]): NativeValue {
    if (this.#paused) return this.original.call(id, shell, ...args);
    const schema = schemaOf(id);
    // An operator that a part of the engine's own TypeScript resolved for itself: bookkeeping, not the program's.
    if (schema === undefined) return this.original.call(id, shell, ...args);
    const decoder = new ScratchReader();
    const traced = schema.arguments.map((argument, i) => this.#argument(argument.type, args[i], decoder));
    const fromInput = traced.some(dependsOnInput);
    const written = schema.arguments.map((argument) => argument.alias?.write === true);
    for (const [i, isWritten] of written.entries()) if (isWritten) this.#setAside(traced[i]);
    const value = this.original.call(id, shell, ...args);
    const call = this.calls.length;
    const results: TracedTensor[] = [];
    const add = (handle: Handle): void => {
      results.push(this.#remember(handle, { kind: 'call', call, output: results.length }, fromInput));
    };
    for (const [i, result] of schema.returns.entries()) {
      const alias = result.alias?.write === true ? result.alias.set : null;
      const target =
        alias === null ? -1 : schema.arguments.findIndex((x) => x.alias?.write === true && x.alias.set === alias);
      if (target >= 0) {
        const handle = args[target] as Handle;
        this.#overwrite(handle, schema.name);
        add(handle);
        continue;
      }
      const own = schema.returns.length === 1 ? value : (value as readonly NativeValue[])[i];
      if (result.type.base !== 'Tensor') {
        if (fromInput)
          throw new TraceError(
            `${this.#where()}${schema.name.replace('aten::', '')} gives a plain value of a tensor that depends on the input, and what the code does with it cannot be part of a graph.`,
          );
      } else if (result.type.list) for (const handle of own as readonly Handle[]) add(handle);
      else if (own !== null && own !== undefined) add(own as Handle);
    }
    this.calls.push({ schema, args: traced, results, place: this.place() });
    return value;
  }

  /** Keeps what a tensor held before it is written to. */
  #setAside(argument: TracedArgument): void {
    if (!isTraced(argument) || argument.tensor === null) return;
    this.#paused = true;
    try {
      argument.tensor = argument.tensor.clone();
    } finally {
      this.#paused = false;
    }
  }

  #overwrite(handle: Handle, operator: string): void {
    const memory = this.#memoryOf(handle);
    for (const other of (memory === null ? undefined : this.#sharers.get(memory)) ?? [])
      if (other !== handle) this.#stale.set(other, operator.replace('aten::', ''));
  }

  #argument(type: SchemaType, value: NativeValue, scratch: ScratchReader): TracedArgument {
    if (value === undefined || value === null) return value;
    if (type.list) {
      const list = value === true && type.base !== 'bool' ? scratch.list() : value;
      if (!Array.isArray(list)) return list as TracedArgument;
      return (list as readonly NativeValue[]).map((element) =>
        type.base === 'Tensor' && element !== null ? this.of(element as Handle) : (element as TracedArgument),
      );
    }
    if (type.base === 'Tensor') return value === true ? (scratch.list()[0] as number) : this.of(value as Handle);
    return value as TracedArgument;
  }
}

/** Lists travel in memory shared with the bridge: a length and the elements, one list after the other. */
class ScratchReader {
  #at = 0;

  list(): number[] {
    const length = native.scratch[this.#at] as number;
    const start = this.#at + 1;
    this.#at = start + length;
    return [...native.scratch.subarray(start, this.#at)];
  }
}

function dependsOnInput(argument: TracedArgument): boolean {
  if (Array.isArray(argument)) return (argument as readonly TracedArgument[]).some(dependsOnInput);
  return isTraced(argument) && argument.fromInput;
}

/**
 * Runs `work` and notes the operators that it calls.
 * @param inputs what the graph will be given; everything else is taken as it is
 * @param place asked at each call: where in the program it stands
 * @throws TraceError where the code does what no graph can say: read numbers of the inputs, write into parts of tensors
 */
export function traceOperators<Result>(
  inputs: readonly Tensor[],
  work: () => Result,
  place: () => string = () => '',
): Trace<Result> {
  const { call, item, read, map } = native;
  const recorder = new Recorder({ call, item, read, map }, inputs, place);
  Object.assign(native, recorder.patched);
  let result: Result;
  try {
    result = work();
  } finally {
    Object.assign(native, { call, item, read, map });
  }
  return { calls: recorder.calls, leaves: recorder.leaves, result, of: (tensor) => recorder.of(tensor.handle) };
}
