/**
 * Averaging weights instead of probabilities: one network out of several moments of a run (SWA), or out of several runs that began with the
 * same weights (a model soup), at the price of one. Kept only where the validation part says that it helps.
 * Sources: Izmailov et al. 2018, https://arxiv.org/abs/1803.05407; Wortsman et al. 2022, https://arxiv.org/abs/2203.05482
 */
import type { StateDict } from '../../nn/index.js';
import { type Tensor, torch } from '../../torch/index.js';
import { commandLine } from '../../track/index.js';
import { RunError } from '../errors.js';
import { averageWeights } from '../recipe/select.js';
import { type Gain, gainOver } from './compare.js';
import { Judge, type Judged, type JudgeOptions, statisticsDiffer } from './judge.js';
import { type MemberRun, readMember, requireAlike } from './members.js';
import { snapshotsOf, weightsAt } from './snapshots.js';
import { writeAverage } from './write-average.js';

export const averageWays = ['greedy', 'uniform'] as const;
/** `uniform` takes all; `greedy` the best first, then each that does not make it worse. */
export type AverageWay = (typeof averageWays)[number];

export interface AverageOptions extends JudgeOptions {
  /** Default `greedy`. */
  readonly way?: AverageWay;
  /** Where the folder is made. Default `runs`. */
  readonly out?: string;
  readonly name?: string;
  /** For the record. */
  readonly command?: string;
}

export interface Ingredient {
  readonly name: string;
  /** On the validation part, alone. */
  readonly score: number;
  readonly logLoss: number;
  /** Whether its weights are in the mean. */
  readonly used: boolean;
}

/** What `average.json` in the folder holds. */
export interface AverageFacts {
  readonly format: 'praxis-average';
  readonly version: 1;
  readonly way: AverageWay;
  /** Moments of one run, or runs. */
  readonly of: 'checkpoints' | 'runs';
  readonly ingredients: readonly Ingredient[];
  readonly scoreName: 'accuracy' | 'mean average precision';
  readonly samples: number;
  readonly score: number;
  readonly logLoss: number;
  /** Over the best ingredient, which was chosen on the same samples. */
  readonly gain: Gain;
  /** Whether the statistics of batch normalisation were measured again. */
  readonly remeasured: boolean;
  /** Whether all began with the same weights, without which averages are rarely worth anything. */
  readonly commonStart: boolean;
  /** Whether the average validates better than its best ingredient alone. */
  readonly helps: boolean;
}

export interface AverageResult extends AverageFacts {
  /** The folder that was made; none where the average does not help. */
  readonly folder?: string;
}

/** Weights that an average may take. */
interface Candidate extends Judged {
  readonly name: string;
}

const scoreOf = ({ evaluation }: Judged): number => evaluation.score;
/** Of equals the one that is surer of what is right. */
const isBetter = (a: Judged, b: Judged): boolean =>
  scoreOf(a) > scoreOf(b) || (scoreOf(a) === scoreOf(b) && a.evaluation.loss < b.evaluation.loss);

/** Whether runs began with the same weights: the same file, or the same seed of the same model. */
function beganAlike(members: readonly MemberRun[]): boolean {
  const starts = members.map(({ plan }) =>
    plan.transfer === undefined ? `seed ${plan.seed}` : `weights ${plan.transfer.sha256}`,
  );
  return new Set(starts).size === 1;
}

/** @throws RunError where weights cannot be averaged at all */
function requireOneNetwork(members: readonly MemberRun[]): void {
  const [first] = members as readonly [MemberRun, ...MemberRun[]];
  for (const { name, plan } of members) {
    if (JSON.stringify(plan.model) !== JSON.stringify(first.plan.model))
      throw new RunError(
        `${name} and ${first.name} are different networks, whose weights cannot be averaged; leave out --average to join their probabilities.`,
      );
    const [own, other] = [plan.data.statistics, first.plan.data.statistics];
    const apart = (own?.mean ?? []).some((mean, i) => Math.abs(mean - (other?.mean[i] as number)) > 0.02);
    if (apart)
      throw new RunError(
        `${name} and ${first.name} normalise their pictures differently, so no one network can stand for both; leave out --average to join their probabilities.`,
      );
  }
}

/** The mean of some weights, judged; statistics of batch normalisation that do not agree are measured again. */
async function averageOf(judge: Judge, chosen: readonly Candidate[]): Promise<Judged> {
  const [alone] = chosen as readonly [Candidate, ...Candidate[]];
  if (chosen.length === 1) return alone;
  const sets = chosen.map(({ weights }) => weights);
  const mean = averageWeights(sets.map((weights) => new Map<string, Tensor>(Object.entries(weights))));
  const what = `average of ${chosen.length}`;
  return judge.ask(Object.fromEntries(mean), what, statisticsDiffer(sets));
}

/** The best first, then each that does not make the average worse. Source: Wortsman et al. 2022, recipe 1 */
async function greedy(judge: Judge, ranked: readonly Candidate[]): Promise<[Judged, readonly Candidate[]]> {
  let used = ranked.slice(0, 1);
  let best: Judged = ranked[0] as Candidate;
  for (const candidate of ranked.slice(1)) {
    const tried = await averageOf(judge, [...used, candidate]);
    if (scoreOf(tried) < scoreOf(best)) continue;
    used = [...used, candidate];
    best = tried;
  }
  return [best, used];
}

/**
 * Averages the weights of one run's kept checkpoints, or of several finished runs of one network. A folder, a run like any other, is made
 * only where the average validates better than the best that went into it.
 * @throws RunError when runs are unfinished or do not go together; DataError when their data have changed
 */
export async function averageRuns(folders: readonly string[], options: AverageOptions = {}): Promise<AverageResult> {
  const { way = 'greedy' } = options;
  const [place] = folders;
  if (place === undefined) throw new RunError('An average needs a finished run, or several.');
  const members = requireAlike(folders.map(readMember));
  requireOneNetwork(members);
  const [first] = members as readonly [MemberRun, ...MemberRun[]];
  const snapshots = folders.length === 1 ? await snapshotsOf(place) : [];
  const judge = await Judge.open(first, options);
  try {
    const candidates: Candidate[] = [];
    for (const snapshot of snapshots) {
      const name = `epoch-${snapshot.epoch}`;
      candidates.push({ name, ...(await judge.ask(await weightsAt(judge, snapshot), name)) });
    }
    for (const { name, weights } of snapshots.length > 0 ? [] : members) {
      const loaded = (await torch.load(weights as string)) as StateDict;
      candidates.push({ name, ...(await judge.ask(loaded, name)) });
    }
    const ranked = [...candidates].sort((a, b) => (isBetter(a, b) ? -1 : 1));
    const best = ranked[0] as Candidate;
    const [made, used] =
      way === 'greedy' ? await greedy(judge, ranked) : ([await averageOf(judge, ranked), ranked] as const);
    const { classes, multiLabel } = first.plan.data;
    const question = { classes: classes.length, target: best.opinion.target, multiLabel };
    const facts: AverageFacts = {
      format: 'praxis-average',
      version: 1,
      way,
      of: snapshots.length > 0 ? 'checkpoints' : 'runs',
      ingredients: candidates.map((one) => ({
        name: one.name,
        score: scoreOf(one),
        logLoss: one.evaluation.loss,
        used: used.includes(one),
      })),
      scoreName: made.evaluation.scoreName,
      samples: best.opinion.samples.length,
      score: scoreOf(made),
      logLoss: made.evaluation.loss,
      gain: gainOver({ name: 'average', ...made.opinion }, { name: 'best', ...best.opinion }, question),
      remeasured: used.length > 1 && statisticsDiffer(used.map(({ weights }) => weights)),
      commonStart: snapshots.length > 0 || beganAlike(members),
      helps: used.length > 1 && isBetter(made, best),
    };
    if (!facts.helps) return facts;
    const folder = await writeAverage(members, made, facts, {
      out: options.out ?? 'runs',
      name: options.name ?? `${first.name.replace(/^\d{4}-\d\d-\d\d-/, '')}-average`,
      command: options.command ?? commandLine(),
    });
    return { ...facts, folder };
  } finally {
    await judge.close();
  }
}
