/** Where all pictures of a data set lie, in memory that threads share: a few bytes a picture, however many threads. */
import path from 'node:path';
import type { PictureLocation } from '../types.js';

type RawShape = Omit<Extract<PictureLocation, { kind: 'raw' }>, 'path' | 'offset'>;

/** Plain data over shared memory: it travels to worker threads without a copy. */
export interface LocationTable {
  /** What paths begin with that begin with `/` here. */
  readonly root: string;
  /** All paths one after the other, UTF-8. */
  readonly text: SharedArrayBuffer;
  /** Where path `p` starts in `text`; one more than there are paths. */
  readonly starts: SharedArrayBuffer;
  /** Path of each picture. */
  readonly paths: SharedArrayBuffer;
  /** Bare pixels: where each picture starts in its file, and which of `shapes` it has. Absent when all are encoded files. */
  readonly raw?: {
    readonly offsets: SharedArrayBuffer;
    readonly kinds: SharedArrayBuffer;
    readonly shapes: RawShape[];
  };
}

const marker = '\0';

const sharedCopy = <View extends Uint32Array | Float64Array | Uint8Array | Uint16Array>(
  values: View,
): SharedArrayBuffer => {
  const shared = new SharedArrayBuffer(Math.max(1, values.byteLength));
  new Uint8Array(shared).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return shared;
};

/** Packs the locations of pictures 0 … length − 1. */
export function packLocations(
  length: number,
  locationOf: (index: number) => PictureLocation,
  root: string,
): LocationTable {
  const prefix = root + path.sep;
  const ids = new Map<string, number>();
  const texts: Buffer[] = [];
  const starts: number[] = [0];
  const paths = new Uint32Array(length);
  const offsets = new Float64Array(length);
  const kinds = new Uint16Array(length);
  const shapes: RawShape[] = [];
  const shapeIds = new Map<string, number>();
  for (let i = 0; i < length; i++) {
    const location = locationOf(i);
    let id = ids.get(location.path);
    if (id === undefined) {
      id = ids.size;
      ids.set(location.path, id);
      const short = location.path.startsWith(prefix) ? marker + location.path.slice(prefix.length) : location.path;
      const text = Buffer.from(short);
      texts.push(text);
      starts.push((starts.at(-1) as number) + text.length);
    }
    paths[i] = id;
    if (location.kind === 'raw') {
      const { path: _, offset, ...shape } = location;
      const key = JSON.stringify(shape);
      if (!shapeIds.has(key)) shapeIds.set(key, shapes.push(shape));
      kinds[i] = shapeIds.get(key) as number;
      offsets[i] = offset;
    }
  }
  return {
    root: prefix,
    text: sharedCopy(Buffer.concat(texts)),
    starts: sharedCopy(Uint32Array.from(starts)),
    paths: sharedCopy(paths),
    ...(shapes.length > 0 ? { raw: { offsets: sharedCopy(offsets), kinds: sharedCopy(kinds), shapes } } : {}),
  };
}

/** Reads a table; each thread has its own reader over the same memory. */
export class Locations {
  readonly #table: LocationTable;
  readonly #text: Buffer;
  readonly #starts: Uint32Array;
  readonly #paths: Uint32Array;
  readonly #offsets: Float64Array | undefined;
  readonly #kinds: Uint16Array | undefined;

  constructor(table: LocationTable) {
    this.#table = table;
    this.#text = Buffer.from(table.text);
    this.#starts = new Uint32Array(table.starts);
    this.#paths = new Uint32Array(table.paths);
    if (table.raw) {
      this.#offsets = new Float64Array(table.raw.offsets);
      this.#kinds = new Uint16Array(table.raw.kinds);
    }
  }

  at(index: number): PictureLocation {
    const id = this.#paths[index] as number;
    const text = this.#text.toString('utf8', this.#starts[id], this.#starts[id + 1]);
    const file = text.startsWith(marker) ? this.#table.root + text.slice(1) : text;
    const kind = this.#kinds?.[index] ?? 0;
    if (kind === 0) return { kind: 'file', path: file };
    const shape = this.#table.raw?.shapes[kind - 1] as RawShape;
    return { ...shape, path: file, offset: this.#offsets?.[index] as number };
  }
}
