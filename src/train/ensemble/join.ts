/** Joining finished runs: nothing is trained, and no picture is read. */
import { commandLine } from '../../track/index.js';
import { RunError } from '../errors.js';
import { compareEnsemble, type EnsembleComparison } from './compare.js';
import { type MemberRun, readMember, requireAlike } from './members.js';
import { costOf, type EnsembleCost, type WriteEnsembleOptions, writeEnsemble } from './write.js';

export interface JoinOptions {
  /** Where the ensemble's folder is made. Default `runs`. */
  readonly out?: string;
  readonly name?: string;
  /** Fit a temperature to the validation part. Default true. */
  readonly temperature?: boolean;
  /** For the record. */
  readonly command?: string;
}

export interface EnsembleResult {
  readonly folder: string;
  readonly comparison: EnsembleComparison;
  readonly cost: EnsembleCost;
}

/**
 * An ensemble of finished runs that share split, classes and input. The mean of their probabilities is compared with each of them on the
 * validation part, by what each run said of it when it ended.
 * @throws RunError when runs are unfinished or do not go together
 */
export async function joinRuns(folders: readonly string[], options: JoinOptions = {}): Promise<EnsembleResult> {
  if (folders.length < 2)
    throw new RunError(
      `An ensemble of finished runs needs at least two of them, got ${folders.length === 0 ? 'none' : folders[0]}; --snapshots joins the checkpoints of one.`,
    );
  const members = requireAlike(folders.map(readMember));
  return settleMembers(members, {
    out: options.out ?? 'runs',
    name: options.name,
    command: options.command ?? commandLine(),
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
  });
}

/** Compares members that go together, and writes the folder. */
export async function settleMembers(
  members: readonly MemberRun[],
  options: WriteEnsembleOptions & { readonly temperature?: boolean },
): Promise<EnsembleResult> {
  const [first] = members as readonly [MemberRun, ...MemberRun[]];
  const { classes, multiLabel } = first.plan.data;
  const compared = compareEnsemble(
    members,
    { classes: classes.length, target: first.target, multiLabel },
    { temperature: options.temperature !== false },
  );
  const folder = await writeEnsemble(members, compared, options);
  const { probabilities: _, ...comparison } = compared;
  return { folder, comparison, cost: costOf(members) };
}
