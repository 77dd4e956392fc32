/**
 * Samples that are left out by name, as lists that a person can read, edit and delete: JSON lines `{"name": "rose/17.jpg", "reason": "…"}`.
 * A list named `praxis-exclude.jsonl` in the folder of the data, or `<file>.praxis-exclude.jsonl` beside a file or archive, is honoured by
 * whatever opens the data; nothing is deleted, and without the list everything is back.
 */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { DataError } from './errors.js';
import { readingFailed } from './pictures/raw.js';
import { subset } from './sources/subset.js';
import type { Dataset } from './types.js';

/** What the list in a folder is called. */
export const exclusionsName = 'praxis-exclude.jsonl';

export interface Exclusion {
  readonly name: string;
  readonly reason: string;
}

/** Where the list of some data lies, if there is one. */
export function exclusionsOf(place: string): string | undefined {
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? path.join(place, exclusionsName) : `${place}.${exclusionsName}`;
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

/** Reads a list. @throws DataError when it cannot be read or a line is not `{"name": …}` */
export function readExclusions(file: string): Exclusion[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DataError(`${file}: ${readingFailed(cause)}`, { cause });
  }
  const found: Exclusion[] = [];
  for (const [i, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '') continue;
    let entry: unknown;
    try {
      entry = JSON.parse(line);
    } catch {
      entry = undefined;
    }
    const { name, reason } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
    if (typeof name !== 'string' || name === '')
      throw new DataError(
        `${file}, line ${i + 1}: a line like {"name": "rose/17.jpg", "reason": "truncated JPEG"} was expected`,
      );
    found.push({ name, reason: typeof reason === 'string' ? reason : 'left out by name' });
  }
  return found;
}

/** What is left of a data set of any kind without the samples named; parts and classes stay. @throws DataError when nothing is left */
export function withoutSamples<Kind extends Dataset>(dataset: Kind, names: Iterable<string>, source: string): Kind {
  const unwanted = new Set(names);
  if (unwanted.size === 0) return dataset;
  const kept: number[] = [];
  for (let index = 0; index < dataset.length; index++) if (!unwanted.has(dataset.sampleName(index))) kept.push(index);
  if (kept.length === dataset.length) return dataset;
  if (kept.length === 0) throw new DataError(`${source} leaves out all ${dataset.length} samples of ${dataset.name}`);
  return subset(dataset, kept);
}
