/** Looking at pictures: one pass over the files, then everything from what was measured. */
import { type Duplicates, findDuplicates } from '../../data/duplicates/index.js';
import { measurePictures, type PictureMeasurements } from '../../data/duplicates/measure.js';
import { findTurned } from '../../data/duplicates/turned.js';
import { counted } from '../../data/split/findings.js';
import type { PictureDataset } from '../../data/types.js';
import { copyFindings } from '../copies.js';
import { toldBy } from '../labels.js';
import { type FindingSample, type LookFinding, type PictureSummary, percent, type Separability } from '../report.js';
import { detailFindings, measureDetail } from './detail.js';
import { fileFindings } from './files.js';
import { qualityFindings } from './quality.js';
import { pictureSummary } from './summary.js';

export interface PictureLookOptions {
  readonly seed: number;
  /** Leave out near copies, outliers and the probe: what takes more than the one pass. */
  readonly quick: boolean;
  /** Look for mirrored and turned copies, too. */
  readonly turned: boolean;
  readonly onProgress?: ((done: number, total: number, stage: 'pictures' | 'copies' | 'outliers') => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PictureLook {
  readonly summary: PictureSummary;
  readonly findings: LookFinding[];
  readonly measured: PictureMeasurements;
}

export async function lookAtPictures(dataset: PictureDataset, options: PictureLookOptions): Promise<PictureLook> {
  const { seed, quick, turned, onProgress, signal } = options;
  const measured = await measurePictures(dataset, {
    onProgress: (done, total) => onProgress?.(done, total, 'pictures'),
    signal,
  });
  onProgress?.(0, 1, 'copies');
  const duplicates = await findDuplicates(dataset, { level: quick ? 'exact' : 'near', measurements: measured, signal });
  const detail = await measureDetail(dataset, measured);
  let separability: Separability | null = null;
  const findings = [
    ...fileFindings(dataset, measured),
    ...copyFindings(dataset, duplicates, 'picture'),
    ...qualityFindings(dataset, measured),
    ...shortcuts(dataset, measured),
    ...detailFindings(detail),
  ];
  if (turned) findings.push(...(await turnedFindings(dataset, measured, signal)));
  if (!quick) {
    onProgress?.(0, 1, 'outliers');
    // The engine is loaded only now: everything above works without.
    const { outlierFindings } = await import('./outliers.js');
    findings.push(...(await outlierFindings(dataset, measured, { seed, signal })));
    separability = await probe(dataset, measured, duplicates, seed);
  }
  return { summary: pictureSummary(dataset, measured, duplicates, separability, detail), findings, measured };
}

async function probe(
  dataset: PictureDataset,
  measured: PictureMeasurements,
  duplicates: Duplicates,
  seed: number,
): Promise<Separability | null> {
  if (dataset.multiLabel || dataset.classes.length < 2) return null;
  const { probeClasses } = await import('./probe.js');
  const labels = Int32Array.from({ length: dataset.length }, (_, index) =>
    measured.width[index] === 0 ? -1 : dataset.target(index),
  );
  const groups = new Map<number, number>();
  for (const { members } of duplicates.groups) for (const member of members) groups.set(member, members[0] as number);
  return probeClasses(measured.features, labels, dataset.classes, {
    seed,
    groupOf: (index) => groups.get(index) ?? index,
  });
}

async function turnedFindings(
  dataset: PictureDataset,
  measured: PictureMeasurements,
  signal: AbortSignal | undefined,
): Promise<LookFinding[]> {
  const pairs = await findTurned(measured, { signal });
  const first = pairs[0];
  if (!first) return [];
  const different = pairs.filter(({ a, b }) => dataset.labels(a).join() !== dataset.labels(b).join()).length;
  const samples: FindingSample[] = pairs.flatMap(({ a, b, how }, group) => [
    { index: a, name: dataset.sampleName(a), group },
    { index: b, name: dataset.sampleName(b), group, note: `${how}: ${dataset.sampleName(a)}` },
  ]);
  return [
    {
      kind: 'turned-duplicates',
      severity: different > 0 ? 'warning' : 'note',
      message: `${counted(pairs.length, 'picture is another one', 'pictures are others')} mirrored or turned${different > 0 ? `, ${different} of them with other labels` : ''}; for instance ${dataset.sampleName(first.b)} and ${dataset.sampleName(first.a)}.`,
      evidence: { pairs: pairs.length, withOtherLabels: different, distances: pairs.map(({ distance }) => distance) },
      remedy: 'Keep both on one side of the split, or leave one out; augmentation makes such copies anyway.',
      samples,
    },
  ];
}

/** Of what guessing leaves wrong, how much a shortcut must get right to be told. */
const shortcutGain = 0.5;

/** Whether something about the files that has nothing to do with what they show tells the class. */
function shortcuts(dataset: PictureDataset, measured: PictureMeasurements): LookFinding[] {
  if (dataset.multiLabel) return [];
  const seen: number[] = [];
  for (let index = 0; index < measured.length; index++) if (measured.width[index] !== 0) seen.push(index);
  if (seen.length < 40) return [];
  const labels = seen.map((index) => dataset.target(index));
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  if (counts.size < 2) return [];
  const guessing = Math.max(...counts.values()) / seen.length;
  const facts: readonly [string, (index: number) => string][] = [
    ['the size of the picture', (index) => `${measured.width[index]}×${measured.height[index]}`],
    ['the format of the file', (index) => measured.format[index] as string],
    ['how colours are stored', (index) => measured.mode[index] as string],
  ];
  const findings: LookFinding[] = [];
  for (const [what, of] of facts) {
    const { accuracy } = toldBy(seen.map(of), labels);
    if (accuracy - guessing < shortcutGain * (1 - guessing)) continue;
    findings.push({
      kind: 'shortcut',
      severity: 'warning',
      message: `The class can be told from ${what} alone: ${percent(accuracy)} right, where always guessing the most common class gets ${percent(guessing)}.`,
      evidence: { property: what, accuracy, guessing },
      remedy:
        'A network may learn that instead of the subject: bring all classes to the same sizes and formats, or vary them.',
      samples: [],
    });
  }
  return findings;
}
