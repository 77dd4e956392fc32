/**
 * Which remedy helps here? A baseline and one change at a time, on one split, from the same seeds, with successive halving. Everything is in
 * one folder; killed, it goes on and ends the same, since what is trained next follows from what is finished and from nothing else.
 * Source of the halving: Jamieson & Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization" (2016), with seeds as
 * the resource: what is stopped early by epochs would speak against every remedy that learns slowly.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { saveSplit } from '../../data/split/index.js';
import { commandLine, gitFacts, RunFolder, readRecord, secondsOf } from '../../track/index.js';
import type { TrainOptions, TrainSettings } from '../config/schema.js';
import { checkSettings } from '../config/settings.js';
import { mostProbable } from '../ensemble/compare.js';
import { readOpinion } from '../ensemble/members.js';
import { RunError } from '../errors.js';
import type { TrainEvent } from '../events.js';
import { describeSplit, makeSplit, openData, requireWritable } from '../recipe/data.js';
import type { RunResult } from '../recipe/recipe.js';
import { planOf } from '../recipe/record.js';
import { StopSignal } from '../stop.js';
import { likeThe, passing, trainWithin } from '../within.js';
import { type Change, costFactor, usualChanges } from './changes.js';
import { gainsOf, type Outcome, type Pair } from './gain.js';
import { type AblationResult, type AblationRow, writeAblation } from './result.js';
import { costOfRounds, type Round, roundsFor, seedsFor } from './schedule.js';

export interface AblateOptions {
  readonly data: string;
  /** The baseline: any of the settings of `train()`; its seed is the first. */
  readonly settings?: TrainOptions;
  /** What to try. Default: what `usualChanges` gives for the baseline. */
  readonly changes?: readonly Change[];
  /** Of the default changes, those whose kind or name is here. */
  readonly only?: readonly string[];
  /** Minutes for all trainings together, as far as the first one tells; decides the seeds. Default: none. */
  readonly budget?: number;
  /** Seeds of the changes that stay to the end. Default: what fits the budget, or 3. */
  readonly seeds?: number;
  readonly stop?: StopSignal;
  readonly emit?: (event: TrainEvent) => void;
  /** For the record. */
  readonly command?: string;
}

/** What the folder of an ablation says of it; in `run.json`. Without `rounds` the first baseline is still to be trained. */
interface AblationSpec {
  readonly data: string;
  readonly budget?: number;
  readonly wanted?: number;
  readonly given?: readonly Change[];
  readonly only?: readonly string[];
  readonly changes?: readonly Change[];
  readonly rounds?: readonly Round[];
}

export type Ablated = RunResult & { readonly ablation?: AblationResult };

type Told = Required<Pick<AblateOptions, 'stop' | 'emit' | 'command'>>;

const toldOf = (options: Pick<AblateOptions, 'stop' | 'emit' | 'command'>): Told => ({
  stop: options.stop ?? new StopSignal(),
  emit: options.emit ?? (() => undefined),
  command: options.command ?? commandLine(),
});

/** A training of a usual ablation has about this share of the budget. */
const usualTrainings = 30;

/** Runs an ablation. @throws DataError, RunError, ConfigError */
export async function ablate(options: AblateOptions): Promise<Ablated> {
  const told = toldOf(options);
  const { emit } = told;
  const { budget, only, changes, seeds } = options;
  if (seeds !== undefined && (!Number.isInteger(seeds) || seeds < 2))
    throw new RunError(`An ablation needs two seeds or more to tell what is noise, got ${seeds}.`);
  const given = options.settings ?? {};
  const settings = checkSettings(
    // With epochs left to the recipe, they are as many as leave time for the others.
    budget === undefined || (given.epochs ?? 'auto') !== 'auto' || given.budget !== undefined
      ? given
      : { ...given, budget: Math.max(0.05, budget / usualTrainings) },
    'the settings',
  );
  const dataset = await openData(options.data, settings);
  requireWritable(settings.out);
  const split = await makeSplit(dataset, settings, (done, all) =>
    emit({ kind: 'working', stage: 'split', text: 'comparing pictures', share: all === 0 ? 1 : done / all }),
  );
  emit({ kind: 'stage', stage: 'split', text: describeSplit(split) });
  const spec: AblationSpec = {
    data: path.resolve(options.data),
    ...(budget === undefined ? {} : { budget }),
    ...(seeds === undefined ? {} : { wanted: seeds }),
    ...(changes === undefined ? {} : { given: changes }),
    ...(only === undefined ? {} : { only }),
  };
  const run = await RunFolder.create(settings.out, {
    name: settings.name ?? `${dataset.name}-ablation`,
    command: told.command,
    onWarning: (text) => emit({ kind: 'warning', text }),
    facts: {
      seed: settings.seed,
      data: { path: dataset.root, name: dataset.name, root: dataset.root, samples: dataset.length },
      split: { fingerprint: split.fingerprint },
      git: await gitFacts(process.cwd()),
      configuration: { settings, ablation: spec },
    },
  });
  await saveSplit(split, run.file('split.json'));
  return work(run, spec, settings, told);
}

/** Whether a folder is that of an ablation that is not finished. */
export const isUnfinishedAblation = (folder: string): boolean => {
  const { configuration, state } = readRecord(folder);
  return configuration.ablation !== undefined && state !== 'finished';
};

/** Goes on with an ablation that was stopped or killed: finished trainings are kept. @throws RunError */
export async function resumeAblation(
  options: Pick<AblateOptions, 'stop' | 'emit' | 'command'> & { readonly folder: string; readonly data?: string },
): Promise<Ablated> {
  const record = readRecord(options.folder);
  const spec = record.configuration.ablation as AblationSpec | undefined;
  if (spec === undefined) throw new RunError(`${options.folder} is no ablation; praxis ablate makes one.`);
  const told = toldOf(options);
  const run = await RunFolder.resume(options.folder, {
    command: told.command,
    onWarning: (text) => told.emit({ kind: 'warning', text }),
  });
  const settings = checkSettings(record.configuration.settings, options.folder);
  return work(run, { ...spec, data: options.data ?? spec.data }, settings, told);
}

/** Thrown to leave all loops when a training was stopped. */
class Stopped extends Error {}

/** Trains what is not trained yet, in an order that what is finished decides. */
async function work(run: RunFolder, spec: AblationSpec, settings: TrainSettings, told: Told): Promise<Ablated> {
  const { stop, emit, command } = told;
  const train = async (name: string, change: TrainOptions, seed: number): Promise<string> => {
    const done = await trainWithin({
      name: `${name}, seed ${seed}`,
      data: spec.data,
      settings: checkSettings(
        { ...settings, ...change, seed, splitFile: run.file('split.json'), out: run.file('trainings') },
        name,
      ),
      stop,
      emit: passing(emit, []),
      command,
    });
    if (done.state === 'stopped') throw new Stopped();
    // It was trained to be measured.
    rmSync(path.join(done.folder, 'model.safetensors'), { force: true });
    return done.folder;
  };
  try {
    const { seed } = settings;
    emit({ kind: 'note', text: `baseline      seed ${seed}` });
    const first = await train('baseline', {}, seed);
    // From its record and not from a clock here: a kill at this moment changes nothing.
    const seconds = secondsOf(readRecord(first), false);
    const plan = planOf(first);
    const settled = spec.rounds === undefined ? settle(spec, first, settings, seconds) : spec;
    const { changes = [], rounds = [] } = settled;
    if (spec.rounds === undefined) await run.update({ configuration: { settings, ablation: settled } });
    emit({
      kind: 'note',
      text: `changes       ${changes.length}, ${rounds.map((round) => `${round.changes} with ${round.seeds} seeds`).join(', then ')}`,
    });
    const like = likeThe(plan);
    // A change of its own goes before what the baseline measured.
    const outcome = async (change: Change | undefined, at: number): Promise<Outcome> => {
      const folder =
        change === undefined && at === 0
          ? first
          : await train(change?.name ?? 'baseline', { ...like, ...change?.settings }, seed + at);
      return outcomeOf(folder);
    };
    const bases: Outcome[] = [];
    const pairs = new Map<Change, Pair[]>(changes.map((change) => [change, []]));
    let staying = changes;
    for (const [round, { changes: count, seeds }] of rounds.entries()) {
      if (round > 0) {
        const gains = gainsOf(staying.map((change) => pairs.get(change) as Pair[]));
        const order = staying.map((_, i) => i).sort((a, b) => gainAt(gains, b) - gainAt(gains, a) || a - b);
        const kept = new Set(order.slice(0, count));
        staying = staying.filter((_, i) => kept.has(i));
      }
      for (let at = bases.length; at < seeds; at++) bases.push(await outcome(undefined, at));
      for (const change of staying) {
        const own = pairs.get(change) as Pair[];
        for (let at = own.length; at < seeds; at++) {
          const changed = await outcome(change, at);
          const base = bases[at] as Outcome;
          own.push({ seed: seed + at, base, changed });
          const points = 100 * (changed.score - base.score);
          emit({
            kind: 'note',
            text: `  round ${round + 1}  ${change.name}, seed ${seed + at}: ${points < 0 ? '' : '+'}${points.toFixed(1)} points`,
          });
        }
      }
    }
    const gains = gainsOf(changes.map((change) => pairs.get(change) as Pair[]));
    const rows = changes.map((change, i): AblationRow => {
      const own = pairs.get(change) as Pair[];
      return { ...change, ...(gains[i] as (typeof gains)[number]), scores: own.map(({ changed }) => changed.score) };
    });
    const result = await writeAblation(run, { rows, bases, plan, settings });
    const text = `Everything is in ${run.path}: ablation.json, ablation.svg, best.config.json.`;
    emit({ kind: 'finished', folder: run.path, state: 'finished', resumable: false, text });
    return { folder: run.path, state: 'finished', ablation: result };
  } catch (error) {
    if (!(error instanceof Stopped)) {
      if (run.writable) await run.end('failed', { reason: (error as Error).message });
      throw error;
    }
    const reason = stop.reason ?? 'asked to stop';
    await run.end('stopped', { reason });
    const text = `Stopped (${reason}); every training so far is saved.`;
    emit({ kind: 'finished', folder: run.path, state: 'stopped', resumable: true, text });
    return { folder: run.path, state: 'stopped' };
  }
}

const gainAt = (gains: readonly { readonly value: number }[], place: number): number =>
  (gains[place] as { value: number }).value;

/** Decides once what is tried and with how many seeds; from then on it stands in the record. */
function settle(spec: AblationSpec, baseline: string, settings: TrainSettings, seconds: number): AblationSpec {
  const plan = planOf(baseline);
  const usual = spec.given ?? usualChanges(plan, { ...settings, augment: augmentOf(baseline, settings) });
  const { only } = spec;
  const changes =
    only === undefined ? usual : usual.filter(({ kind, name }) => only.includes(kind) || only.includes(name));
  if (changes.length === 0)
    throw new RunError(
      `There is nothing to try: ${only === undefined ? 'no changes were given' : `none of ${only.join(', ')} is among ${usual.map(({ name }) => name).join(', ')}`}.`,
    );
  const factors = changes.map((change) => costFactor(change, plan));
  const trainings = spec.budget === undefined ? Number.POSITIVE_INFINITY : (60 * spec.budget) / seconds;
  const seeds = spec.wanted ?? (spec.budget === undefined ? 3 : seedsFor(factors, trainings));
  const rounds = roundsFor(changes.length, seeds);
  if (spec.budget !== undefined && costOfRounds(rounds, factors) > 1.5 * trainings && spec.wanted === undefined)
    throw new RunError(
      `A training takes ${Math.round(seconds)} s, and ${changes.length} changes with two seeds about ${Math.round((costOfRounds(rounds, factors) * seconds) / 60)} minutes: give more time (--budget), fewer epochs (--epochs) or fewer changes (--only).`,
    );
  return { ...spec, changes, rounds };
}

/** The augmentation preset that the baseline had, whoever chose it. */
function augmentOf(baseline: string, settings: TrainSettings): string {
  const { choices } = readRecord(baseline).configuration as {
    choices?: readonly { setting: string; value: unknown }[];
  };
  const chosen = choices?.find(({ setting }) => setting === 'augment')?.value;
  return settings.augment === 'auto' && typeof chosen === 'string' ? chosen : settings.augment;
}

/** What a finished training came to. */
function outcomeOf(folder: string): Outcome {
  const plan = planOf(folder);
  const score = readRecord(folder).result?.score;
  if (typeof score !== 'number') throw new RunError(`${folder}: its record holds no score; remove it and go on.`);
  if (plan.data.multiLabel) return { score, right: [] };
  const classes = plan.data.classes.length;
  const { probabilities, target, samples } = readOpinion(folder, classes);
  const named = mostProbable(probabilities, classes);
  // In one order for all, whatever order they were validated in.
  const order = samples.map((_, i) => i).sort((a, b) => ((samples[a] as string) < (samples[b] as string) ? -1 : 1));
  return { score, right: Uint8Array.from(order, (i) => (named[i] === target[i] ? 1 : 0)) };
}
