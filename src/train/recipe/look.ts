/** The recipe's first stage: a quick look at the data. Its one pass over the pictures is the one the split compares them by. */
import path from 'node:path';
import { DataError } from '../../data/errors.js';
import { exclusionsName } from '../../data/exclusions.js';
import { isSealed } from '../../data/sources/sealing.js';
import { type LookFinding, type LookReport, lookQuickly } from '../../look/index.js';
import { StoppedEarly } from '../errors.js';
import type { StopSignal } from '../stop.js';
import type { OpenedData } from './data.js';
import { sampleNoun } from './rows.js';

const grouped = (n: number): string => n.toLocaleString('en-GB');

/** Findings that are told before a training. */
const told = 3;
/** Samples of a finding that are kept with the run. */
const keptSamples = 1000;

export interface LookStage {
  /** One line: counts, labels, sizes. */
  readonly text: string;
  /** The most important ones. */
  readonly findings: readonly LookFinding[];
  readonly more: number;
  /** Shorter side of the median picture; undefined for other data. */
  readonly side?: number;
  /** Shorter side at which that picture would still show all there is to see. */
  readonly detail?: number;
  readonly report: LookReport;
}

export interface LookStageOptions {
  readonly seed: number;
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
  readonly stop?: StopSignal | undefined;
}

/**
 * Looks at the data in one pass: faults, equal pictures, odd ones. Sealed samples are passed over.
 * @throws DataError when nothing can be read; StoppedEarly
 */
export async function lookFirst(opened: OpenedData, { seed, onProgress, stop }: LookStageOptions): Promise<LookStage> {
  const { dataset, list, leftOut } = opened;
  const control = new AbortController();
  const { report } = await lookQuickly(dataset, {
    seed,
    signal: control.signal,
    onEvent: (event) => {
      if (event.kind !== 'progress' || event.stage !== 'pictures') return;
      onProgress?.(event.done, event.total);
      if (stop?.reason !== undefined)
        control.abort(new StoppedEarly(`Stopped (${stop.reason}) before the training began.`));
    },
  });
  // Files that are no samples are counted in the line itself.
  const worth = report.findings.filter(({ kind, severity }) => kind !== 'skipped' || severity !== 'note');
  const findings = worth.slice(0, told);
  const counts = report.classes.map(({ count }) => count);
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const parts = [
    `${grouped(report.samples)} ${sampleNoun(dataset)}s${report.sealed > 0 ? ` (${grouped(report.sealed)} more are sealed)` : ''}, ${dataset.classes.length} classes of ${fewest === most ? `${grouped(most)} each` : `${grouped(fewest)} to ${grouped(most)}`}`,
  ];
  const { pictures } = report;
  if (pictures) {
    if (pictures.readable === 0) throw new DataError(`${dataset.root}: none of the pictures can be read.`);
    const { width, height, side } = pictures;
    const same = width.least === width.most && height.least === height.most;
    parts.push(same ? `all ${width.most}×${height.most}` : `about ${side.median} pixels on the shorter side`);
  }
  if (leftOut > 0) parts.push(`${grouped(leftOut)} left out by ${path.basename(list as string)}`);
  const ignored = dataset.skipped.filter((one) => path.basename(one.path) !== exclusionsName).length;
  if (ignored > 0) parts.push(`${grouped(ignored)} other file${ignored === 1 ? '' : 's'} ignored`);
  if (findings.length === 0) parts.push('nothing remarkable');
  const stage = { text: `${parts.join('; ')}.`, findings, more: worth.length - findings.length, report };
  if (!pictures) return stage;
  const side = pictures.side.median;
  return { ...stage, side, ...(pictures.detail === null ? {} : { detail: pictures.detail.share * side }) };
}

/**
 * What the run folder keeps of the look. Samples that the split has sealed since are named nowhere in the lists: a finding says of some what
 * their label is.
 */
export function lookRecord({ text, report }: LookStage, { dataset, list, leftOut }: OpenedData): object {
  const open = <Sample extends { readonly index: number }>(samples: readonly Sample[]): Sample[] =>
    samples.filter(({ index }) => !isSealed(dataset, index));
  const { pictures, findings, ...rest } = report;
  // With a sealed part from before, the report counts among the others.
  const whole = report.sealed === 0;
  return {
    text,
    ...(list === undefined ? {} : { exclusions: { list, samples: leftOut } }),
    ...rest,
    // Samples of each class in the order of the classes, and what is worth a warning, as reports show them.
    counts: dataset.classes.map((name) => rest.classes.find((own) => own.name === name)?.count ?? 0),
    warnings: findings
      .filter(({ severity }) => severity !== 'note')
      .map(({ message, remedy }) => `${message} ${remedy}`),
    ...(pictures
      ? {
          pictures: whole
            ? { ...pictures, smallest: open(pictures.smallest), largest: open(pictures.largest) }
            : pictures,
        }
      : {}),
    findings: findings.map((finding) => {
      const samples = whole ? open(finding.samples) : finding.samples;
      return {
        ...finding,
        sealed: finding.samples.length - samples.length,
        samples: samples.slice(0, keptSamples),
      };
    }),
  };
}
