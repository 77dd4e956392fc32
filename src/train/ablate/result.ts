/** What an ablation leaves: its figures, its picture, and the best settings as a file for `praxis train --config`. */
import { type RunFolder, writeFileAtomic } from '../../track/index.js';
import type { TrainOptions, TrainSettings } from '../config/schema.js';
import { trainSchema } from '../config/schema.js';
import type { TrainPlan } from '../plan.js';
import type { Change } from './changes.js';
import { drawGains } from './draw.js';
import type { ChangeGain, Outcome } from './gain.js';

export interface AblationRow extends Change, ChangeGain {
  readonly scores: readonly number[];
}

export interface AblationResult {
  readonly folder: string;
  readonly scoreName: 'accuracy' | 'mean average precision';
  /** Scores of the baseline, by seed. */
  readonly baseline: readonly number[];
  /** Validation samples. */
  readonly samples: number;
  /** Best first. */
  readonly rows: readonly AblationRow[];
  /** The best change, where it is beyond noise. */
  readonly best?: AblationRow;
  readonly text: string;
}

interface Given {
  readonly rows: readonly AblationRow[];
  readonly bases: readonly Outcome[];
  readonly plan: TrainPlan;
  readonly settings: TrainSettings;
}

const points = (x: number): string => `${x < 0 ? '−' : '+'}${Math.abs(100 * x).toFixed(1)}`;

/** Settings that a person gave, without those that only say where and what of. */
function ownSettings(settings: TrainSettings): TrainOptions {
  const bare = trainSchema.parse({});
  const kept = Object.entries(settings).filter(
    ([name, value]) =>
      !['name', 'out', 'splitFile', 'budget'].includes(name) &&
      JSON.stringify(value) !== JSON.stringify(bare[name as keyof TrainSettings]),
  );
  return Object.fromEntries(kept) as TrainOptions;
}

function sentence(best: AblationRow | undefined, rows: readonly AblationRow[]): string {
  // Each seems to help with a chance of 2.5 %.
  const chance = 1 - 0.975 ** rows.length;
  const honest = `Were all ${rows.length} changes worth nothing, one of them or more would still seem to help in ${Math.round(100 * chance)} of 100 such ablations.`;
  if (best === undefined)
    return `No change is beyond noise: keep the baseline, or try again with more seeds or a larger validation part. ${honest}`;
  return `${best.name} helps most: ${points(best.value)} points (95 %: ${points(best.interval.low)} to ${points(best.interval.high)}). ${honest}`;
}

/** Writes everything and ends the folder's run. */
export async function writeAblation(run: RunFolder, { rows, bases, plan, settings }: Given): Promise<AblationResult> {
  const ordered = [...rows].sort((a, b) => b.value - a.value);
  const best = ordered.find(({ verdict }) => verdict === 'helps');
  const result: AblationResult = {
    folder: run.path,
    scoreName: plan.data.multiLabel ? 'mean average precision' : 'accuracy',
    baseline: bases.map(({ score }) => score),
    samples: bases[0]?.right.length ?? 0,
    rows: ordered,
    ...(best === undefined ? {} : { best }),
    text: sentence(best, ordered),
  };
  const { folder: _, ...portable } = result;
  await writeFileAtomic(run.file('ablation.json'), `${JSON.stringify(portable, null, 2)}\n`);
  await writeFileAtomic(run.file('ablation.svg'), drawGains(result, plan.data.name));
  const config = { ...ownSettings(settings), ...best?.settings };
  await writeFileAtomic(run.file('best.config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const baseline = result.baseline.reduce((a, b) => a + b, 0) / result.baseline.length;
  const score = baseline + Math.max(0, best?.value ?? 0);
  await run.update({ best: { metric: `validation ${result.scoreName}`, value: score, step: 0 } });
  await run.end('finished', {
    result: { metric: `validation ${result.scoreName}`, score, baseline, best: best?.name ?? null },
  });
  return result;
}
