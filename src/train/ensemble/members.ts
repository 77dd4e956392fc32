/** Finished runs as members of an ensemble: what they are, what they said of the validation pictures, and whether they go together. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { StateDict } from '../../nn/index.js';
import { readRecord, writeFileAtomic } from '../../track/index.js';
import { RunError } from '../errors.js';
import type { TrainPlan } from '../plan.js';
import type { Question } from './compare.js';

/** A finished run, read. */
export interface MemberRun {
  /** Absolute. */
  readonly folder: string;
  readonly name: string;
  readonly plan: TrainPlan;
  readonly splitFingerprint: string;
  readonly probabilities: Float64Array;
  readonly target: Question['target'];
  /** Names of the validation samples. */
  readonly samples: readonly string[];
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** Of its training. */
  readonly seconds: number;
  /** The file of its weights, or for a moment of a run, which has none of its own, the weights. */
  readonly weights: string | StateDict;
}

/** One line of `validation.jsonl`. */
interface Line {
  readonly name: string;
  readonly target: number | readonly number[];
  readonly probabilities: readonly number[];
}

/** What a run's chosen weights said of each validation sample. @throws RunError */
export function readOpinion(folder: string, classes: number): Pick<MemberRun, 'probabilities' | 'target' | 'samples'> {
  const file = path.join(folder, 'validation.jsonl');
  let lines: Line[];
  try {
    lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  } catch (error) {
    throw new RunError(
      existsSync(file)
        ? `${file} cannot be read (${(error as Error).message.split('\n')[0]}); restore it from a copy, or train the run anew.`
        : `${folder}: there is no validation.jsonl yet; finish the run first (praxis resume ${folder}).`,
      { cause: error },
    );
  }
  const probabilities = new Float64Array(lines.length * classes);
  for (const [row, line] of lines.entries()) {
    if (line.probabilities?.length !== classes)
      throw new RunError(`${file}: line ${row + 1} does not hold ${classes} probabilities; restore it from a copy.`);
    probabilities.set(line.probabilities, row * classes);
  }
  return { probabilities, target: lines.map((line) => line.target), samples: lines.map((line) => line.name) };
}

/** Writes what weights said of each validation sample, in the form in which every run keeps it. */
export async function writeOpinions(
  file: string,
  { samples, target, probabilities }: Pick<MemberRun, 'probabilities' | 'target' | 'samples'>,
): Promise<void> {
  const classes = probabilities.length / samples.length;
  const rows = samples.map((name, row) => ({
    name,
    target: target[row],
    probabilities: [...probabilities.subarray(row * classes, (row + 1) * classes)].map((p) => Number(p.toPrecision(7))),
  }));
  await writeFileAtomic(file, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
}

/** Reads a finished run. @throws RunError when it is not finished, or was given its model as an object */
export function readMember(folder: string): MemberRun {
  const place = path.resolve(folder);
  const record = readRecord(folder);
  const plan = record.configuration.plan as TrainPlan | undefined;
  const weights = path.join(place, 'model.safetensors');
  if (plan === undefined || record.state !== 'finished' || !existsSync(weights))
    throw new RunError(
      `${folder}: this run is not finished (${record.state}); finish it first (praxis resume ${folder}).`,
    );
  if (plan.ensemble !== undefined)
    throw new RunError(`${folder} is an ensemble already; name its members, or runs, to make another.`);
  if (plan.contrastive !== undefined)
    throw new RunError(`${folder}: this run learned without labels, so there is nothing that it says of pictures.`);
  if (plan.model.name === '')
    throw new RunError(
      `${folder}: this run was given its model as an object, which an ensemble's folder cannot hold; use EnsembleClassifier.`,
    );
  const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
  return {
    folder: place,
    name: path.basename(place),
    plan,
    splitFingerprint: String(record.split?.fingerprint ?? ''),
    ...readOpinion(place, plan.data.classes.length),
    parameters: number(record.model?.parameters),
    multiplyAdds: number(record.model?.multiplyAdds),
    seconds: number(record.result?.seconds),
    weights,
  };
}

/** What normalises rows, without what differs between equal ones; empty for pictures. */
function rowsOf(member: MemberRun): string {
  const file = path.join(member.folder, 'normalisation.json');
  return member.plan.data.form === undefined && existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/**
 * The members in the order of the first's samples.
 * @throws RunError in one sentence for the first two that do not go together
 */
export function requireAlike(members: readonly MemberRun[]): readonly MemberRun[] {
  const [first] = members;
  if (first === undefined) throw new RunError('An ensemble needs runs to join.');
  const seen = new Map<string, string>();
  return members.map((member) => {
    const { plan } = member;
    const differ = (what: string, remedy: string): never => {
      throw new RunError(`${member.name} and ${first.name} ${what}; ${remedy}.`);
    };
    if (seen.has(member.folder)) throw new RunError(`${member.folder} is named twice; each member counts once.`);
    seen.set(member.folder, member.name);
    if (plan.data.classes.join('\n') !== first.plan.data.classes.join('\n'))
      differ('tell different classes apart', 'only models of the same classes can be averaged');
    if (plan.data.multiLabel !== first.plan.data.multiLabel)
      differ('differ in whether a sample has one label or several', 'only like models can be averaged');
    if (member.splitFingerprint !== first.splitFingerprint)
      differ(
        'were trained on different splits, so one may have trained on what the other validates on',
        'train them with the same --split-file',
      );
    const forms = [plan, first.plan].map(({ data: { form } }) =>
      form === undefined ? 'rows' : `${form.width}×${form.height} pixels, ${form.fit}, ${form.channels} channels`,
    );
    if (forms[0] !== forms[1])
      differ(
        `take different input (${forms[0]}; ${forms[1]})`,
        'train them with the same --size, --fit and --channels',
      );
    if (rowsOf(member) !== rowsOf(first))
      differ('normalise their rows differently', 'train them anew, with the same --split-file');
    return member === first ? member : inOrderOf(first, member);
  });
}

/** A member with its samples in the order of another's. */
function inOrderOf(first: MemberRun, member: MemberRun): MemberRun {
  const classes = first.plan.data.classes.length;
  const rowOf = new Map(member.samples.map((name, row) => [name, row]));
  const probabilities = new Float64Array(first.probabilities.length);
  for (const [row, name] of first.samples.entries()) {
    const own = rowOf.get(name);
    if (own === undefined || member.samples.length !== first.samples.length)
      throw new RunError(
        `${member.name} and ${first.name} validated on different samples (${name}); a picture may have been unreadable in one: train it anew.`,
      );
    probabilities.set(member.probabilities.subarray(own * classes, (own + 1) * classes), row * classes);
  }
  return { ...member, probabilities, target: first.target, samples: first.samples };
}
