import { stateDictMetadata } from './convert.js';
import type { ElementType } from './element-types.js';
import { FileFormatError, quote } from './errors.js';
import { LIMITS } from './limits.js';
import { OP } from './pickle-opcodes.js';

/** A tensor as the pickle stream describes it. */
export interface PickledTensor {
  readonly key: string;
  readonly type: ElementType;
  /** Elements of the whole storage. */
  readonly elements: number;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly requiresGrad: boolean;
  readonly conjugate: boolean;
  readonly negative: boolean;
}

/** A sparse tensor: its layout and the dense tensors it consists of. */
export interface PickledSparse {
  readonly layout: string;
  readonly parts: readonly object[];
  readonly shape: readonly number[];
}

/** Tells tensors from other objects, and where each one's bytes will be. */
export interface TensorBook {
  isTensor(value: unknown): boolean;
  entry(tensor: object): PickledTensor | PickledSparse;
}

/** Longest integer of `LONG1`, the only long integer PyTorch's restricted reader knows. */
const LONG1_BYTES = 255;

/**
 * Writes a value as one pickle stream of protocol 2, with only those instructions and names that PyTorch's `weights_only` reader
 * (1.13 to 2.13) accepts. Shared containers and cycles are kept.
 */
export function writePickle(value: unknown, file: string, tensors: TensorBook): Buffer {
  const writer = new Writer(file, tensors);
  writer.document(value);
  return writer.bytes();
}

class Writer {
  #buffer = Buffer.allocUnsafe(64 * 1024);
  #length = 0;
  readonly #file: string;
  readonly #tensors: TensorBook;
  readonly #memo = new Map<unknown, number>();
  #memoSize = 0;
  /** Keys from the root to the current value, for messages and the depth limit. */
  readonly #path: string[] = [];

  constructor(file: string, tensors: TensorBook) {
    this.#file = file;
    this.#tensors = tensors;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  document(value: unknown): void {
    this.#op(OP.PROTO, 2);
    this.#value(value);
    this.#op(OP.STOP);
  }

  #value(value: unknown): void {
    if (value === null) this.#op(OP.NONE);
    else if (typeof value === 'object') this.#object(value);
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'boolean') this.#op(value ? OP.NEWTRUE : OP.NEWFALSE);
    else if (typeof value === 'bigint') this.#integer(value);
    else throw this.#error(`is ${value === undefined ? 'undefined; use null' : `a ${typeof value}`}`);
  }

  #object(value: object): void {
    if (this.#recall(value)) return;
    if (this.#path.length > LIMITS.nesting) throw this.#error(`lies deeper than ${LIMITS.nesting} containers`);
    if (this.#tensors.isTensor(value)) this.#tensor(value);
    else if (Array.isArray(value)) this.#list(value);
    else if (value instanceof Map) this.#map(value);
    else if (value instanceof Set) this.#set(value);
    else if (value instanceof Uint8Array) this.#blob(value);
    else this.#plain(value);
  }

  #plain(value: object): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) {
      const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
      throw this.#error(
        `is an object of the class ${typeof name === 'string' ? name : '(unnamed)'}; files hold tensors, numbers, strings, ` +
          'booleans, null, bytes, arrays, Maps, Sets and plain objects',
      );
    }
    const complex = asComplex(value);
    if (complex === null) this.#dict(value as Record<string | symbol, unknown>);
    else this.#complex(complex);
  }

  #complex(parts: readonly [number, number]): void {
    this.#call('__builtin__', 'complex', () => {
      for (const part of parts) this.#float(part);
      this.#op(OP.TUPLE2);
    });
  }

  #list(items: readonly unknown[]): void {
    this.#op(OP.EMPTY_LIST);
    this.#memorise(items);
    this.#batches(items.length, OP.APPENDS, (index) => this.#child(`[${index}]`, items[index]));
  }

  #dict(object: Record<string | symbol, unknown>): void {
    const metadata = object[stateDictMetadata];
    if (metadata === undefined) this.#op(OP.EMPTY_DICT);
    else this.#call('collections', 'OrderedDict', () => this.#op(OP.EMPTY_TUPLE));
    this.#memorise(object);
    const keys = Object.keys(object);
    this.#batches(keys.length, OP.SETITEMS, (index) => {
      const key = keys[index]!;
      this.#text(key);
      this.#child(`.${key}`, object[key]);
    });
    if (metadata === undefined) return;
    this.#op(OP.EMPTY_DICT);
    this.#text('_metadata');
    this.#child('[stateDictMetadata]', metadata);
    this.#op(OP.SETITEM);
    this.#op(OP.BUILD);
  }

  #map(map: ReadonlyMap<unknown, unknown>): void {
    this.#op(OP.EMPTY_DICT);
    this.#memorise(map);
    const entries = [...map];
    this.#batches(entries.length, OP.SETITEMS, (index) => {
      const [key, value] = entries[index]!;
      this.#key(key);
      this.#child(`.get(${label(key)})`, value);
    });
  }

  /** Keys must be hashable in Python: arrays become tuples. */
  #key(key: unknown): void {
    if (Array.isArray(key)) {
      if (this.#path.length > LIMITS.nesting) throw this.#error(`lies deeper than ${LIMITS.nesting} containers`);
      this.#path.push('[key]');
      this.#tuple(key, (item) => this.#key(item));
      this.#path.pop();
    } else if (typeof key === 'object' && key !== null)
      throw this.#error('has a key that is an object; Python wants numbers, strings or arrays');
    else this.#value(key);
  }

  #set(set: ReadonlySet<unknown>): void {
    const items = [...set];
    this.#call('__builtin__', 'set', () => {
      this.#op(OP.EMPTY_LIST);
      this.#batches(items.length, OP.APPENDS, (index) => this.#key(items[index]));
      this.#op(OP.TUPLE1);
    });
    this.#memorise(set);
  }

  #blob(bytes: Uint8Array): void {
    this.#call('_codecs', 'encode', () => {
      this.#text(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
      this.#text('latin1');
      this.#op(OP.TUPLE2);
    });
    this.#memorise(bytes);
  }

  #tensor(tensor: object): void {
    const entry = this.#tensors.entry(tensor);
    if ('layout' in entry) this.#sparse(entry);
    else this.#dense(entry);
    this.#memorise(tensor);
  }

  #sparse({ layout, parts, shape }: PickledSparse): void {
    this.#call('torch._utils', '_rebuild_sparse_tensor', () => {
      this.#call('torch.serialization', '_get_layout', () => {
        this.#text(`torch.${layout}`);
        this.#op(OP.TUPLE1);
      });
      this.#op(OP.MARK);
      for (const part of parts) this.#object(part);
      this.#call('torch', 'Size', () => {
        this.#tuple(shape, (size) => this.#number(size));
        this.#op(OP.TUPLE1);
      });
      this.#op(OP.TUPLE);
      this.#op(OP.TUPLE2);
    });
  }

  #dense(entry: PickledTensor): void {
    const { type } = entry;
    const untyped = type.storage === null;
    this.#call('torch._utils', untyped ? '_rebuild_tensor_v3' : '_rebuild_tensor_v2', () => {
      this.#op(OP.MARK);
      this.#op(OP.MARK);
      this.#text('storage');
      if (type.storage === null) this.#global('torch.storage', 'UntypedStorage');
      else this.#global('torch', type.storage);
      this.#text(entry.key);
      // Always the CPU, so that the file loads where there is no such device.
      this.#text('cpu');
      this.#number(untyped ? entry.elements * type.bytes : entry.elements);
      this.#op(OP.TUPLE);
      this.#op(OP.BINPERSID);
      this.#number(entry.offset);
      this.#tuple(entry.shape, (size) => this.#number(size));
      this.#tuple(entry.strides, (stride) => this.#number(stride));
      this.#op(entry.requiresGrad ? OP.NEWTRUE : OP.NEWFALSE);
      this.#call('collections', 'OrderedDict', () => this.#op(OP.EMPTY_TUPLE));
      if (untyped) this.#global('torch', type.name);
      if (entry.conjugate || entry.negative) this.#bits(entry);
      this.#op(OP.TUPLE);
    });
  }

  #bits({ conjugate, negative }: PickledTensor): void {
    this.#op(OP.EMPTY_DICT);
    const bits: [string, boolean][] = [
      ['conj', conjugate],
      ['neg', negative],
    ];
    for (const [name, on] of bits) {
      if (!on) continue;
      this.#text(name);
      this.#op(OP.NEWTRUE);
      this.#op(OP.SETITEM);
    }
  }

  #tuple<V>(items: readonly V[], write: (item: V) => void): void {
    if (items.length > 3) this.#op(OP.MARK);
    for (const item of items) write(item);
    this.#op(([OP.EMPTY_TUPLE, OP.TUPLE1, OP.TUPLE2, OP.TUPLE3] as const)[items.length] ?? OP.TUPLE);
  }

  /** Python's pickler closes a group after 1,000 items, and its readers are at their best with that. */
  #batches(count: number, close: number, write: (index: number) => void): void {
    for (let from = 0; from < count; from += 1000) {
      this.#op(OP.MARK);
      for (let index = from; index < Math.min(from + 1000, count); index++) write(index);
      this.#op(close);
    }
  }

  #child(step: string, value: unknown): void {
    this.#path.push(step);
    this.#value(value);
    this.#path.pop();
  }

  #call(module: string, name: string, args: () => void): void {
    this.#global(module, name);
    args();
    this.#op(OP.REDUCE);
  }

  #global(module: string, name: string): void {
    const key = `${module}\n${name}\n`;
    if (this.#recall(`global ${key}`)) return;
    const at = this.#reserve(1 + key.length);
    this.#buffer[at] = OP.GLOBAL;
    this.#buffer.write(key, at + 1, 'latin1');
    this.#memorise(`global ${key}`);
  }

  #text(text: string): void {
    const key = text.length <= 64 ? `text ${text}` : null;
    if (key !== null && this.#recall(key)) return;
    if (/\p{Surrogate}/u.test(text))
      throw this.#error(`holds text with half a surrogate pair (${quote(text)}), which UTF-8 cannot express`);
    const length = Buffer.byteLength(text, 'utf8');
    if (length > 0xffffffff) throw this.#error('holds text of more than 4 GB');
    const at = this.#reserve(5 + length);
    this.#buffer[at] = OP.BINUNICODE;
    this.#buffer.writeUInt32LE(length, at + 1);
    this.#buffer.write(text, at + 5, 'utf8');
    if (key !== null) this.#memorise(key);
  }

  /** Whole numbers become Python ints, as there is no other trace of `2.0` here; all others floats. */
  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      this.#float(value);
    } else if (value >= 0 && value <= 0xff) {
      this.#op(OP.BININT1, value);
    } else if (value >= 0 && value <= 0xffff) {
      this.#op(OP.BININT2, value & 0xff, value >> 8);
    } else if (value >= -(2 ** 31) && value < 2 ** 31) {
      const at = this.#reserve(5);
      this.#buffer[at] = OP.BININT;
      this.#buffer.writeInt32LE(value, at + 1);
    } else {
      this.#integer(BigInt(value));
    }
  }

  #float(value: number): void {
    const at = this.#reserve(9);
    this.#buffer[at] = OP.BINFLOAT;
    this.#buffer.writeDoubleBE(value, at + 1);
  }

  #integer(value: bigint): void {
    const magnitude = value < 0n ? -value - 1n : value;
    const length = value === 0n ? 0 : Math.floor(magnitude.toString(2).length / 8) + 1;
    if (length > LONG1_BYTES) throw this.#error(`is an integer of ${length} bytes; PyTorch reads up to ${LONG1_BYTES}`);
    const at = this.#reserve(2 + length);
    this.#buffer[at] = OP.LONG1;
    this.#buffer[at + 1] = length;
    const digits = BigInt.asUintN(8 * length, value)
      .toString(16)
      .padStart(2 * length, '0');
    Buffer.from(digits, 'hex')
      .reverse()
      .copy(this.#buffer, at + 2);
  }

  #recall(key: unknown): boolean {
    const index = this.#memo.get(key);
    if (index === undefined) return false;
    this.#indexed(OP.BINGET, OP.LONG_BINGET, index);
    return true;
  }

  #memorise(key: unknown): void {
    this.#memo.set(key, this.#memoSize);
    this.#indexed(OP.BINPUT, OP.LONG_BINPUT, this.#memoSize++);
  }

  #indexed(short: number, long: number, index: number): void {
    if (index <= 0xff) {
      this.#op(short, index);
      return;
    }
    const at = this.#reserve(5);
    this.#buffer[at] = long;
    this.#buffer.writeUInt32LE(index, at + 1);
  }

  #op(...bytes: number[]): void {
    const at = this.#reserve(bytes.length);
    for (const [index, byte] of bytes.entries()) this.#buffer[at + index] = byte;
  }

  /** Makes room for `count` bytes and returns where they go. */
  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    return at;
  }

  #error(problem: string): FileFormatError {
    const where = this.#path.length === 0 ? 'the value' : `value${this.#path.slice(0, 12).join('')}`;
    return new FileFormatError(this.#file, `cannot be written: ${where} ${problem}`);
  }
}

/** `{ re, im }`, which is how complex numbers are written everywhere in Praxis. */
function asComplex(value: object): readonly [number, number] | null {
  const { re, im } = value as { re?: unknown; im?: unknown };
  return typeof re === 'number' && typeof im === 'number' && Object.keys(value).length === 2 ? [re, im] : null;
}

function label(key: unknown): string {
  return typeof key === 'string' ? quote(key) : String(key);
}
