/** Training the members of an ensemble, one after the other in this process: they share the split and the cache of pictures. */
import path from 'node:path';
import { saveSplit } from '../../data/split/index.js';
import { torch } from '../../torch/index.js';
import { commandLine, gitFacts, RunFolder, readRecord } from '../../track/index.js';
import type { TrainOptions, TrainSettings } from '../config/schema.js';
import { checkSettings } from '../config/settings.js';
import { RunError } from '../errors.js';
import { stages, type TrainEvent } from '../events.js';
import { describeSplit, makeSplit, openData, requireWritable } from '../recipe/data.js';
import type { TrainPart } from '../recipe/part.js';
import type { RunResult } from '../recipe/recipe.js';
import { planOf } from '../recipe/record.js';
import { StopSignal } from '../stop.js';
import { likeThe, passing, trainWithin } from '../within.js';
import { type EnsembleResult, settleMembers } from './join.js';
import { readMember, requireAlike } from './members.js';

/** How members come to differ, beside their seeds. */
export interface MemberData {
  /** Each is trained on samples drawn with replacement, as many as there are. */
  readonly bootstrap?: boolean;
  /** Each is trained on this share of the training part, another one each. */
  readonly subsets?: number;
}

export interface TrainEnsembleOptions extends MemberData {
  readonly data: string;
  /** Any of the settings of `train()`; the seed is the first member's. */
  readonly settings?: TrainOptions;
  /** Default 5. */
  readonly members?: number;
  /** Fit a temperature to the validation part. Default true. */
  readonly temperature?: boolean;
  readonly stop?: StopSignal;
  readonly emit?: (event: TrainEvent) => void;
  /** For the record. */
  readonly command?: string;
}

type Told = Required<Pick<TrainEnsembleOptions, 'stop' | 'emit' | 'command'>>;

const toldOf = (options: Pick<TrainEnsembleOptions, 'stop' | 'emit' | 'command'>): Told => ({
  stop: options.stop ?? new StopSignal(),
  emit: options.emit ?? (() => undefined),
  command: options.command ?? commandLine(),
});

/** What a folder of an ensemble that is being trained says of it; in `run.json`. */
interface EnsembleSpec extends MemberData {
  readonly members: number;
  readonly temperature: boolean;
  readonly data: string;
}

export type TrainedEnsemble = RunResult & { readonly ensemble?: EnsembleResult };

function partOf({ bootstrap, subsets }: MemberData, seed: number): TrainPart | undefined {
  if (bootstrap === true) return { share: subsets ?? 1, seed, replacement: true };
  return subsets === undefined ? undefined : { share: subsets, seed };
}

/** Trains members that differ by their seeds, and joins them. @throws DataError, RunError, ConfigError */
export async function trainEnsemble(options: TrainEnsembleOptions): Promise<TrainedEnsemble> {
  const { members = 5 } = options;
  const told = toldOf(options);
  const { emit } = told;
  const settings = checkSettings(options.settings ?? {}, 'the settings');
  if (!Number.isInteger(members) || members < 2)
    throw new RunError(`An ensemble needs two members or more, got ${members}.`);
  const dataset = await openData(options.data, settings);
  requireWritable(settings.out);
  const split = await makeSplit(dataset, settings, (done, all) =>
    emit({ kind: 'working', stage: 'split', text: 'comparing pictures', share: all === 0 ? 1 : done / all }),
  );
  emit({ kind: 'stage', stage: 'split', text: describeSplit(split) });
  const spec: EnsembleSpec = {
    members,
    data: path.resolve(options.data),
    temperature: options.temperature !== false,
    ...(options.bootstrap === undefined ? {} : { bootstrap: options.bootstrap }),
    ...(options.subsets === undefined ? {} : { subsets: options.subsets }),
  };
  const run = await RunFolder.create(settings.out, {
    name: settings.name ?? `${dataset.name}-ensemble`,
    command: told.command,
    onWarning: (text) => emit({ kind: 'warning', text }),
    facts: {
      seed: settings.seed,
      data: { path: dataset.root, name: dataset.name, root: dataset.root, samples: dataset.length },
      split: { fingerprint: split.fingerprint },
      engine: { torch: torch.version },
      git: await gitFacts(process.cwd()),
      configuration: { settings, ensemble: spec },
    },
  });
  await saveSplit(split, run.file('split.json'));
  return trainMembers(run, spec, settings, told);
}

/** Whether a folder is that of an ensemble whose members are still to be trained. */
export const isUnfinishedEnsemble = (folder: string): boolean => {
  const { configuration, state } = readRecord(folder);
  return configuration.ensemble !== undefined && state !== 'finished';
};

/** Goes on with an ensemble that was stopped or killed: finished members are kept. @throws RunError */
export async function resumeEnsemble(
  options: Pick<TrainEnsembleOptions, 'stop' | 'emit' | 'command'> & {
    readonly folder: string;
    readonly data?: string;
  },
): Promise<TrainedEnsemble> {
  const record = readRecord(options.folder);
  const spec = record.configuration.ensemble as EnsembleSpec | undefined;
  if (spec === undefined) throw new RunError(`${options.folder} is no ensemble whose members were trained here.`);
  const told = toldOf(options);
  const run = await RunFolder.resume(options.folder, {
    command: told.command,
    onWarning: (text) => told.emit({ kind: 'warning', text }),
  });
  const settings = checkSettings(record.configuration.settings, options.folder);
  const data = options.data ?? spec.data;
  return trainMembers(run, { ...spec, data }, settings, told);
}

async function trainMembers(
  run: RunFolder,
  spec: EnsembleSpec,
  settings: TrainSettings,
  { stop, emit, command }: Told,
): Promise<TrainedEnsemble> {
  try {
    const folders: string[] = [];
    for (let i = 0; i < spec.members; i++) {
      emit({ kind: 'note', text: `member        ${i + 1} of ${spec.members}, seed ${settings.seed + i}` });
      const [first] = folders;
      const part = partOf(spec, settings.seed + i);
      const done = await trainWithin({
        name: `member-${i + 1}`,
        data: spec.data,
        // Members are asked about one and the same row.
        ...(part === undefined ? {} : { part, normaliseByAll: true }),
        settings: {
          ...settings,
          ...(first === undefined ? {} : likeThe(planOf(first))),
          seed: settings.seed + i,
          splitFile: run.file('split.json'),
          out: run.file('members'),
        },
        stop,
        emit: passing(emit, i === 0 ? stages.filter((stage) => stage !== 'split' && stage !== 'report') : ['select']),
        command,
      });
      if (done.state === 'stopped') return await stopped(run, stop, emit, i, spec.members);
      folders.push(done.folder);
      // A stop that came after the last step of a member.
      if (stop.reason !== undefined && folders.length < spec.members)
        return await stopped(run, stop, emit, folders.length, spec.members);
    }
    const ensemble = await settleMembers(requireAlike(folders.map(readMember)), {
      out: settings.out,
      command,
      run,
      temperature: spec.temperature,
    });
    const text = `Everything is in ${run.path}.`;
    emit({ kind: 'finished', folder: run.path, state: 'finished', resumable: false, text });
    return { folder: run.path, state: 'finished', score: ensemble.comparison.ensemble.score, ensemble };
  } catch (error) {
    if (run.writable) await run.end('failed', { reason: (error as Error).message });
    throw error;
  }
}

async function stopped(
  run: RunFolder,
  stop: StopSignal,
  emit: (event: TrainEvent) => void,
  done: number,
  all: number,
): Promise<TrainedEnsemble> {
  const reason = stop.reason ?? 'asked to stop';
  await run.end('stopped', { reason });
  const text = `Stopped (${reason}) with ${done} of ${all} members finished; everything is saved.`;
  emit({ kind: 'finished', folder: run.path, state: 'stopped', resumable: true, text });
  return { folder: run.path, state: 'stopped' };
}
