/** The inner loops of `resample.ts` as WebAssembly with vectors (`resample.wat`): the same numbers, four to five times as fast. */

import type { Pixels, Taps } from './resample.js';
import { resampleModule } from './resample-simd.generated.js';

/** The little of WebAssembly that is used: TypeScript knows it with a browser's types only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

interface Loops {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  horizontal(
    from: number,
    rows: number,
    rowBytes: number,
    start: number,
    count: number,
    weights: number,
    stride: number,
    width: number,
    to: number,
  ): void;
  vertical(
    from: number,
    rowBytes: number,
    start: number,
    count: number,
    weights: number,
    stride: number,
    height: number,
    to: number,
  ): void;
}

let loops: Loops | null | undefined;

/** The loops, or null where the machine has no vector instructions for WebAssembly. */
function load(): Loops | null {
  if (loops === undefined) {
    try {
      const module = new WebAssembly.Module(Buffer.from(resampleModule, 'base64'));
      loops = new WebAssembly.Instance(module).exports as Loops;
    } catch {
      loops = null;
    }
  }
  return loops;
}

/** What the loops' memory may grow to; larger work is done without them. */
const memoryLimit = 64 * 2 ** 20;

/** Rows are brought in by blocks of about this many bytes. */
const blockBytes = 2 ** 20;

/** Vectors read and write up to 16 bytes too far. */
const slack = 16;

const align = (bytes: number): number => Math.ceil((bytes + slack) / 16) * 16;

/** Both passes over a picture of three channels. @returns null where this cannot be done here */
export function resampleWithVectors(pixels: Pixels, across: Taps, down: Taps): Uint8Array | null {
  const ready = load();
  if (!ready || pixels.channels !== 3) return null;
  const width = across.start.length;
  const height = down.start.length;
  const firstRow = down.start[0] as number;
  const rows = (down.start[height - 1] as number) + (down.count[height - 1] as number) - firstRow;
  const rowBytes = pixels.width * 3;
  const blockRows = Math.max(1, Math.min(rows, Math.floor(blockBytes / rowBytes)));
  // Where things lie: the taps of both passes, a block of rows, the rows after the first pass, the result.
  let end = 0;
  const room = (bytes: number): number => {
    const at = end;
    end += align(bytes);
    return at;
  };
  const acrossAt = [across.start, across.count, across.weights].map((array) => room(array.byteLength));
  const downAt = [down.start, down.count, down.weights].map((array) => room(array.byteLength));
  const blockAt = room(blockRows * rowBytes);
  const middleAt = room(rows * width * 3);
  const outAt = room(height * width * 3);
  if (end > memoryLimit) return null;
  const missing = end - ready.memory.buffer.byteLength;
  if (missing > 0) ready.memory.grow(Math.ceil(missing / 65536));
  const memory = new Uint8Array(ready.memory.buffer);
  const put = (array: Int32Array, at: number): void =>
    memory.set(new Uint8Array(array.buffer, 0, array.byteLength), at);
  [across.start, across.count, across.weights].forEach((array, i) => {
    put(array, acrossAt[i] as number);
  });
  [down.start, down.count, down.weights].forEach((array, i) => {
    // The rows before the first that counts are not brought in.
    put(i === 0 && firstRow > 0 ? array.map((row) => row - firstRow) : array, downAt[i] as number);
  });
  const [start, count, weights] = acrossAt as [number, number, number];
  for (let row = 0; row < rows; row += blockRows) {
    const now = Math.min(blockRows, rows - row);
    const from = (firstRow + row) * rowBytes;
    memory.set(pixels.data.subarray(from, from + now * rowBytes), blockAt);
    ready.horizontal(blockAt, now, rowBytes, start, count, weights, across.stride, width, middleAt + row * width * 3);
  }
  const [startDown, countDown, weightsDown] = downAt as [number, number, number];
  ready.vertical(middleAt, width * 3, startDown, countDown, weightsDown, down.stride, height, outAt);
  return memory.slice(outAt, outAt + height * width * 3);
}
