/**
 * Several moments of one training as members: an ensemble for the price of a single run. Its members have much in common, so it gains less
 * than as many runs would. Source: Huang et al. 2017, https://arxiv.org/abs/1704.00109
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { StateDict } from '../../nn/index.js';
import { commandLine } from '../../track/index.js';
import { type CheckpointInfo, CheckpointKeeper, loadLast } from '../checkpoint.js';
import { RunError } from '../errors.js';
import { validatedWeights } from '../recipe/select.js';
import { type EnsembleResult, type JoinOptions, settleMembers } from './join.js';
import { Judge, type JudgeOptions } from './judge.js';
import { type MemberRun, readMember } from './members.js';

/** A moment of a run that was kept. */
export interface Snapshot {
  readonly file: string;
  readonly step: number;
  /** Epochs done. */
  readonly epoch: number;
}

/** The kept moments of a run, earliest first: its best checkpoints and its last. @throws RunError when there is one only, or none */
export async function snapshotsOf(folder: string): Promise<readonly Snapshot[]> {
  const checkpoints = path.join(folder, 'checkpoints');
  const found = new Map<number, Snapshot>();
  const add = ({ file, step, epoch }: CheckpointInfo): void => void found.set(step, { file, step, epoch });
  if (existsSync(checkpoints)) {
    for (const info of await new CheckpointKeeper(checkpoints).best()) add(info);
    const { file, state } = await loadLast(checkpoints);
    if (!found.has(state.step)) add({ file, step: state.step, epoch: state.epoch });
  }
  if (found.size < 2)
    throw new RunError(
      `${folder}: ${found.size === 0 ? 'no checkpoint is kept' : 'one checkpoint only is kept'}, and several moments of the run are needed; train with --keep 5.`,
    );
  return [...found.values()].sort((a, b) => a.step - b.step);
}

/** The weights of a moment as they were validated: the moving average where there was one. */
export async function weightsAt(judge: Judge, { file }: Snapshot): Promise<StateDict> {
  return Object.fromEntries(await validatedWeights(judge.model, file));
}

/**
 * An ensemble of the kept checkpoints of one finished run. Each is asked about the validation part; nothing is trained.
 * @throws RunError when the run is unfinished or kept one checkpoint only; DataError when its data have changed
 */
export async function joinSnapshots(folder: string, options: JoinOptions & JudgeOptions = {}): Promise<EnsembleResult> {
  const run = readMember(folder);
  const snapshots = await snapshotsOf(folder);
  const judge = await Judge.open(run, options);
  const members: MemberRun[] = [];
  try {
    for (const [i, snapshot] of snapshots.entries()) {
      const name = `epoch-${snapshot.epoch}${snapshots.some((one) => one !== snapshot && one.epoch === snapshot.epoch) ? `-step-${snapshot.step}` : ''}`;
      const { weights, opinion } = await judge.ask(await weightsAt(judge, snapshot), name);
      // One training made them all.
      members.push({ ...run, ...opinion, name, weights, seconds: i === 0 ? run.seconds : 0 });
    }
  } finally {
    await judge.close();
  }
  return settleMembers(members, {
    out: options.out ?? 'runs',
    name: options.name ?? `${run.name.replace(/^\d{4}-\d\d-\d\d-/, '')}-snapshots`,
    command: options.command ?? commandLine(),
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
  });
}
