/** `split.json`: which sample is where, what was checked, and every time the test part was opened. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../track/atomic.js';
import { FolderLock } from '../../track/lock.js';
import { DataError } from '../errors.js';
import { contentsOf } from '../sources/sealing.js';
import { type Dataset, type Part, parts } from '../types.js';
import { counted, type SplitFinding, someOf } from './findings.js';
import { type DatasetFingerprint, datasetFingerprint, sha256 } from './fingerprint.js';
import { type SealEvent, secretsOf, verifyChain } from './seal-events.js';
import { countLabels, Split, type SplitSettings } from './split.js';

/** What the file holds. Test samples are there by name, since the split could not be found again otherwise; their labels are not. */
export interface SplitFile {
  readonly format: 'praxis-split';
  readonly version: 1;
  readonly dataset: {
    readonly name: string;
    readonly classes: readonly string[];
    readonly samples: number;
    readonly fingerprint: DatasetFingerprint;
  };
  readonly settings: SplitSettings;
  readonly fingerprint: string;
  readonly parts: Readonly<Record<Part, readonly string[]>>;
  /** Samples that were kept together, by name. */
  readonly together: readonly (readonly string[])[];
  readonly findings: readonly SplitFinding[];
  /** The record of the seal: only ever added to. */
  readonly seal: readonly SealEvent[];
  /** SHA-256 of all the rest. */
  readonly checksum: string;
}

function withChecksum(content: Omit<SplitFile, 'checksum'>): SplitFile {
  return { ...content, checksum: sha256(JSON.stringify(content)) };
}

/** One name per line: a person can read it, and a comparison of two files shows what moved. */
function format(content: SplitFile): string {
  return `${JSON.stringify(content, null, 1)}\n`;
}

function contentOf(split: Split, events: readonly SealEvent[]): SplitFile {
  const secrets = secretsOf(split);
  const contents = contentsOf(secrets.dataset);
  const named = (indices: readonly number[]): string[] => indices.map((index) => contents.name(index));
  return withChecksum({
    format: 'praxis-split',
    version: 1,
    dataset: {
      name: split.name,
      classes: split.classes,
      samples: secrets.dataset.length,
      fingerprint: split.datasetFingerprint,
    },
    settings: split.settings,
    fingerprint: split.fingerprint,
    parts: {
      train: named(secrets.parts.train),
      validation: named(secrets.parts.validation),
      test: named(secrets.parts.test),
    },
    together: secrets.together.map(named),
    findings: split.findings,
    seal: events,
  });
}

/** Reads a split file and checks that it is whole. @throws DataError */
export async function readSplitFile(file: string): Promise<SplitFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new DataError(
      code === 'ENOENT'
        ? `there is no split file ${file}; make one with praxis split`
        : `${file} cannot be read (${code})`,
      { cause },
    );
  }
  let content: SplitFile;
  try {
    content = JSON.parse(text) as SplitFile;
  } catch (cause) {
    throw new DataError(`${file} is no JSON: it was cut off or edited; restore it from a copy`, { cause });
  }
  if (typeof content !== 'object' || content === null || content.format !== 'praxis-split')
    throw new DataError(`${file} is not a split file; praxis split writes them`);
  if (content.version !== 1)
    throw new DataError(`${file} has version ${String(content.version)}, this Praxis reads version 1; use a newer one`);
  const { checksum, ...rest } = content;
  if (sha256(JSON.stringify(rest)) !== checksum)
    throw new DataError(`${file} was changed after it was written (its checksum is wrong); restore it from a copy`);
  verifyChain(content.seal, content.fingerprint, file);
  return content;
}

/**
 * The split files of a split, changed together and by one process at a time. `change` gets the longest record known, in a file or in
 * memory, and gives the one to write.
 */
export async function recordIn(
  files: readonly string[],
  split: Split,
  change: (events: readonly SealEvent[]) => readonly SealEvent[],
): Promise<void> {
  const secrets = secretsOf(split);
  const resolved = [...new Set(files.map((file) => path.resolve(file)))].sort();
  const locks: FolderLock[] = [];
  try {
    for (const file of resolved) {
      if (!existsSync(file)) throw new DataError(`there is no split file ${file}; save the split first (saveSplit)`);
      locks.push(FolderLock.acquire(`${file}.lock`, `The split file ${file}`));
    }
    let events = secrets.events;
    for (const file of resolved) {
      const content = await readSplitFile(file);
      if (content.fingerprint !== split.fingerprint)
        throw new DataError(
          `${file} holds another split than the one at hand; name the file that this split was saved in`,
        );
      if (content.seal.length > events.length) events = content.seal;
    }
    const changed = change(events);
    for (const file of resolved) await writeFileAtomic(file, format(contentOf(split, changed)));
    secrets.events = changed;
  } finally {
    for (const lock of locks) lock.release();
  }
}

/**
 * Writes a split to a file, whole or not at all. A file that already records uses of the same split keeps them.
 * @throws DataError when the file belongs to another split whose test part was opened: that record must not be lost
 */
export async function saveSplit(split: Split, file: string): Promise<void> {
  const secrets = secretsOf(split);
  const lock = FolderLock.acquire(`${file}.lock`, `The split file ${file}`);
  try {
    if (existsSync(file)) {
      const old = await readSplitFile(file).catch((error: unknown) => {
        if (error instanceof DataError) throw new DataError(`${error.message}; or choose another file to save to`);
        throw error;
      });
      if (old.fingerprint === split.fingerprint) {
        if (old.seal.length > secrets.events.length) secrets.events = old.seal;
      } else if (old.seal.length > 0)
        throw new DataError(
          `${file} records ${counted(old.seal.filter(({ kind }) => kind === 'opened').length, 'use')} of the test part of another split, which must not be lost; choose another file`,
        );
    }
    await writeFileAtomic(file, format(contentOf(split, secrets.events)));
  } finally {
    lock.release();
  }
}

/** Names in one list and not in the other. */
function missingFrom(names: Iterable<string>, known: ReadonlySet<string>): string[] {
  return [...names].filter((name) => !known.has(name));
}

/** Why the data is not what was split, in one sentence; null where it is. */
function difference(file: string, content: SplitFile, dataset: Dataset, now: DatasetFingerprint): string | null {
  const then = content.dataset.fingerprint;
  if (now.all === then.all) return null;
  const contents = contentsOf(dataset);
  const present = new Set(Array.from({ length: dataset.length }, (_, i) => contents.name(i)));
  const trained = [...content.parts.train, ...content.parts.validation];
  const gone = missingFrom(trained, present);
  const goneFromTest = missingFrom(content.parts.test, present).length;
  const added = missingFrom(present, new Set([...trained, ...content.parts.test]));
  const changes = [
    ...(gone.length > 0
      ? [`${counted(gone.length, 'sample')} of it ${gone.length === 1 ? 'is' : 'are'} gone (${someOf(gone)})`]
      : []),
    // Names of test samples would tell their classes.
    ...(goneFromTest > 0
      ? [`${counted(goneFromTest, 'sample')} of its test part ${goneFromTest === 1 ? 'is' : 'are'} gone`]
      : []),
    ...(added.length > 0
      ? [`${counted(added.length, 'sample')} ${added.length === 1 ? 'is' : 'are'} new (${someOf(added)})`]
      : []),
  ];
  if (changes.length === 0) {
    if (content.dataset.classes.join('\n') !== dataset.classes.join('\n')) changes.push('the classes have other names');
    else if (now.names !== then.names) changes.push('the samples have another order');
    if (now.labels !== then.labels) changes.push('labels were changed');
    if (now.sizes !== then.sizes) changes.push('files have other sizes');
  }
  return `${dataset.name} is not the data that ${file} was made for: ${changes.join(', ')}; restore the data, or split anew`;
}

/**
 * Reads a split for a data set and seals its test part.
 * @throws DataError when the file was changed, or the data is not what was split (with the names that differ)
 */
export async function loadSplit<Kind extends Dataset>(file: string, dataset: Kind): Promise<Split<Kind>> {
  const content = await readSplitFile(file);
  const fingerprint = await datasetFingerprint(dataset);
  const problem = difference(file, content, dataset, fingerprint);
  if (problem) throw new DataError(problem);
  const contents = contentsOf(dataset);
  const indexOf = new Map(Array.from({ length: dataset.length }, (_, i) => [contents.name(i), i]));
  const indices = (names: readonly string[]): number[] =>
    names.map((name) => {
      const index = indexOf.get(name);
      if (index === undefined)
        throw new DataError(`${file} names a sample that ${dataset.name} does not have; split anew`);
      return index;
    });
  const found = Object.fromEntries(parts.map((part) => [part, indices(content.parts[part])])) as Record<Part, number[]>;
  const split = new Split<Kind>({
    dataset,
    parts: found,
    settings: content.settings,
    datasetFingerprint: fingerprint,
    findings: content.findings,
    together: content.together.map(indices),
    counts: countLabels(found, (index) => contents.labels(index), dataset.classes.length),
    events: content.seal,
  });
  if (split.fingerprint !== content.fingerprint)
    throw new DataError(`${file}: its parts do not fit its fingerprint; restore it from a copy`);
  return split;
}
