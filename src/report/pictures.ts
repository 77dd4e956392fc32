/** The pictures of a report, as far as the data are still where they were: they are shown small and stand in the page itself. */
import path from 'node:path';
import { loadSplit, type Split } from '../data/split/index.js';
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

/** The parts of a run that were looked at, where its data are still there and the same. */
async function partsOf(
  files: RunFiles,
  given: string | Dataset | undefined,
): Promise<Pick<Split, 'train' | 'validation'> | string> {
  const source = given ?? files.plan?.data.path ?? '';
  if (source === '') return 'the run was given its data as an object; give it again (data)';
  try {
    const dataset = await openData(source, openOptionsOf(files.folder));
    return await loadSplit(path.join(files.folder, 'split.json'), dataset);
  } catch (error) {
    return (error as Error).message.split('\n')[0] as string;
  }
}

/**
 * Thumbnails of what is shown, of training pictures those that were learned last, then of all other mistakes, for the cells of the confusion matrix, until the page is full.
 * @param mostBytes of all together
 */
export async function picturesOf(
  files: RunFiles,
  figures: Figures,
  shown: Shown,
  mostBytes: number,
  given?: string | Dataset,
): Promise<Pictures> {
  const parts = await partsOf(files, given);
  if (typeof parts === 'string') return { urls: new Map(), problem: parts };
  const learnt = files.overfitting?.memorised?.samples.map(({ name }) => name) ?? [];
  const urls = await urlsOf(parts.train, new Set(learnt), mostBytes / 4);
  const names = new Set([
    ...shown.worst,
    ...shown.pairs.flatMap(({ mistaken, examples }) => [...mistaken, ...examples]),
    ...shown.unsure,
    ...figures.mistakes.map(({ name }) => name),
  ]);
  const taken = [...urls.values()].reduce((sum, url) => sum + url.length, 0);
  for (const [name, url] of await urlsOf(parts.validation, names, mostBytes - taken)) urls.set(name, url);
  return { urls };
}

async function urlsOf(part: Dataset, names: ReadonlySet<string>, mostBytes: number): Promise<Map<string, string>> {
  if (part.kind !== 'pictures' || names.size === 0) return new Map();
  const places = new Map<string, number>();
  for (let i = 0; i < part.length; i++) places.set(part.sampleName(i), i);
  const wanted = [...names].flatMap((name) => places.get(name) ?? []);
  const found = await thumbnails(part, wanted, mostBytes);
  return new Map([...found].map(([place, { url }]) => [part.sampleName(place), url]));
}
