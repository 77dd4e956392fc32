/**
 * Dark, bright, blurred, empty, grey, oddly shaped and oddly sized pictures. Kinds and thresholds follow CleanVision; docs/look.md tells
 * where they differ. What holds for more than half of all pictures is how these data are, and no finding.
 */
import type { PictureMeasurements } from '../../data/duplicates/measure.js';
import { counted } from '../../data/split/findings.js';
import type { PictureDataset } from '../../data/types.js';
import { type FindingSample, type LookFinding, type LookKind, percent, spreadOf } from '../report.js';
import { namesOf } from './files.js';

export const thresholds = {
  /** 99 % of the pixels are darker than this. CleanVision's. */
  dark: 0.32,
  /** 95 % of the pixels are brighter than this. CleanVision's. */
  bright: 0.95,
  /** Bits of entropy of the grey levels. CleanVision's. */
  entropy: 3,
  /** Sharpness (see `PictureQuality`) that photographs with a blurred ground still have. Measured: see docs/look.md. */
  sharpness: 0.16,
  /** Where all others are sharp: so much, and less than this share of the median. */
  sharpnessAmongSharp: 0.35,
  sharpnessShare: 1 / 6,
  /** Bits below which a picture is blank, whatever its brightness. */
  blank: 1,
  /** Differences between channels that JPEG makes of grey. */
  colour: 0.035,
  /** Shorter over longer side. CleanVision's. */
  aspect: 0.35,
  /** Side (root of the area) over the median of all. */
  size: 4,
  /** Share of all pictures above which something is the nature of the data. CleanVision's `max_prevalence`. */
  prevalence: 0.5,
} as const;

interface Check {
  readonly kind: LookKind;
  /** The number that is shown, or null where the picture is as it should be. */
  readonly score: (index: number) => number | null;
  readonly note: (score: number) => string;
  readonly message: (count: number, names: string) => string;
  readonly remedy: string;
  readonly severity: 'warning' | 'note';
  readonly threshold: number;
  /** Whether larger scores are worse. */
  readonly descending?: boolean;
  readonly exclude?: (score: number) => boolean;
}

const pictures = (count: number, one: string, many: string): string =>
  `${counted(count, 'picture')} ${count === 1 ? one : many}`;

function checksOf(measured: PictureMeasurements): Check[] {
  const m = measured;
  const blank = (i: number): boolean => (m.entropy[i] as number) < thresholds.blank;
  const dark = (i: number): boolean => (m.lightest[i] as number) < thresholds.dark;
  const bright = (i: number): boolean => (m.darkest[i] as number) > thresholds.bright;
  // Dark and bright pictures have few grey levels, too: they are told once.
  const empty = (i: number): boolean =>
    blank(i) || ((m.entropy[i] as number) < thresholds.entropy && !dark(i) && !bright(i));
  const usual = spreadOf(m.sharpness.filter((_, i) => m.width[i] !== 0)).median;
  const least = Math.max(
    thresholds.sharpness,
    Math.min(thresholds.sharpnessAmongSharp, thresholds.sharpnessShare * usual),
  );
  const sides = Float64Array.from({ length: m.length }, (_, i) =>
    Math.sqrt((m.width[i] as number) * (m.height[i] as number)),
  );
  const median = spreadOf(sides.filter((side) => side > 0)).median;
  return [
    {
      kind: 'low-information',
      severity: 'warning',
      threshold: thresholds.entropy,
      score: (i) => (empty(i) ? (m.entropy[i] as number) : null),
      note: (score) => `${score.toFixed(1)} bits`,
      message: (count, names) =>
        `${pictures(count, 'shows', 'show')} little (grey levels of less than ${thresholds.entropy} bits): ${names}.`,
      remedy: 'Look at them: a blank scan or a placeholder teaches a class nothing; leave it out.',
      // A single colour is no picture of anything; a drawing with few colours may be.
      exclude: (score) => score < 0.5,
    },
    {
      kind: 'dark',
      severity: 'warning',
      threshold: thresholds.dark,
      score: (i) => (dark(i) && !blank(i) ? (m.lightest[i] as number) : null),
      note: (score) => `brightest ${percent(score)}`,
      message: (count, names) =>
        `${pictures(count, 'is', 'are')} very dark (99 % of the pixels below ${percent(thresholds.dark)}): ${names}.`,
      remedy:
        'Look whether the subject can be seen; if the camera will make such pictures later, keep them and vary brightness.',
    },
    {
      kind: 'bright',
      severity: 'warning',
      threshold: thresholds.bright,
      score: (i) => (bright(i) && !blank(i) ? (m.darkest[i] as number) : null),
      note: (score) => `darkest ${percent(score)}`,
      message: (count, names) =>
        `${pictures(count, 'is', 'are')} very bright (95 % of the pixels above ${percent(thresholds.bright)}): ${names}.`,
      remedy: 'Look whether the subject can be seen; overexposed pictures have lost it for good.',
      descending: true,
    },
    {
      kind: 'blurry',
      severity: 'warning',
      threshold: least,
      score: (i) =>
        !empty(i) && !dark(i) && !bright(i) && (m.sharpness[i] as number) < least ? (m.sharpness[i] as number) : null,
      note: (score) => `sharpness ${score.toFixed(2)}`,
      message: (count, names) => `${pictures(count, 'is', 'are')} blurred even at 64 pixels: ${names}.`,
      remedy: 'Look whether the class can be told; leave out what you could not label yourself.',
    },
    {
      kind: 'grey',
      severity: 'note',
      threshold: thresholds.colour,
      score: (i) => ((m.colour[i] as number) < thresholds.colour && !empty(i) ? (m.colour[i] as number) : null),
      note: () => 'grey',
      message: (count, names) => `${pictures(count, 'is', 'are')} grey among coloured ones: ${names}.`,
      remedy: 'Fine if grey pictures come later, too; otherwise see that no class has most of them.',
    },
    {
      kind: 'odd-aspect',
      severity: 'warning',
      threshold: thresholds.aspect,
      score: (i) => {
        const [w, h] = [m.width[i] as number, m.height[i] as number];
        const ratio = Math.min(w / h, h / w);
        return ratio < thresholds.aspect ? ratio : null;
      },
      note: (score) => `1 : ${(1 / score).toFixed(1)}`,
      message: (count, names) =>
        `${pictures(count, 'is', 'are')} very long or very high (sides of 1 to ${(1 / thresholds.aspect).toFixed(1)} or more): ${names}.`,
      remedy: 'Cut out what matters: squashed into a square, they show something else.',
    },
    {
      kind: 'odd-size',
      severity: 'note',
      threshold: thresholds.size,
      score: (i) => {
        const ratio = (sides[i] as number) / median;
        const factor = Math.max(ratio, 1 / ratio);
        return factor > thresholds.size ? factor : null;
      },
      note: (score) => `factor ${score.toFixed(1)}`,
      message: (count, names) =>
        `${pictures(count, 'is', 'are')} more than ${thresholds.size} times larger or smaller than is usual (${Math.round(median)} pixels a side): ${names}.`,
      remedy: 'Look at the small ones (thumbnails, icons?); all are brought to one size for training.',
      descending: true,
    },
  ];
}

export function qualityFindings(dataset: PictureDataset, measured: PictureMeasurements): LookFinding[] {
  const readable = measured.length - measured.unreadable.length;
  const findings: LookFinding[] = [];
  for (const check of checksOf(measured)) {
    const scored: { index: number; score: number }[] = [];
    for (let index = 0; index < measured.length; index++) {
      if (measured.width[index] === 0) continue;
      const score = check.score(index);
      if (score !== null) scored.push({ index, score });
    }
    if (scored.length === 0) continue;
    if (scored.length > thresholds.prevalence * readable) continue;
    scored.sort((a, b) => (check.descending ? b.score - a.score : a.score - b.score) || a.index - b.index);
    const samples: FindingSample[] = scored.map(({ index, score }) => ({
      index,
      name: dataset.sampleName(index),
      note: check.note(score),
      ...(check.exclude?.(score) ? { exclude: true } : {}),
    }));
    const classes: Record<string, number> = {};
    for (const { index } of scored)
      for (const label of dataset.labels(index)) {
        const name = dataset.classes[label] as string;
        classes[name] = (classes[name] ?? 0) + 1;
      }
    findings.push({
      kind: check.kind,
      severity: check.severity,
      message: check.message(samples.length, namesOf(samples)),
      evidence: {
        pictures: samples.length,
        share: samples.length / readable,
        threshold: check.threshold,
        scores: scored.slice(0, 1000).map(({ score }) => Number(score.toPrecision(4))),
        classes,
      },
      remedy: check.remedy,
      samples,
    });
  }
  return findings;
}
