/** What looking at data gives: facts, and findings with evidence and a remedy. Plain data throughout, so that it can be written as JSON. */
import type { Part, Skipped } from '../data/types.js';

/** `error`: results will be wrong if nothing is done; `warning`: look at it before training; `note`: worth knowing. */
export type LookSeverity = 'error' | 'warning' | 'note';

/** What a finding is about. */
export type LookKind =
  // Files
  | 'unreadable'
  | 'skipped'
  | 'wrong-extension'
  | 'rotated'
  | 'colour-modes'
  | 'pages'
  // Copies
  | 'exact-duplicates'
  | 'near-duplicates'
  | 'turned-duplicates'
  | 'conflicting-labels'
  | 'leak'
  // Pictures
  | 'dark'
  | 'bright'
  | 'blurry'
  | 'enlarged'
  | 'low-information'
  | 'grey'
  | 'odd-size'
  | 'odd-aspect'
  | 'outlier'
  // Labels
  | 'imbalance'
  | 'rare-classes'
  | 'empty-classes'
  | 'one-class'
  | 'shortcut'
  // Tables and texts
  | 'missing'
  | 'constant-column'
  | 'duplicate-column'
  | 'label-leak'
  | 'identifier'
  | 'skew'
  | 'empty-text'
  | 'odd-length'
  | 'vocabulary';

/** A sample that a finding is about. */
export interface FindingSample {
  readonly index: number;
  readonly name: string;
  /** Why this one: `truncated JPEG`, `copy of rose/17.jpg`. */
  readonly note?: string;
  /** Samples with the same number belong together: copies of one picture. */
  readonly group?: number;
  /** Whether the fix list leaves it out. */
  readonly exclude?: boolean;
}

export interface LookFinding {
  readonly kind: LookKind;
  readonly severity: LookSeverity;
  /** One sentence. */
  readonly message: string;
  /** The numbers behind it. */
  readonly evidence: Readonly<Record<string, unknown>>;
  /** What to do, one sentence. */
  readonly remedy: string;
  /** The worst first; groups together. */
  readonly samples: readonly FindingSample[];
}

/** Five numbers of a quantity. */
export interface Spread {
  readonly least: number;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
  readonly most: number;
}

export interface ClassCount {
  readonly name: string;
  readonly count: number;
  /** Of all labels, 0…1. */
  readonly share: number;
}

/** How well classes can be told apart by cheap features alone. */
export interface Separability {
  /** Mean of the recalls of the classes, by cross-validation. */
  readonly balancedAccuracy: number;
  /** What guessing gives. */
  readonly chance: number;
  readonly recalls: readonly { readonly name: string; readonly recall: number }[];
  /** The two classes that are taken for each other most, and how often: share of the samples of the first. */
  readonly confused: readonly [string, string, number] | null;
  /** Samples it was measured on. */
  readonly samples: number;
  readonly folds: number;
}

/** A named file and its size. */
export interface SizedFile {
  readonly index: number;
  readonly name: string;
  readonly bytes: number;
}

/** How much detail pictures hold, by the spectrum of some of them. */
export interface DetailSummary {
  /** Of the pixels a side that it takes to show all there is: 1 for photographs as they are, 0.25 for ones enlarged four times. */
  readonly share: number;
  /** That many pixels. */
  readonly side: number;
  /** Pixels on the shorter side of those looked at, at most 256: larger ones are reduced first. */
  readonly of: number;
  readonly pictures: number;
}

export interface PictureSummary {
  readonly width: Spread;
  readonly height: Spread;
  /** The shorter of width and height. */
  readonly side: Spread;
  /** Width over height. */
  readonly aspect: Spread;
  readonly bytes: Spread;
  /** Different sizes, the most frequent first. */
  readonly sizes: readonly { readonly width: number; readonly height: number; readonly count: number }[];
  readonly formats: Readonly<Record<string, number>>;
  /** Colour modes as stored. */
  readonly modes: Readonly<Record<string, number>>;
  /** Pictures with an EXIF orientation other than upright. */
  readonly rotated: number;
  readonly smallest: readonly SizedFile[];
  readonly largest: readonly SizedFile[];
  /** Mean and deviation per channel (red, green, blue), 0…1, each picture counted once whatever its size. */
  readonly channels: { readonly mean: readonly number[]; readonly std: readonly number[] };
  readonly readable: number;
  readonly copies: { readonly groups: number; readonly samples: number } | null;
  readonly separability: Separability | null;
  /** Null where pictures are small, few, or show nothing. */
  readonly detail: DetailSummary | null;
}

export interface ColumnSummary {
  readonly name: string;
  readonly type: 'numeric' | 'categorical';
  readonly missing: number;
  /** Different values. */
  readonly distinct: number;
  readonly spread?: Spread;
  readonly skewness?: number;
  readonly common?: readonly { readonly value: string; readonly count: number }[];
}

export interface TableSummary {
  readonly columns: readonly ColumnSummary[];
}

export interface TextSummary {
  /** In words. */
  readonly words: Spread;
  readonly characters: Spread;
  /** Different words. */
  readonly vocabulary: number;
  /** Words that occur once. */
  readonly once: number;
  readonly common: readonly { readonly word: string; readonly count: number }[];
}

export interface LookReport {
  readonly version: 1;
  readonly name: string;
  readonly root: string;
  readonly kind: 'pictures' | 'table' | 'text' | 'tensors';
  readonly samples: number;
  /** Samples that were not looked at because they are sealed. */
  readonly sealed: number;
  /** Ordered by count, the most common first. */
  readonly classes: readonly ClassCount[];
  readonly multiLabel: boolean;
  readonly parts?: Readonly<Record<Part, number>>;
  readonly skipped: readonly Skipped[];
  readonly pictures?: PictureSummary;
  readonly table?: TableSummary;
  readonly text?: TextSummary;
  /** The most important first. */
  readonly findings: readonly LookFinding[];
  readonly seconds: number;
}

const rank: Readonly<Record<LookSeverity, number>> = { error: 0, warning: 1, note: 2 };

/** Among findings of one severity, these come first, in this order. */
const importance: readonly LookKind[] = [
  'leak',
  'label-leak',
  'conflicting-labels',
  'unreadable',
  'shortcut',
  'one-class',
  'empty-classes',
  'low-information',
  'exact-duplicates',
  'missing',
  'imbalance',
  'rare-classes',
  'near-duplicates',
  'turned-duplicates',
  'outlier',
  'enlarged',
  'blurry',
  'dark',
  'bright',
];

/** The most important first. */
export function ordered(findings: readonly LookFinding[]): LookFinding[] {
  const place = (kind: LookKind): number => {
    const at = importance.indexOf(kind);
    return at < 0 ? importance.length : at;
  };
  return [...findings].sort((a, b) => rank[a.severity] - rank[b.severity] || place(a.kind) - place(b.kind));
}

/** Least, quartiles and most; all 0 of nothing. */
export function spreadOf(values: ArrayLike<number>): Spread {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { least: at(0), lower: at(0.25), median: at(0.5), upper: at(0.75), most: at(1) };
}

/** A share in percent, in few characters. */
export function percent(share: number): string {
  const value = 100 * share;
  // Nearly all is not all.
  if (value > 99 && value < 100) return `${Math.min(99.9, value).toFixed(1)} %`;
  return `${value !== 0 && Math.abs(value) < 10 ? Number(value.toPrecision(2)) : Math.round(value)} %`;
}
