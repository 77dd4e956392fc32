import type { FileFormatError } from './errors.js';
import { describeKind, PickleNumpyType, PickleTuple, type PickleValue } from './pickle-values.js';

type Fail = (problem: string) => FileFormatError;

/** Codes of numpy's plain number types and how to read one, little-endian or big-endian. */
const READERS: Readonly<Record<string, (view: DataView, little: boolean) => number | bigint | boolean>> = {
  b1: (view) => view.getUint8(0) !== 0,
  i1: (view) => view.getInt8(0),
  u1: (view) => view.getUint8(0),
  i2: (view, little) => view.getInt16(0, little),
  u2: (view, little) => view.getUint16(0, little),
  i4: (view, little) => view.getInt32(0, little),
  u4: (view, little) => view.getUint32(0, little),
  i8: (view, little) => view.getBigInt64(0, little),
  u8: (view, little) => view.getBigUint64(0, little),
  f4: (view, little) => view.getFloat32(0, little),
  f8: (view, little) => view.getFloat64(0, little),
};

/** `numpy.dtype('f8', False, True)`. */
export function numpyType(args: readonly PickleValue[], fail: Fail): PickleNumpyType {
  const [code] = args;
  if (typeof code !== 'string' || !Object.hasOwn(READERS, code)) {
    throw fail(
      `holds a numpy scalar of a type that is not a plain number (${typeof code === 'string' ? JSON.stringify(code.slice(0, 20)) : describeKind(code ?? null)})`,
    );
  }
  return new PickleNumpyType(code);
}

/** The state numpy gives its dtypes: (version, byte order, …). */
export function setNumpyState(type: PickleNumpyType, state: PickleValue, fail: Fail): void {
  const order = state instanceof PickleTuple ? state.items[1] : undefined;
  if (order !== '<' && order !== '>' && order !== '|' && order !== '=')
    throw fail('holds a numpy dtype without a byte order');
  type.bigEndian = order === '>';
}

/** `numpy.core.multiarray.scalar(dtype, bytes)`: the number itself. */
export function numpyScalar(args: readonly PickleValue[], fail: Fail): PickleValue {
  const [type, bytes] = args;
  if (!(type instanceof PickleNumpyType) || !(bytes instanceof Uint8Array))
    throw fail('holds a malformed numpy scalar');
  if (bytes.length !== Number(type.code[1]))
    throw fail(`holds a numpy scalar of type ${type.code} with ${bytes.length} bytes`);
  const value = READERS[type.code]!(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), !type.bigEndian);
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
