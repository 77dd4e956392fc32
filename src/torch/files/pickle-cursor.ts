import { FileFormatError, quote } from './errors.js';
import { LIMITS } from './limits.js';

/** Longest line of a text instruction: names of globals, numbers as text. */
const LINE = 4096;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes end before the stream does. */
export class CutShort extends FileFormatError {}

/** Reads the parts that pickle instructions are made of, and checks every length against what is there. */
export class PickleCursor {
  at: number;
  readonly bytes: Buffer;
  readonly #file: string;

  constructor(bytes: Buffer, start: number, file: string) {
    this.bytes = bytes;
    this.at = start;
    this.#file = file;
  }

  byte(): number {
    return this.bytes[this.take(1)]!;
  }

  /** Moves past `length` bytes and returns where they begin. */
  take(length: number): number {
    const start = this.at;
    if (start + length > this.bytes.length) throw new CutShort(this.#file, 'has a pickle stream that is cut short');
    this.at = start + length;
    return start;
  }

  length(width: 1 | 4 | 8): number {
    const at = this.take(width);
    if (width === 1) return this.bytes[at]!;
    return width === 4 ? this.bytes.readUInt32LE(at) : Number(this.bytes.readBigUInt64LE(at));
  }

  /** Makes sure that `length` more bytes are there. */
  expect(length: number): void {
    const start = this.at;
    this.take(length);
    this.at = start;
  }

  text(length: number): string {
    const at = this.take(length);
    try {
      return utf8.decode(this.bytes.subarray(at, at + length));
    } catch {
      throw this.error('has text that is not UTF-8');
    }
  }

  blob(length: number): Uint8Array {
    const at = this.take(length);
    return new Uint8Array(this.bytes.subarray(at, at + length));
  }

  line(): string {
    const found = this.bytes.subarray(this.at, this.at + LINE + 1).indexOf(0x0a);
    const end = found < 0 ? -1 : this.at + found;
    if (end < 0 && this.bytes.length - this.at <= LINE)
      throw new CutShort(this.#file, 'has a pickle stream that is cut short');
    if (end < 0) throw this.error('has a pickle line without an end');
    const text = this.text(end - this.at);
    this.at = end + 1;
    return text;
  }

  /** Two's complement, little-endian, as Python's `pickle.encode_long`. */
  integer(length: number): number | bigint {
    if (length < 0 || length > LIMITS.integerBytes) throw this.error(`has an integer of ${length} bytes`);
    const at = this.take(length);
    if (length === 0) return 0;
    const digits = Buffer.from(this.bytes.subarray(at, at + length)).reverse();
    const negative = digits[0]! >= 0x80;
    const value = BigInt(`0x${digits.toString('hex')}`) - (negative ? 1n << BigInt(8 * length) : 0n);
    return narrow(value);
  }

  textInteger(): number | bigint | boolean {
    const line = this.line();
    // Protocols 0 and 1 write booleans this way.
    if (line === '00') return false;
    if (line === '01') return true;
    const digits = line.endsWith('L') ? line.slice(0, -1) : line;
    if (!/^[+-]?\d{1,2000}$/.test(digits)) throw this.error(`has a malformed integer ${quote(line)}`);
    return narrow(BigInt(digits.startsWith('+') ? digits.slice(1) : digits));
  }

  textFloat(): number {
    const line = this.line();
    const special: Record<string, number> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
    if (Object.hasOwn(special, line)) return special[line]!;
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(line))
      throw this.error(`has a malformed number ${quote(line)}`);
    return Number(line);
  }

  textIndex(): number {
    const line = this.line();
    if (!/^\d{1,10}$/.test(line)) throw this.error(`has a malformed memo index ${quote(line)}`);
    return Number(line);
  }

  error(problem: string): FileFormatError {
    return new FileFormatError(this.#file, `${problem} (at byte ${this.at} of its pickle part)`);
  }
}

/** An exact number where possible, else a bigint. */
function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
