/** What a run's own folder shows of overfitting: for reports, without reading a picture or loading the engine's network. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readMetrics, readRecord } from '../../track/index.js';
import type { AblationResult } from '../ablate/result.js';
import type { LearningCurve } from '../curve/curve.js';
import { RunError } from '../errors.js';
import type { TrainPlan } from '../plan.js';
import { earlyEpochs, type SampleLoss, trainingFile } from '../sample-losses.js';
import type { ClassGap, OverfitReport } from './overfit.js';

/** Something to try, with what speaks for it. */
export interface Remedy {
  readonly title: string;
  /** Gain of the score where it was measured on this split, else undefined. */
  readonly gain?: number;
  readonly reason: string;
}

export interface OverfittingSeen {
  /** Training less validation accuracy after the last epoch. Training pictures are counted as they were trained on: augmented. */
  readonly gap: number;
  /**
   * The epoch (from 1) after which validation fell behind training: its loss rose again, or hardly fell any more and its accuracy stayed far
   * behind, while the training loss went on falling. Undefined where it did not happen.
   */
  readonly leftBehind?: number;
  /** What became of the validation loss from there to the end, as a share: below 0 where it fell a little. 0 where it did not happen. */
  readonly rise: number;
  /** By how much the training loss fell in the same time, as a share. */
  readonly trainFall: number;
  /**
   * Share of each class that is recognised in training and in validation, the widest gap first. By `probes`, where praxis overfit was run:
   * training pictures seen as they are; else by `steps`: as they were trained on, in the last epochs. Undefined for a run without either.
   */
  readonly classes?: { readonly by: 'probes' | 'steps'; readonly gaps: readonly ClassGap[] };
  /** What it learnt by heart or last; undefined for runs that did not note it. */
  readonly memorised?: Memorised;
  /** From `praxis overfit`, where it was run. */
  readonly probes?: OverfitReport;
  /** The measured first, best first; then those that the course names, in its order. */
  readonly remedies: readonly Remedy[];
}

/**
 * Training samples that went against what it learnt first, and that it names rightly in the end: in the first epochs their label got less
 * than a guess would give it, and less than nearly all others (a deviation above the mean loss); in most of the last it was named rightly.
 */
export interface Memorised {
  /** The most surprising first; at most 24. */
  readonly samples: readonly SampleLoss[];
  /** How many there are in all. */
  readonly count: number;
  /** Of how many that were trained on. */
  readonly of: number;
  /** Epochs that counted as the first. */
  readonly early: number;
}

interface Epoch {
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
}

async function epochsOf(folder: string): Promise<Epoch[]> {
  const epochs: Epoch[] = [];
  for await (const line of readMetrics(path.join(folder, 'metrics.jsonl')))
    if (line.kind === 'epoch') epochs.push(line as unknown as Epoch);
  return epochs;
}

const readJson = <T>(file: string): T | undefined => {
  try {
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
  } catch {
    return undefined;
  }
};

function readLines<T>(file: string): T[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as T];
      } catch {
        // A kill may have torn the last line.
        return [];
      }
    });
}

/** Less than this is within what the luck of single epochs does. */
const matters = 0.05;

function leftBehindOf(epochs: readonly Epoch[]): Pick<OverfittingSeen, 'leftBehind' | 'rise' | 'trainFall'> {
  const last = epochs.at(-1) as Epoch;
  const none = { rise: 0, trainFall: 0 };
  const lowest = Math.min(...epochs.map(({ validationLoss }) => validationLoss).filter(Number.isFinite));
  if (!Number.isFinite(lowest)) return none;
  const since = (i: number) => {
    const { validationLoss, trainLoss } = epochs[i] as Epoch;
    return {
      leftBehind: i + 1,
      rise: last.validationLoss / validationLoss - 1,
      trainFall: 1 - last.trainLoss / trainLoss,
    };
  };
  const risen = since(epochs.findIndex(({ validationLoss }) => validationLoss === lowest));
  if (risen.rise > matters && risen.trainFall > 0.02) return risen;
  // Smoothed labels and averaged weights keep the loss from rising, whatever is learnt by heart.
  const still = since(epochs.findIndex(({ validationLoss }) => validationLoss <= lowest * (1 + matters)));
  const behind = last.trainAccuracy - last.validationAccuracy > matters;
  return behind && still.trainFall > 2 * matters ? still : none;
}

/** Which classes it knows better from training than from validation. */
function gapsOf(
  folder: string,
  samples: readonly SampleLoss[],
  names: readonly string[],
  probes: OverfitReport | undefined,
): OverfittingSeen['classes'] {
  const widest = (gaps: readonly ClassGap[]) =>
    gaps.filter(({ gap }) => Number.isFinite(gap)).sort((a, b) => b.gap - a.gap);
  if (probes !== undefined) return { by: 'probes', gaps: widest(probes.classes) };
  const predicted = readLines<{ target: number; probabilities: number[] }>(path.join(folder, 'validation.jsonl'));
  if (samples.length === 0 || predicted.length === 0) return undefined;
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [own, other] = [names.map((): number[] => []), names.map((): number[] => [])];
  for (const { target, right } of samples) own[target]?.push(right);
  for (const { target, probabilities } of predicted)
    other[target]?.push(probabilities.indexOf(Math.max(...probabilities)) === target ? 1 : 0);
  const gaps = names.map((name, i) => {
    const [train, validation] = [mean(own[i] ?? []), mean(other[i] ?? [])];
    return { name, train, validation, gap: train - validation };
  });
  return { by: 'steps', gaps: widest(gaps) };
}

const mostShown = 24;

function memorisedOf(samples: readonly SampleLoss[], classes: number, epochs: number): Memorised | undefined {
  if (samples.length === 0) return undefined;
  const mean = samples.reduce((sum, { early }) => sum + early, 0) / samples.length;
  const variance = samples.reduce((sum, { early }) => sum + (early - mean) ** 2, 0) / samples.length;
  const surprising = Math.max(Math.log(classes), mean + Math.sqrt(variance));
  const found = samples
    .filter(({ early, right }) => early > surprising && right > 0.5)
    .sort((a, b) => b.early - a.early || a.late - b.late);
  return { samples: found.slice(0, mostShown), count: found.length, of: samples.length, early: earlyEpochs(epochs) };
}

/** Finished ablations and learning curves beside a run, of the same split. */
function measuredBeside(folder: string, fingerprint: unknown): Remedy[] {
  const parent = path.dirname(path.resolve(folder));
  const found: Remedy[] = [];
  for (const name of readdirSync(parent)) {
    const beside = path.join(parent, name);
    const ablation = readJson<Omit<AblationResult, 'folder'>>(path.join(beside, 'ablation.json'));
    const curve = readJson<Omit<LearningCurve, 'folder'>>(path.join(beside, 'learning-curve.json'));
    if ((ablation ?? curve) === undefined) continue;
    let split: unknown;
    try {
      split = readRecord(beside).split?.fingerprint;
    } catch {
      continue;
    }
    if (split !== fingerprint) continue;
    for (const row of ablation?.rows ?? [])
      if (row.verdict === 'helps')
        found.push({
          title: row.name,
          gain: row.value,
          reason: `measured in ${name}: ${(100 * row.interval.low).toFixed(1)} to ${(100 * row.interval.high).toFixed(1)} points over its baseline, ${row.seeds} seeds`,
        });
    if (curve !== undefined && curve.twice.gain > 0)
      found.push({ title: 'twice the data', gain: curve.twice.gain, reason: `extrapolated in ${name}: ${curve.text}` });
  }
  return found.sort((a, b) => (b.gain as number) - (a.gain as number));
}

/** What the course names, in its order, as far as the run has not done it. */
function named(plan: TrainPlan, measured: boolean): Remedy[] {
  const remedies: Remedy[] = [];
  const { optimisation, augmentation, data } = plan;
  if (!measured)
    remedies.push({
      title: 'measure it',
      reason: 'praxis ablate tries every remedy on this split; praxis learning-curve says what more data would bring',
    });
  remedies.push({ title: 'more data', reason: 'what is seen again and again is learnt by heart' });
  const stronger = { none: 'light', light: 'medium', medium: 'strong' }[augmentation?.preset ?? 'none'];
  if (data.form !== undefined && stronger !== undefined)
    remedies.push({
      title: `--augment ${stronger}`,
      reason: 'the next best to more pictures is the same ones, changed',
    });
  if (data.form !== undefined && plan.transfer === undefined)
    remedies.push({
      title: '--pretrained',
      reason: 'whenever possible: weights that know pictures need fewer of yours',
    });
  if ((plan.model.options.dropout ?? 0) === 0)
    remedies.push({ title: '--dropout 0.2', reason: 'before large fully connected layers' });
  if (optimisation.labelSmoothing === 0)
    remedies.push({ title: '--label-smoothing 0.1', reason: 'keeps it from being surer than the labels are' });
  remedies.push({ title: 'praxis ensemble', reason: 'each model overfits in its own way; their mean less' });
  return remedies;
}

/** @throws RunError for a folder that is no run, or has no epoch yet */
export async function overfittingSeen(folder: string): Promise<OverfittingSeen> {
  const record = readRecord(folder);
  const plan = record.configuration.plan as TrainPlan | undefined;
  const epochs = await epochsOf(folder);
  const last = epochs.at(-1);
  if (plan === undefined || last === undefined)
    throw new RunError(`${folder}: not one epoch of this run is finished, so there is nothing to see yet.`);
  const left = leftBehindOf(epochs);
  const measured = measuredBeside(folder, record.split?.fingerprint);
  const probes = readJson<OverfitReport>(path.join(folder, 'overfit.json'));
  const samples = readLines<SampleLoss>(path.join(folder, trainingFile));
  const { classes: names } = plan.data;
  const classes = gapsOf(folder, samples, names, probes);
  const memorised = memorisedOf(samples, names.length, plan.optimisation.epochs);
  return {
    gap: last.trainAccuracy - last.validationAccuracy,
    ...left,
    ...(classes === undefined ? {} : { classes }),
    ...(memorised === undefined ? {} : { memorised }),
    ...(probes === undefined ? {} : { probes }),
    remedies: [...measured, ...named(plan, measured.length > 0)],
  };
}
