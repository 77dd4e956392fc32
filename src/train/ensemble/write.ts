/** An ensemble's folder: a run folder whose network is several. Everything that reads a run reads it. */
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { readSplitFile } from '../../data/split/file.js';
import type { StateDict } from '../../nn/index.js';
import { type Tensor, torch } from '../../torch/index.js';
import { gitFacts, RunFolder, readRecord, writeFileAtomic } from '../../track/index.js';
import type { TrainPlan } from '../plan.js';
import type { EnsemblePlan } from './classifier.js';
import { type EnsembleComparison, reportOf } from './compare.js';
import { type MemberRun, writeOpinions } from './members.js';

/** The file that says what the members are and what their mean gains; not in other run folders. */
export const ensembleFile = 'ensemble.json';

/** The file that says who taught a run; not in other run folders. */
export const studentFile = 'student.json';

/** What stands in `ensemble.json`. */
export interface EnsembleFacts {
  readonly format: 'praxis-ensemble';
  readonly version: 1;
  readonly members: readonly {
    readonly name: string;
    /** Its own record, relative to the ensemble's folder. */
    readonly folder: string;
    readonly seed: number;
    readonly model: string;
    readonly weight: number;
    readonly parameters: number;
    readonly multiplyAdds: number;
    readonly seconds: number;
  }[];
  readonly comparison: EnsembleComparison;
  readonly cost: EnsembleCost;
}

export interface EnsembleCost {
  readonly parameters: number;
  /** Per sample. */
  readonly multiplyAdds: number;
  /** Of all trainings. */
  readonly seconds: number;
  /** How many times the multiply-adds of a member, on average. */
  readonly times: number;
}

export interface WriteEnsembleOptions {
  readonly out: string;
  readonly name?: string | undefined;
  readonly command: string;
  /** A folder that was made for it, with its members; a new one by default. */
  readonly run?: RunFolder;
}

/** The plan of the whole: the first member's, with all networks in it. */
export function ensemblePlan(members: readonly MemberRun[], temperature: number): TrainPlan {
  const [first] = members as readonly [MemberRun, ...MemberRun[]];
  const own = JSON.stringify(first.plan.data.statistics);
  const ensemble: EnsemblePlan = {
    temperature,
    members: members.map(({ name, plan }) => ({
      name,
      model: plan.model,
      weight: 1 / members.length,
      ...(plan.data.statistics === undefined || JSON.stringify(plan.data.statistics) === own
        ? {}
        : { statistics: plan.data.statistics }),
    })),
  };
  const { classes } = first.plan.data;
  return { ...first.plan, model: { name: 'ensemble', options: { classes: classes.length } }, ensemble };
}

const readWeights = async (file: string): Promise<StateDict> => (await torch.load(file)) as Record<string, Tensor>;

/** The weights of all members under the names of the whole. */
async function weightsOf(members: readonly MemberRun[]): Promise<StateDict> {
  const all: Record<string, Tensor> = {};
  for (const [i, { weights }] of members.entries())
    for (const [name, tensor] of Object.entries(typeof weights === 'string' ? await readWeights(weights) : weights))
      all[`members.${i}.${name}`] = tensor;
  return all;
}

export const costOf = (members: readonly MemberRun[]): EnsembleCost => {
  const sum = (field: 'parameters' | 'multiplyAdds' | 'seconds') => members.reduce((all, one) => all + one[field], 0);
  return {
    parameters: sum('parameters'),
    multiplyAdds: sum('multiplyAdds'),
    seconds: sum('seconds'),
    times: members.length,
  };
};

/** What a member's own folder keeps within the ensemble: its record and what it said, not its weights again. */
const keptOfMember = ['run.json', 'result.json', 'metrics.jsonl', 'validation.jsonl', 'training.jsonl'];
/** The same of a moment of a run: what came of the run itself is of other weights. */
const keptOfMoment = ['run.json', 'metrics.jsonl'];

/** The split file with the longest record of its seal: a test part that a member has seen is seen. */
export async function sourceOfSplit(members: readonly Pick<MemberRun, 'folder'>[]): Promise<string | undefined> {
  let found: { file: string; uses: number } | undefined;
  for (const { folder } of members) {
    const file = path.join(folder, 'split.json');
    if (!existsSync(file)) continue;
    const uses = (await readSplitFile(file)).seal.length;
    if (found === undefined || uses > found.uses) found = { file, uses };
  }
  return found?.file;
}

/** Split files of the members that lie in an ensemble's own folder; none for a run. */
export function memberSplits(folder: string): string[] {
  const inside = path.join(folder, 'members');
  if (!existsSync(path.join(folder, ensembleFile)) || !existsSync(inside)) return [];
  return readdirSync(inside)
    .map((name) => path.join(inside, name, 'split.json'))
    .filter((file) => existsSync(file));
}

/** Writes the folder. */
export async function writeEnsemble(
  members: readonly MemberRun[],
  compared: EnsembleComparison & { readonly probabilities: Float64Array },
  options: WriteEnsembleOptions,
): Promise<string> {
  const [first] = members as readonly [MemberRun, ...MemberRun[]];
  const { probabilities, ...comparison } = compared;
  const plan = ensemblePlan(members, comparison.calibration.temperature);
  const record = readRecord(first.folder);
  const kinds = [...new Set(members.map((member) => member.plan.model.name))];
  const cost = costOf(members);
  const facts = {
    seed: first.plan.seed,
    ...(record.data === undefined ? {} : { data: record.data }),
    ...(record.split === undefined ? {} : { split: record.split }),
    ...(record.engine === undefined ? {} : { engine: record.engine }),
    git: await gitFacts(process.cwd()),
    model: {
      name: `${members.length} × ${kinds.join(', ')}`,
      parameters: cost.parameters,
      multiplyAdds: cost.multiplyAdds,
    },
  };
  const configuration = {
    settings: record.configuration.settings,
    plan,
    choices: [],
    // So that a kill from here on can be mended by going on.
    ...(options.run === undefined ? {} : { ensemble: options.run.record.configuration.ensemble }),
  };
  const run =
    options.run ??
    (await RunFolder.create(options.out, {
      name: options.name ?? `${first.plan.data.name}-ensemble`,
      command: options.command,
      facts,
    }));
  try {
    if (options.run !== undefined) await run.update({ ...facts, configuration });
    const split = await sourceOfSplit(members);
    if (split !== undefined && path.resolve(split) !== run.file('split.json'))
      copyFileSync(split, run.file('split.json'));
    for (const name of ['normalisation.json', 'normalisation.svg', 'findings.json'])
      if (existsSync(path.join(first.folder, name))) copyFileSync(path.join(first.folder, name), run.file(name));
    const folders: string[] = [];
    for (const [i, member] of members.entries()) {
      const { folder, name, weights } = member;
      const inside = path.relative(run.path, folder);
      if (!inside.startsWith('..') && !path.isAbsolute(inside)) {
        folders.push(inside);
        continue;
      }
      const own = path.join('members', `${i + 1}-${name}`);
      mkdirSync(run.file(own), { recursive: true });
      for (const file of typeof weights === 'string' ? keptOfMember : keptOfMoment)
        if (existsSync(path.join(folder, file))) copyFileSync(path.join(folder, file), run.file(own, file));
      // What its run said is of other weights.
      if (typeof weights !== 'string') await writeOpinions(run.file(own, 'validation.jsonl'), member);
      folders.push(own);
    }
    await torch.save(await weightsOf(members), run.file('model.safetensors'));
    const ensemble: EnsembleFacts = {
      format: 'praxis-ensemble',
      version: 1,
      members: members.map((member, i) => ({
        name: member.name,
        folder: folders[i] as string,
        seed: member.plan.seed,
        model: member.plan.model.name,
        weight: 1 / members.length,
        parameters: member.parameters,
        multiplyAdds: member.multiplyAdds,
        seconds: member.seconds,
      })),
      comparison,
      cost,
    };
    await writeFileAtomic(run.file(ensembleFile), `${JSON.stringify(ensemble, null, 2)}\n`);
    await writeOpinion(run, first, probabilities, comparison);
    const { score } = comparison.ensemble;
    // Only now where nothing was trained here: a folder with a plan that a kill left half-written could be gone on with.
    await run.update({ configuration, best: { metric: `validation ${comparison.scoreName}`, value: score, step: 0 } });
    await run.end('finished', {
      result: {
        metric: `validation ${comparison.scoreName}`,
        score,
        loss: comparison.calibration.logLossAfter,
        members: members.length,
        seconds: cost.seconds,
        gainOverMean: comparison.overMean,
        gainOverBest: comparison.overBest,
      },
    });
    return run.path;
  } catch (error) {
    if (run.writable) await run.end('failed', { reason: (error as Error).message });
    throw error;
  }
}

/** What the mean said of each validation sample, in the form in which every run keeps it. */
async function writeOpinion(
  run: RunFolder,
  first: MemberRun,
  probabilities: Float64Array,
  comparison: EnsembleComparison,
): Promise<void> {
  const { classes, multiLabel } = first.plan.data;
  await writeOpinions(run.file('validation.jsonl'), { ...first, probabilities });
  const report = reportOf(probabilities, { classes: classes.length, target: first.target, multiLabel });
  const result = {
    metric: comparison.scoreName,
    score: comparison.ensemble.score,
    loss: comparison.calibration.logLossAfter,
    validation: report,
    members: comparison.members.length,
    splitFingerprint: first.splitFingerprint,
  };
  await writeFileAtomic(run.file('result.json'), `${JSON.stringify(result, null, 2)}\n`);
}
