/** Looking at a data set before anything is trained on it. */
import { DataError } from '../data/errors.js';
import { subset } from '../data/sources/index.js';
import type { Dataset, Part } from '../data/types.js';
import { classCounts, countClasses, labelFindings } from './labels.js';
import { skippedFindings } from './pictures/files.js';
import { lookAtPictures } from './pictures/index.js';
import { type ClassCount, type LookFinding, type LookReport, ordered } from './report.js';
import { lookAtTable } from './tables.js';
import { lookAtTexts } from './texts.js';

/** What happens while one looks. */
export type LookEvent =
  /** Known at once, before any file is opened. */
  | {
      readonly kind: 'counts';
      readonly name: string;
      readonly samples: number;
      readonly classes: readonly ClassCount[];
    }
  | {
      readonly kind: 'progress';
      readonly stage: 'pictures' | 'copies' | 'outliers';
      readonly done: number;
      readonly total: number;
    };

export interface LookOptions {
  /** For what is drawn by chance: references of outliers, folds of the probe. Default 0. */
  readonly seed?: number;
  /** Leave out near copies, outliers and separability. Default false. */
  readonly quick?: boolean;
  /** Pictures: look for mirrored and turned copies, too. Default false. */
  readonly turned?: boolean;
  readonly onEvent?: ((event: LookEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The samples whose names and labels may be seen. */
function openPart(dataset: Dataset): { dataset: Dataset; sealed: number } {
  const open: number[] = [];
  for (let index = 0; index < dataset.length; index++)
    try {
      dataset.labels(index);
      open.push(index);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
  const sealed = dataset.length - open.length;
  return { dataset: sealed === 0 ? dataset : subset(dataset, open), sealed };
}

/**
 * Looks at a data set: counts, sizes, copies, faults, outliers, leaks. Reads each file once, on all cores; writes nothing. Sealed samples
 * are passed over.
 * @throws DataError when the data set has no samples that may be looked at
 */
export async function look(dataset: Dataset, options: LookOptions = {}): Promise<LookReport> {
  const began = performance.now();
  const { seed = 0, quick = false, turned = false, onEvent, signal } = options;
  const { dataset: open, sealed } = openPart(dataset);
  if (open.length === 0) throw new DataError(`${dataset.name} has no samples that may be looked at`);
  const classes = classCounts(open, countClasses(open));
  onEvent?.({ kind: 'counts', name: open.name, samples: open.length, classes });
  const findings: LookFinding[] = [...labelFindings(classes), ...skippedFindings(open.skipped)];
  const report = {
    version: 1 as const,
    name: open.name,
    root: open.root,
    kind: open.kind,
    samples: open.length,
    sealed,
    classes,
    multiLabel: open.multiLabel,
    ...(open.officialParts ? { parts: partCounts(open) } : {}),
    skipped: open.skipped,
  };
  const finish = (more: readonly LookFinding[]) => ({
    findings: ordered([...findings, ...more]),
    seconds: (performance.now() - began) / 1000,
  });
  switch (open.kind) {
    case 'pictures': {
      const seen = await lookAtPictures(open, {
        seed,
        quick,
        turned,
        signal,
        onProgress: (done, total, stage) => onEvent?.({ kind: 'progress', stage, done, total }),
      });
      return { ...report, pictures: seen.summary, ...finish(seen.findings) };
    }
    case 'table': {
      const seen = await lookAtTable(open);
      return { ...report, table: seen.summary, ...finish(seen.findings) };
    }
    case 'text': {
      const seen = await lookAtTexts(open);
      return { ...report, text: seen.summary, ...finish(seen.findings) };
    }
    case 'tensors':
      return { ...report, ...finish([]) };
  }
}

function partCounts(dataset: Dataset): Record<Part, number> {
  const official = dataset.officialParts as Readonly<Record<Part, readonly number[]>>;
  return { train: official.train.length, validation: official.validation.length, test: official.test.length };
}

/** The few sentences that matter before a training. */
export interface QuickLook {
  /** The most important findings, errors first. */
  readonly findings: readonly LookFinding[];
  /** How many more there are. */
  readonly more: number;
  readonly report: LookReport;
}

/**
 * The quick form for the recipe: the one pass (shared with the split, which needs it anyway), exact copies, no outliers and no probe.
 * @param options `most`: how many findings, default 3
 */
export async function lookQuickly(
  dataset: Dataset,
  { most = 3, ...options }: Omit<LookOptions, 'quick'> & { readonly most?: number } = {},
): Promise<QuickLook> {
  const report = await look(dataset, { ...options, quick: true });
  const findings = report.findings.slice(0, most);
  return { findings, more: report.findings.length - findings.length, report };
}
