/**
 * The protobuf wire format, as much of it as event files need.
 *
 * By hand and not with a library: TensorBoard's messages would have to be generated from .proto files of TensorBoard and TensorFlow by a
 * compiler, for the few dozen fields that are written here; the wire format itself is this page.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */

/** The bytes of a field, or nothing where it holds its default. */
export type Field = Uint8Array | undefined;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

function varint(value: number | bigint): number[] {
  // Nearly all numbers here are small; bigints take fifty times as long.
  if (typeof value === 'number' && value >= 0 && value < 2 ** 31) {
    const small: number[] = [];
    let left = value;
    for (; left > 127; left >>>= 7) small.push((left & 127) | 128);
    small.push(left);
    return small;
  }
  // Negative numbers are 64-bit two's complement.
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

const key = (field: number, type: number): number[] => varint((field << 3) | type);

/** A message of fields; give them in ascending order, as other writers do. */
export const message = (...fields: readonly Field[]): Uint8Array =>
  Buffer.concat(fields.filter((field): field is Uint8Array => field !== undefined));

/** int32, int64, bool or an enum; left out when 0, as proto3 does. */
export const integer = (field: number, value: number | bigint | boolean): Field =>
  Number(value) === 0
    ? undefined
    : Uint8Array.from([...key(field, VARINT), ...varint(typeof value === 'boolean' ? 1 : value)]);

/** int32, int64, bool or an enum, written also when 0: a member of a oneof. */
export const chosenInteger = (field: number, value: number | boolean): Uint8Array =>
  Uint8Array.from([...key(field, VARINT), ...varint(Number(value))]);

function fixed(field: number, type: number, size: number, write: (buffer: Buffer, at: number) => void): Uint8Array {
  const head = key(field, type);
  const buffer = Buffer.alloc(head.length + size);
  buffer.set(head);
  write(buffer, head.length);
  return buffer;
}

/** Also when 0; for members of a oneof. */
export const double = (field: number, value: number): Uint8Array =>
  fixed(field, FIXED64, 8, (buffer, at) => buffer.writeDoubleLE(value, at));

/** Also when 0; for members of a oneof. */
export const float = (field: number, value: number): Uint8Array =>
  fixed(field, FIXED32, 4, (buffer, at) => buffer.writeFloatLE(value, at));

/** A message, bytes or text; also when empty. */
export function bytes(field: number, value: string | Uint8Array): Uint8Array {
  const content = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([Uint8Array.from([...key(field, BYTES), ...varint(content.byteLength)]), content]);
}

/** Text; left out when empty. */
export const text = (field: number, value: string): Field => (value === '' ? undefined : bytes(field, value));

/** Repeated doubles. */
export function doubles(field: number, values: ArrayLike<number>): Field {
  if (values.length === 0) return undefined;
  const content = Buffer.alloc(values.length * 8);
  for (let i = 0; i < values.length; i++) content.writeDoubleLE(values[i] as number, i * 8);
  return bytes(field, content);
}

/** Repeated floats. */
export function floats(field: number, values: ArrayLike<number>): Field {
  if (values.length === 0) return undefined;
  const content = Buffer.alloc(values.length * 4);
  for (let i = 0; i < values.length; i++) content.writeFloatLE(values[i] as number, i * 4);
  return bytes(field, content);
}

/** A field as read: a number's bits or bytes. */
export interface RawField {
  readonly field: number;
  /** Of a varint. */
  readonly integer: bigint;
  /** Of the others: the 4 or 8 bytes, or the content. */
  readonly bytes: Buffer;
}

const none = Buffer.alloc(0);

/** The fields of a message in order. @throws RangeError when it is cut short or has an unknown wire type */
export function* readFields(message: Buffer): Generator<RawField> {
  let at = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError('cut short');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new RangeError('a number of more than ten bytes');
  };
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new RangeError('cut short');
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = Number(readVarint());
    const field = tag >>> 3;
    const type = tag & 7;
    if (type === VARINT) yield { field, integer: readVarint(), bytes: none };
    else if (type === FIXED64) yield { field, integer: 0n, bytes: take(8) };
    else if (type === FIXED32) yield { field, integer: 0n, bytes: take(4) };
    else if (type === BYTES) yield { field, integer: 0n, bytes: take(Number(readVarint())) };
    else throw new RangeError(`wire type ${type}`);
  }
}
