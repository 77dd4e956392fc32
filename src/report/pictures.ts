/** The pictures of a report, as far as the data are still where they were: they are shown small and stand in the page itself. */
import path from 'node:path';
import { loadSplit } from '../data/split/index.js';
import type { Dataset } from '../data/types.js';
import { thumbnails } from '../look/page/thumbnails.js';
import { openData } from '../train/recipe/data.js';
import { openOptionsOf } from '../train/recipe/record.js';
import type { Figures } from './figures.js';
import type { RunFiles } from './run-files.js';

/** Names of samples shown in each of the strips. */
export interface Shown {
  /** Mistakes, the most confident first. */
  readonly worst: readonly string[];
  readonly unsure: readonly string[];
  /** The classes most often taken for each other. */
  readonly pairs: readonly {
    readonly target: number;
    readonly predicted: number;
    readonly count: number;
    readonly mistaken: readonly string[];
    /** Pictures that are of the class predicted, and named so. */
    readonly examples: readonly string[];
  }[];
}

/** Small pictures by the sample's name, or why there are none. */
export interface Pictures {
  /** `data:image/jpeg;base64,…` by name. */
  readonly urls: ReadonlyMap<string, string>;
  readonly problem?: string;
}

const worstShown = 24;
const pairsShown = 8;
const mistakenEach = 4;
const examplesEach = 2;

/** What is shown, chosen by figures alone. @param rightOf names of samples that were named rightly, by class */
export function shownOf(figures: Figures, rightOf: (label: number) => readonly string[]): Shown {
  return {
    worst: figures.mistakes.slice(0, worstShown).map(({ name }) => name),
    unsure: figures.unsure.map(({ name }) => name),
    pairs: figures.confusions.slice(0, pairsShown).map(({ target, predicted, count }) => ({
      target,
      predicted,
      count,
      mistaken: figures.mistakes
        .filter((one) => one.target === target && one.predicted === predicted)
        .slice(0, mistakenEach)
        .map(({ name }) => name),
      examples: rightOf(predicted).slice(0, examplesEach),
    })),
  };
}

/** The validation part of a run, where its data are still there and the same. */
async function validationOf(files: RunFiles, given: string | Dataset | undefined): Promise<Dataset | string> {
  const source = given ?? files.plan?.data.path ?? '';
  if (source === '') return 'the run was given its data as an object; give it again (data)';
  try {
    const dataset = await openData(source, openOptionsOf(files.folder));
    const split = await loadSplit(path.join(files.folder, 'split.json'), dataset);
    return split.validation;
  } catch (error) {
    return (error as Error).message.split('\n')[0] as string;
  }
}

/**
 * Thumbnails of what is shown, then of all other mistakes, for the cells of the confusion matrix, until the page is full.
 * @param mostBytes of all together
 */
export async function picturesOf(
  files: RunFiles,
  figures: Figures,
  shown: Shown,
  mostBytes: number,
  given?: string | Dataset,
): Promise<Pictures> {
  const validation = await validationOf(files, given);
  if (typeof validation === 'string') return { urls: new Map(), problem: validation };
  if (validation.kind !== 'pictures') return { urls: new Map() };
  const places = new Map<string, number>();
  for (let i = 0; i < validation.length; i++) places.set(validation.sampleName(i), i);
  const names = new Set([
    ...shown.worst,
    ...shown.pairs.flatMap(({ mistaken, examples }) => [...mistaken, ...examples]),
    ...shown.unsure,
    ...figures.mistakes.map(({ name }) => name),
  ]);
  const wanted = [...names].flatMap((name) => places.get(name) ?? []);
  const found = await thumbnails(validation, wanted, mostBytes);
  return { urls: new Map([...found].map(([place, { url }]) => [validation.sampleName(place), url])) };
}
