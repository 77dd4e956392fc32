import { type ElementType, elementBySafetensors } from './element-types.js';
import { FileFormatError, quote } from './errors.js';
import { type Json, parseJsonHeader } from './json-header.js';
import { LIMITS } from './limits.js';
import type { ByteSource } from './source.js';

/** One tensor of a `.safetensors` file; `start` counts from the beginning of the file. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly bytes: number;
}

export interface SafetensorsHeader {
  readonly entries: readonly SafetensorsEntry[];
  /** The free text pairs under `__metadata__`; empty when there are none. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Elements behind a shape, or null when the product is not an exact number. */
export function countElements(shape: readonly number[]): number | null {
  let count = 1;
  for (const size of shape) count *= size;
  // A zero anywhere makes the product zero only when no earlier product overflowed to infinity.
  if (shape.includes(0)) return 0;
  return Number.isSafeInteger(count) ? count : null;
}

/**
 * Reads and checks the header of a `.safetensors` file: sizes, dtypes and positions of all tensors. As the format demands,
 * the tensors must cover the data part exactly, without overlap and without holes.
 *
 * Source: https://github.com/huggingface/safetensors#format
 */
export function readSafetensorsHeader(source: ByteSource): SafetensorsHeader {
  if (source.size < 8) throw new FileFormatError(source.name, 'is not a safetensors file: it has fewer than 8 bytes');
  const headerBytes = Number(source.read(0, 8).readBigUInt64LE());
  if (headerBytes > LIMITS.headerBytes) {
    throw new FileFormatError(
      source.name,
      `is not a safetensors file: it claims a header of ${headerBytes} bytes, and the format allows 100,000,000`,
    );
  }
  if (8 + headerBytes > source.size) {
    throw new FileFormatError(
      source.name,
      `is cut short: it announces a header of ${headerBytes} bytes, but has only ${source.size - 8} after the length`,
    );
  }
  let root: Json;
  try {
    root = parseJsonHeader(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(source.read(8, headerBytes)),
    );
  } catch (cause) {
    const problem = cause instanceof SyntaxError ? cause.message : 'it is not UTF-8';
    throw new FileFormatError(source.name, `has a broken safetensors header: ${problem}`, { cause });
  }
  if (!(root instanceof Map)) throw new FileFormatError(source.name, 'has a safetensors header that is not an object');
  const metadata = readMetadata(source.name, root.get('__metadata__'));
  root.delete('__metadata__');
  if (root.size > LIMITS.tensors) {
    throw new FileFormatError(source.name, `lists ${root.size} tensors; more than ${LIMITS.tensors} are refused`);
  }
  const dataStart = 8 + headerBytes;
  const entries = [...root].map(([name, value]) => readEntry(source.name, name, value, dataStart));
  checkCoverage(source, entries, dataStart);
  return { entries, metadata };
}

function readMetadata(file: string, value: Json | undefined): Map<string, string> {
  const pairs = new Map<string, string>();
  if (value === undefined || value === null) return pairs;
  if (!(value instanceof Map)) throw new FileFormatError(file, '"__metadata__" must be an object of strings');
  for (const [key, text] of value) {
    if (typeof text !== 'string')
      throw new FileFormatError(file, `"__metadata__" holds ${quote(key)}, which is no string`);
    pairs.set(key, text);
  }
  return pairs;
}

function readEntry(file: string, name: string, value: Json, dataStart: number): SafetensorsEntry {
  const fail = (problem: string) => new FileFormatError(file, `tensor ${quote(name)} ${problem}`);
  if (!(value instanceof Map)) throw fail('has no dtype, shape and data_offsets');
  for (const key of value.keys()) {
    if (key !== 'dtype' && key !== 'shape' && key !== 'data_offsets') throw fail(`has an unknown entry ${quote(key)}`);
  }
  const dtype = value.get('dtype');
  if (typeof dtype !== 'string') throw fail('has no dtype');
  const type = elementBySafetensors(dtype);
  if (type === undefined) throw fail(`has the dtype ${quote(dtype)}, which is not one of PyTorch's`);
  const listed = naturals(value.get('shape'));
  if (listed === null) throw fail('has a shape that is not a list of sizes');
  if (listed.length > LIMITS.dimensions)
    throw fail(`has ${listed.length} dimensions; PyTorch's limit is ${LIMITS.dimensions}`);
  const offsets = naturals(value.get('data_offsets'));
  if (offsets === null || offsets.length !== 2) throw fail('has data_offsets that are not two positions');
  const [from, to] = offsets as [number, number];
  const shape = type.name === 'float4_e2m1fn_x2' ? packFours(listed, fail) : listed;
  const elements = countElements(shape);
  const bytes = elements === null ? Number.NaN : elements * type.bytes;
  if (to < from || to - from !== bytes) {
    throw fail(`of shape [${listed.join(', ')}] and dtype ${dtype} does not fit its ${to - from} bytes`);
  }
  return { name, type, shape, start: dataStart + from, bytes };
}

/** `F4` counts single 4-bit numbers in the header; PyTorch's dtype counts pairs of them. */
function packFours(shape: readonly number[], fail: (problem: string) => FileFormatError): number[] {
  const last = shape.at(-1);
  if (last === undefined || last % 2 !== 0) throw fail('is F4 with an odd last size, which PyTorch cannot hold');
  return [...shape.slice(0, -1), last / 2];
}

function naturals(value: Json | undefined): number[] | null {
  if (!Array.isArray(value)) return null;
  for (const item of value) {
    if (typeof item !== 'number' || !Number.isSafeInteger(item) || item < 0) return null;
  }
  return value as number[];
}

function checkCoverage(source: ByteSource, entries: readonly SafetensorsEntry[], dataStart: number): void {
  let end = dataStart;
  for (const entry of [...entries].sort((a, b) => a.start - b.start || a.bytes - b.bytes)) {
    if (entry.start !== end) {
      const what = entry.start < end ? 'overlaps another tensor' : 'leaves unused bytes before it';
      throw new FileFormatError(source.name, `tensor ${quote(entry.name)} ${what}, which the format forbids`);
    }
    end = entry.start + entry.bytes;
  }
  if (end !== source.size) {
    const what =
      end > source.size
        ? `is cut short: ${end} bytes are described`
        : `has bytes after its last tensor: ${end} are described`;
    throw new FileFormatError(source.name, `${what}, ${source.size} are there`);
  }
}

/** What a tensor contributes to a header. */
export interface SafetensorsPlan {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/**
 * The header's bytes for tensors in the given order, length prefix included and padded with spaces to a multiple of 8, so that
 * data laid out with the widest elements first is aligned.
 */
export function writeSafetensorsHeader(
  plans: readonly SafetensorsPlan[],
  metadata: ReadonlyMap<string, string>,
): Buffer {
  const parts: string[] = [];
  if (metadata.size > 0) {
    const pairs = [...metadata].map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
    parts.push(`"__metadata__":{${pairs.join(',')}}`);
  }
  let offset = 0;
  for (const { name, type, shape, bytes } of plans) {
    const listed = type.name === 'float4_e2m1fn_x2' ? [...shape.slice(0, -1), (shape.at(-1) ?? 0) * 2] : shape;
    const range = `[${offset},${offset + bytes}]`;
    parts.push(
      `${JSON.stringify(name)}:{"dtype":"${type.safetensors}","shape":[${listed.join(',')}],"data_offsets":${range}}`,
    );
    offset += bytes;
  }
  const text = Buffer.from(`{${parts.join(',')}}`, 'utf8');
  const header = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  text.copy(header, 8);
  return header;
}
