/**
 * Reads the numeric arrays of MATLAB 5 files (`save -v7`), as Oxford Flowers-102 gives its labels and its split.
 * Source: MathWorks, "MAT-File Format", chapter 1.
 */
import { inflateSync } from 'node:zlib';
import { DataError } from '../errors.js';

/** An array of a MATLAB file: numbers in MATLAB's order, the first dimension running fastest. */
export interface MatArray {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** Types of data elements, with the width of one number. */
const numberTypes: ReadonlyMap<
  number,
  readonly [width: number, read: (view: DataView, at: number, little: boolean) => number]
> = new Map([
  [1, [1, (view, at) => view.getInt8(at)]],
  [2, [1, (view, at) => view.getUint8(at)]],
  [3, [2, (view, at, little) => view.getInt16(at, little)]],
  [4, [2, (view, at, little) => view.getUint16(at, little)]],
  [5, [4, (view, at, little) => view.getInt32(at, little)]],
  [6, [4, (view, at, little) => view.getUint32(at, little)]],
  [7, [4, (view, at, little) => view.getFloat32(at, little)]],
  [9, [8, (view, at, little) => view.getFloat64(at, little)]],
  [12, [8, (view, at, little) => Number(view.getBigInt64(at, little))]],
  [13, [8, (view, at, little) => Number(view.getBigUint64(at, little))]],
]);
const int32Type = 5;
const uint32Type = 6;
const matrixType = 14;
const compressedType = 15;

/** Classes of arrays that hold numbers: double, single, and the integers. Below are cells, structures, objects, text and sparse arrays. */
const isNumeric = (arrayClass: number) => arrayClass >= 6 && arrayClass <= 15;

/** More than any label file needs; a compressed element that claims more is refused before memory is asked for. */
const largest = 32 * 2 ** 20;

interface Element {
  readonly type: number;
  readonly bytes: DataView;
}

/** Walks over the data elements in some bytes. */
class Elements {
  private at = 0;

  constructor(
    private readonly view: DataView,
    private readonly little: boolean,
    private readonly fail: (reason: string) => DataError,
  ) {}

  get ended(): boolean {
    return this.at >= this.view.byteLength;
  }

  next(): Element {
    if (this.at + 8 > this.view.byteLength) throw this.fail('it ends within an element');
    const first = this.view.getUint32(this.at, this.little);
    // A small element has its length in the upper half of the first word and its bytes in the second.
    const small = first >>> 16;
    if (small > 0) {
      if (small > 4) throw this.fail(`a small element claims ${small} bytes`);
      const bytes = this.slice(this.at + 4, small);
      this.at += 8;
      return { type: first & 0xffff, bytes };
    }
    const length = this.view.getUint32(this.at + 4, this.little);
    const bytes = this.slice(this.at + 8, length);
    // Elements begin at multiples of eight, compressed ones anywhere.
    this.at += 8 + (first === compressedType ? length : Math.ceil(length / 8) * 8);
    return { type: first, bytes };
  }

  private slice(start: number, length: number): DataView {
    if (start + length > this.view.byteLength) throw this.fail('it ends within an element');
    return new DataView(this.view.buffer, this.view.byteOffset + start, length);
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function readMatrix(
  bytes: DataView,
  little: boolean,
  fail: (reason: string) => DataError,
): [string, MatArray | undefined] | undefined {
  // An empty matrix element is allowed and says nothing.
  if (bytes.byteLength === 0) return undefined;
  const elements = new Elements(bytes, little, fail);
  const flags = elements.next();
  if (flags.type !== uint32Type || flags.bytes.byteLength < 8) throw fail('an array has no flags');
  const word = flags.bytes.getUint32(0, little);
  const dimensions = elements.next();
  if (dimensions.type !== int32Type) throw fail('an array has no dimensions');
  const shape: number[] = [];
  for (let at = 0; at + 4 <= dimensions.bytes.byteLength; at += 4) shape.push(dimensions.bytes.getInt32(at, little));
  const name = elements.next();
  const label = Buffer.from(name.bytes.buffer, name.bytes.byteOffset, name.bytes.byteLength).toString('latin1');
  if (!isNumeric(word & 0xff)) return [label, undefined];
  if ((word & 0x800) !== 0) throw fail(`'${label}' holds complex numbers`);
  const data = elements.next();
  const numbers = numberTypes.get(data.type);
  if (numbers === undefined) throw fail(`'${label}' holds elements of type ${data.type}`);
  const [width, read] = numbers;
  const count = shape.reduce((product, size) => product * size, 1);
  if (shape.length < 2 || shape.some((size) => size < 0) || count * width !== data.bytes.byteLength) {
    throw fail(`'${label}' claims ${shape.join(' × ')} numbers and holds ${data.bytes.byteLength / width}`);
  }
  const values = Float64Array.from({ length: count }, (_, i) => read(data.bytes, i * width, little));
  return [label, { shape, values }];
}

/**
 * The numeric arrays of a MATLAB 5 file by name; text, cells and structures are passed over.
 * @param file named in errors
 * @throws DataError when the bytes are no MATLAB 5 file or it is damaged
 */
export function readMat(bytes: Uint8Array, file: string): ReadonlyMap<string, MatArray> {
  const fail = (reason: string) => new DataError(`${file} is no MATLAB 5 file that can be read: ${reason}.`);
  if (bytes.length < 128) throw fail(`it has ${bytes.length} bytes, its header alone would have 128`);
  const mark = String.fromCharCode(bytes[126] as number, bytes[127] as number);
  if (mark !== 'IM' && mark !== 'MI') {
    throw fail(
      Buffer.from(bytes.subarray(0, 8)).equals(Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'))
        ? 'it is in the newer HDF5 format (save -v7.3)'
        : 'it does not say its byte order',
    );
  }
  const little = mark === 'IM';
  const arrays = new Map<string, MatArray>();
  const elements = new Elements(viewOf(bytes.subarray(128)), little, fail);
  while (!elements.ended) {
    let element = elements.next();
    if (element.type === compressedType) {
      const { buffer, byteOffset, byteLength } = element.bytes;
      let unpacked: Buffer;
      try {
        unpacked = inflateSync(new Uint8Array(buffer, byteOffset, byteLength), { maxOutputLength: largest });
      } catch (error) {
        throw fail(`a compressed element cannot be unpacked (${(error as Error).message})`);
      }
      element = new Elements(viewOf(unpacked), little, fail).next();
    }
    if (element.type !== matrixType) continue;
    const found = readMatrix(element.bytes, little, fail);
    if (found?.[1] !== undefined) arrays.set(found[0], found[1]);
  }
  return arrays;
}
