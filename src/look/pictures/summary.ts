/** Facts about pictures as a whole. */
import type { Duplicates } from '../../data/duplicates/index.js';
import type { PictureMeasurements } from '../../data/duplicates/measure.js';
import type { PictureDataset } from '../../data/types.js';
import { type DetailSummary, type PictureSummary, type Separability, type SizedFile, spreadOf } from '../report.js';
import { countOf } from './files.js';

/** How many of the smallest and largest files are named. */
const named = 5;
/** How many different sizes are listed. */
const listedSizes = 200;

export function pictureSummary(
  dataset: PictureDataset,
  measured: PictureMeasurements,
  duplicates: Duplicates | null,
  separability: Separability | null,
  detail: DetailSummary | null,
): PictureSummary {
  const seen: number[] = [];
  for (let index = 0; index < measured.length; index++) if (measured.width[index] !== 0) seen.push(index);
  const of = (values: ArrayLike<number>) => spreadOf(seen.map((index) => values[index] as number));
  const sizes = new Map<string, { width: number; height: number; count: number }>();
  for (const index of seen) {
    const [width, height] = [measured.width[index] as number, measured.height[index] as number];
    const key = `${width}×${height}`;
    const known = sizes.get(key);
    if (known) known.count++;
    else sizes.set(key, { width, height, count: 1 });
  }
  const all = Array.from({ length: measured.length }, (_, index) => index);
  const byBytes = all.sort((a, b) => (measured.bytes[a] as number) - (measured.bytes[b] as number) || a - b);
  const file = (index: number): SizedFile => ({
    index,
    name: dataset.sampleName(index),
    bytes: measured.bytes[index] as number,
  });
  const mean = [0, 1, 2].map((c) => average(seen, (index) => measured.moments[6 * index + c] as number));
  const squares = [0, 1, 2].map((c) => average(seen, (index) => measured.moments[6 * index + 3 + c] as number));
  return {
    width: of(measured.width),
    height: of(measured.height),
    side: spreadOf(seen.map((index) => Math.min(measured.width[index] as number, measured.height[index] as number))),
    aspect: spreadOf(seen.map((index) => (measured.width[index] as number) / (measured.height[index] as number))),
    bytes: spreadOf(measured.bytes),
    sizes: [...sizes.values()].sort((a, b) => b.count - a.count || a.width - b.width).slice(0, listedSizes),
    formats: countOf(seen.map((index) => measured.format[index] as string)),
    modes: countOf(seen.map((index) => measured.mode[index] as string)),
    rotated: seen.filter((index) => (measured.orientation[index] as number) > 1).length,
    smallest: byBytes.slice(0, named).map(file),
    largest: byBytes.slice(-named).reverse().map(file),
    channels: { mean, std: mean.map((m, c) => Math.sqrt(Math.max(0, (squares[c] as number) - m * m))) },
    readable: seen.length,
    copies: duplicates && {
      groups: duplicates.groups.length,
      samples: duplicates.groups.reduce((sum, { members }) => sum + members.length, 0),
    },
    separability,
    detail,
  };
}

function average(indices: readonly number[], of: (index: number) => number): number {
  if (indices.length === 0) return 0;
  let sum = 0;
  for (const index of indices) sum += of(index);
  return sum / indices.length;
}
