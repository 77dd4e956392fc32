/** What one look at each picture leaves: columns of numbers that threads fill together. */
import { featureLength } from '../pictures/features.js';
import type { PictureFormat } from '../pictures/sniff.js';

/** Side of the grey thumbnail that duplicates are compared by. */
export const side = 32;
/** Pixels of it. */
export const area = side * side;

/** One entry per sample, or as many as the second number says. */
const kinds = {
  /** As shown, the EXIF orientation applied; 0 where a picture cannot be read. */
  width: [Uint32Array, 1],
  height: [Uint32Array, 1],
  /** Mean luma, 0…1. */
  brightness: [Float32Array, 1],
  /** Mean of (largest − smallest channel), 0…1: 0 is grey. */
  saturation: [Float32Array, 1],
  /** Mean of red − blue, −1…1. */
  warmth: [Float32Array, 1],
  /** Grey thumbnails, side × side bytes each. */
  grey: [Uint8Array, area],
  /** Size of the file, unreadable ones too; of the pixels where many share a file. */
  bytes: [Float64Array, 1],
  /** EXIF orientation, 1…8; 0 where unreadable. */
  orientation: [Uint8Array, 1],
  /** Pages or frames, of which the first is read. */
  pages: [Uint32Array, 1],
  /** See `PictureQuality`, also for the next five. */
  darkest: [Float32Array, 1],
  lightest: [Float32Array, 1],
  entropy: [Float32Array, 1],
  contrast: [Float32Array, 1],
  sharpness: [Float32Array, 1],
  colour: [Float32Array, 1],
  /** Mean and mean of the squares per channel, 0…1: six numbers each. */
  moments: [Float32Array, 6],
  /** See `pictureFeatures`: `featureLength` bytes each. */
  features: [Uint8Array, featureLength],
} as const;

type Kinds = typeof kinds;
type Name = keyof Kinds;
const names = Object.keys(kinds) as Name[];

/** The columns of numbers. */
export type Columns = { readonly [Column in Name]: InstanceType<Kinds[Column][0]> };
/** Their memory, which can be handed to threads. */
export type ColumnMemory = { readonly [Column in Name]: SharedArrayBuffer };

/** Memory for the columns of so many pictures. */
export function columnMemory(length: number): ColumnMemory {
  const memory = names.map((name) => {
    const [Kind, each] = kinds[name];
    return [name, new SharedArrayBuffer(Kind.BYTES_PER_ELEMENT * each * length)];
  });
  return Object.fromEntries(memory) as ColumnMemory;
}

/** The columns that lie in some memory. */
export function columnsIn(memory: ColumnMemory): Columns {
  const view = (name: Name) => new (kinds[name][0] as new (buffer: ArrayBufferLike) => Columns[Name])(memory[name]);
  return Object.fromEntries(names.map((name) => [name, view(name)])) as Columns;
}

/** What is told of a picture in words. */
export interface Words {
  /** SHA-1 of the file, or of the bare pixels. */
  readonly content: string;
  /** By content; `raw` for bare pixels. */
  readonly format: PictureFormat | 'raw';
  /** How colour is stored: `srgb`, `b-w`, `cmyk` …, with ` + alpha` where there is transparency. */
  readonly mode: string;
}

export interface Unreadable {
  readonly index: number;
  readonly reason: string;
}

/** What was seen; one entry per sample. A picture that cannot be read has width 0, and empty words. */
export interface PictureMeasurements extends Columns {
  readonly length: number;
  /** See `Words`, also for the next two. */
  readonly content: readonly Words['content'][];
  readonly format: readonly (Words['format'] | '')[];
  readonly mode: readonly Words['mode'][];
  /** Ascending. */
  readonly unreadable: readonly Unreadable[];
}
