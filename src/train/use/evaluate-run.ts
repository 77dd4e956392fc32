/** A finished run measured on other data: classes matched by name, and whatever makes the figure less true said. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { openSource } from '../../data/open-source.js';
import { locationOf, nameOf } from '../../data/sources/sealing.js';
import { subset } from '../../data/sources/subset.js';
import { readSplitFile } from '../../data/split/file.js';
import type { Dataset, Part } from '../../data/types.js';
import { evaluationLoader } from '../build.js';
import { RunError } from '../errors.js';
import { type Evaluation, evaluate } from '../evaluate.js';
import type { Interval } from '../metrics.js';
import type { LoadedRun } from '../predict.js';
import { readier } from '../recipe/rows.js';
import { relabelled } from './relabel.js';

export interface EvalOptions {
  /**
   * Leave out samples that the run was trained or validated on. Default false: they are counted, and told. Those of its sealed test part are
   * always left out.
   */
  readonly onlyNew?: boolean;
  /** Samples in a batch. Default 64. */
  readonly batchSize?: number;
  readonly onBatch?: (done: number, all: number) => void;
}

/** Samples of the data that the run knows already. */
export interface KnownSamples {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

export interface EvalResult {
  readonly score: number;
  readonly scoreName: Evaluation['scoreName'];
  readonly loss: number;
  /** 95 %: Wilson's for the accuracy, from 1,000 bootstrap samples for the others; none for multi-label data. */
  readonly intervals: Readonly<Record<string, Interval>>;
  /** In the order of the run's classes. */
  readonly report: Evaluation['report'];
  readonly samples: number;
  readonly classes: readonly string[];
  /** By content. */
  readonly known: KnownSamples;
  /** Samples that could not be read, are of the sealed test part, or of a class that the run does not know. */
  readonly leftOut: number;
  /** What makes the figures less true, or is worth knowing: a sentence each. */
  readonly notes: readonly string[];
}

async function contentHash(dataset: Dataset, index: number): Promise<string | undefined> {
  const hash = createHash('sha256');
  if (dataset.kind === 'text') return hash.update(dataset.text(index)).digest('base64');
  if (dataset.kind === 'table') {
    const cells = dataset.columns.map((_, column) => dataset.cell(index, column));
    return hash.update(JSON.stringify(cells)).digest('base64');
  }
  if (dataset.kind !== 'pictures') return undefined;
  const location = locationOf(dataset, index);
  try {
    if (location.kind === 'file') return hash.update(await readFile(location.path)).digest('base64');
  } catch {
    // The loader will name it.
  }
  return undefined;
}

/** Hashes of samples, some at a time. */
async function hashes(dataset: Dataset, indices: readonly number[]): Promise<(string | undefined)[]> {
  const found = new Array<string | undefined>(indices.length);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < indices.length; i = next++) found[i] = await contentHash(dataset, indices[i] as number);
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return found;
}

/** Which samples of the data the run knows, and from which of its parts. */
async function knownOf(run: LoadedRun, dataset: Dataset): Promise<{ parts: Map<number, Part>; note?: string }> {
  const file = path.join(run.folder, 'split.json');
  const source = run.plan.data.path;
  if (!existsSync(file)) return { parts: new Map() };
  const split = await readSplitFile(file);
  const partOf = new Map<string, Part>();
  for (const part of ['train', 'validation', 'test'] as const)
    for (const name of split.parts[part]) partOf.set(name, part);
  const parts = new Map<number, Part>();
  const every = Array.from({ length: dataset.length }, (_, i) => i);
  if (source !== '' && path.resolve(source) === dataset.root) {
    // The very data of the run: names are enough.
    for (const i of every) {
      const part = partOf.get(nameOf(dataset, i));
      if (part !== undefined) parts.set(i, part);
    }
    return { parts };
  }
  let own: Dataset;
  try {
    own = await openSource(source);
  } catch {
    return {
      parts,
      note: `The run's own data (${source === '' ? 'given as an object' : source}) are not there, so it cannot be said whether some of these were trained on.`,
    };
  }
  if (own.kind !== dataset.kind) return { parts };
  const theirs = await hashes(
    own,
    Array.from({ length: own.length }, (_, i) => i),
  );
  const partOfContent = new Map<string, Part>();
  for (const [i, hash] of theirs.entries()) {
    const part = partOf.get(nameOf(own, i));
    if (hash !== undefined && part !== undefined) partOfContent.set(hash, part);
  }
  for (const [i, hash] of (await hashes(dataset, every)).entries()) {
    const part = hash === undefined ? undefined : partOfContent.get(hash);
    if (part !== undefined) parts.set(i, part);
  }
  return { parts };
}

const some = (count: number, noun: string): string =>
  `${count.toLocaleString('en-GB')} ${noun}${count === 1 ? '' : 's'}`;
const listed = (names: readonly string[]): string =>
  names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', ');

/** What is to be said of samples that the run knows. */
function knownNotes(known: KnownSamples, noun: string, onlyNew: boolean): string[] {
  const are = (count: number): string => `${some(count, noun)} ${count === 1 ? 'is' : 'are'}`;
  const verb = onlyNew ? 'left out' : 'counted here';
  const notes: string[] = [];
  if (known.train > 0)
    notes.push(
      `${are(known.train)} in the run's training part (${verb}): ${onlyNew ? 'a network knows those' : 'the figures are better than the model is; leave them out with onlyNew (--only-new)'}.`,
    );
  if (known.validation > 0)
    notes.push(`${are(known.validation)} in its validation part (${verb}), by which its weights were chosen.`);
  if (known.test > 0)
    notes.push(
      `${are(known.test)} in its sealed test part (left out): praxis test measures on ${known.test === 1 ? 'it' : 'them'}, once, and writes it down.`,
    );
  return notes;
}

/** @internal `LoadedRun.evaluate` */
export async function evaluateRun(run: LoadedRun, data: string | Dataset, options: EvalOptions): Promise<EvalResult> {
  const dataset = typeof data === 'string' ? await openSource(path.resolve(data)) : data;
  const { classes } = run;
  const noun = run.kind;
  const wanted = { picture: 'pictures', row: 'table', text: 'text' }[noun];
  if (dataset.kind !== wanted && !(noun === 'row' && dataset.kind === 'tensors'))
    throw new RunError(`${dataset.root} holds ${dataset.kind}, and the run was trained on ${noun}s.`);
  if (dataset.multiLabel !== run.multiLabel)
    throw new RunError(
      `${dataset.root}: its samples have ${dataset.multiLabel ? 'any number of labels' : 'one label each'}, and those of the run ${run.multiLabel ? 'any number' : 'one'}.`,
    );
  const strange = dataset.classes.filter((name) => !classes.includes(name));
  const absent = classes.filter((name) => !dataset.classes.includes(name));
  if (strange.length === dataset.classes.length)
    throw new RunError(
      `${dataset.root}: none of its classes (${listed(dataset.classes)}) is one of the run's (${listed(classes)}); classes are matched by name.`,
    );
  const every = Array.from({ length: dataset.length }, (_, i) => i);
  const fitting = every.filter((i) =>
    dataset.labels(i).every((label) => classes.includes(dataset.classes[label] as string)),
  );
  const { parts, note } = await knownOf(run, dataset);
  const count = (part: Part): number => fitting.filter((i) => parts.get(i) === part).length;
  const known = { train: count('train'), validation: count('validation'), test: count('test') };
  // The sealed part is for praxis test, which writes each look at it down.
  const kept = fitting.filter((i) => (options.onlyNew === true ? !parts.has(i) : parts.get(i) !== 'test'));
  if (kept.length === 0)
    throw new RunError(
      `${dataset.root}: ${fitting.length === 0 ? `none of its ${noun}s has a class of the run` : `the run knows all of its ${noun}s already, or keeps them sealed for praxis test`}, so that nothing can be measured.`,
    );
  const { plan, machine } = run;
  const ready = readier(dataset, run.folder)(subset(dataset, kept));
  const place = { ...plan, machine, data: { ...plan.data, cache: false } };
  const loader = evaluationLoader(relabelled(ready, classes), place, options.batchSize ?? 64);
  let measured: Evaluation;
  let unread: readonly { readonly name: string; readonly reason: string }[];
  try {
    measured = (await evaluate(run.model, loader, {
      machine,
      classes,
      multiLabel: run.multiLabel,
      ...(options.onBatch === undefined ? {} : { onBatch: options.onBatch }),
    })) as Evaluation;
    unread = loader.report().skipped;
  } finally {
    await loader.close();
  }
  const { score, scoreName, loss, report } = measured;
  const notes = [
    ...knownNotes(known, noun, options.onlyNew === true),
    ...(note === undefined ? [] : [note]),
    ...(strange.length > 0
      ? [
          `${strange.length === 1 ? 'A class' : `${strange.length} classes`} that the run does not know (${listed(strange)}): ${some(every.length - fitting.length, noun)} left out.`,
        ]
      : []),
    ...(absent.length > 0
      ? [`No ${noun} of ${listed(absent)}: nothing is said of ${absent.length === 1 ? 'this class' : 'these classes'}.`]
      : []),
    ...unread.map(({ name, reason }) => `${name} cannot be read: ${reason.replace(/\.$/, '')}.`),
  ];
  return {
    score,
    scoreName,
    loss,
    intervals: measured.intervals(),
    report,
    samples: measured.predictions.index.length,
    classes,
    known,
    leftOut: every.length - measured.predictions.index.length,
    notes,
  };
}
