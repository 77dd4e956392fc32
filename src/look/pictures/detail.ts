/** Whether pictures hold as much detail as they have pixels. */
import type { PictureMeasurements } from '../../data/duplicates/measure.js';
import { DataError } from '../../data/errors.js';
import { decodePicture } from '../../data/pictures/decode.js';
import { detailShare, detailSpectrum } from '../../data/pictures/detail.js';
import { type SizedPicture, sampleSides } from '../../data/pictures/facts.js';
import type { PictureDataset } from '../../data/types.js';
import { type DetailSummary, type LookFinding, spreadOf } from '../report.js';

/** Pictures that are looked at, spread over the whole set. */
const looked = 48;
/** Fewer say nothing about the others. */
const fewest = 8;
/** Below this there is nothing to reduce. */
const leastSide = 48;
/** Larger pictures are reduced to this: no network here sees more. */
const mostSide = 256;
/** Share of the pixels a side up to which it is told. */
const told = 10 / 16;

/** Decodes some pictures in full. Null where they are too few, too small, or show nothing. */
export async function measureDetail(
  dataset: PictureDataset,
  measured: PictureMeasurements,
): Promise<DetailSummary | null> {
  const sideOf = (index: number): number => Math.min(measured.width[index] as number, measured.height[index] as number);
  return detailOf(
    dataset,
    Array.from({ length: measured.length }, (_, index) => ({ index, side: sideOf(index) })),
  );
}

/** The same from a sample, for those who do not look at all pictures first. */
export async function sampleDetail(dataset: PictureDataset): Promise<DetailSummary | null> {
  return detailOf(dataset, await sampleSides(dataset, 2 * looked));
}

async function detailOf(dataset: PictureDataset, all: readonly SizedPicture[]): Promise<DetailSummary | null> {
  const large = all.filter(({ side }) => side >= leastSide);
  // A few large ones among icons are no property of the set.
  if (large.length < Math.max(fewest, all.length / 2)) return null;
  const spectra: Float64Array[] = [];
  const sides: number[] = [];
  const count = Math.min(looked, large.length);
  for (let i = 0; i < count; i++) {
    const one = large[Math.floor(((i + 0.5) * large.length) / count)] as SizedPicture;
    const { index } = one;
    const side = Math.min(mostSide, one.side);
    try {
      const form = { height: side, width: side, channels: 1, fit: 'crop', decode: 'fast' } as const;
      const spectrum = detailSpectrum(await decodePicture(dataset.location(index), form), side);
      if (spectrum === null) continue;
      spectra.push(spectrum);
      sides.push(side);
    } catch (error) {
      // Damaged where the quick look did not get to: it is told of elsewhere, or when it is trained on.
      if (!(error instanceof DataError)) throw error;
    }
  }
  if (spectra.length < fewest) return null;
  const share = detailShare(spectra);
  const side = Math.round(spreadOf(sides).median);
  return { share, side: Math.round(share * side), of: side, pictures: spectra.length };
}

export function detailFindings(detail: DetailSummary | null): LookFinding[] {
  if (detail === null || detail.share > told) return [];
  const { side, of } = detail;
  return [
    {
      kind: 'enlarged',
      severity: 'warning',
      message: `The pictures show no more detail than about ${side}×${side} pixels would, at ${of} a side: they were enlarged, or are blurred.`,
      evidence: { ...detail, threshold: told },
      remedy:
        'Look for the originals: detail that is lost cannot be learned from, and a larger --size does not bring it back.',
      samples: [],
    },
  ];
}
