/** What a run's own folder shows of overfitting: for reports, without reading a picture or loading the engine's network. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readMetrics, readRecord } from '../../track/index.js';
import type { AblationResult } from '../ablate/result.js';
import type { LearningCurve } from '../curve/curve.js';
import { RunError } from '../errors.js';
import type { TrainPlan } from '../plan.js';
import type { OverfitReport } from './overfit.js';

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
  /** The epoch (from 1) after which the validation loss never was as low again while the training loss went on falling; undefined where it did not happen. */
  readonly leftBehind?: number;
  /** Rise of the validation loss since then, as a share. */
  readonly rise: number;
  /** From `praxis overfit`, where it was run. */
  readonly probes?: OverfitReport;
  /** The measured first, best first; then those that the course names, in its order. */
  readonly remedies: readonly Remedy[];
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
  if (data.form !== undefined)
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
  const least = epochs.reduce(
    (best, epoch, i) => (epoch.validationLoss < (epochs[best] as Epoch).validationLoss ? i : best),
    0,
  );
  const lowest = epochs[least] as Epoch;
  const rise = last.validationLoss / lowest.validationLoss - 1;
  const left = least < epochs.length - 1 && rise > 0.02 && last.trainLoss < lowest.trainLoss;
  const measured = measuredBeside(folder, record.split?.fingerprint);
  const probes = readJson<OverfitReport>(path.join(folder, 'overfit.json'));
  return {
    gap: last.trainAccuracy - last.validationAccuracy,
    ...(left ? { leftBehind: least + 1 } : {}),
    rise: left ? rise : 0,
    ...(probes === undefined ? {} : { probes }),
    remedies: [...measured, ...named(plan, measured.length > 0)],
  };
}
