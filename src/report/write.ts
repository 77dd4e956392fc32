/** `writeReport`: reads a run folder, computes, draws, writes. */
import path from 'node:path';
import type { Dataset } from '../data/types.js';
import { writeFileAtomic } from '../track/index.js';
import { ConfigError, RunError } from '../train/errors.js';
import { type ComparisonData, comparisonData } from './compare.js';
import { type Said, saidOf } from './figures.js';
import { comparisonPage } from './page/comparison.js';
import { reportPage } from './page/page.js';
import { type Pictures, picturesOf, type Shown, shownOf } from './pictures.js';
import { type ReportData, reportData } from './report-data.js';
import { type RunFiles, readRun } from './run-files.js';

export interface ReportOptions {
  /** Where the page goes. Default: `report.html` in the run folder. */
  readonly file?: string;
  /** Where the data are now, if they have moved; or the data set, where the run was given one. */
  readonly data?: string | Dataset;
  /** Show small pictures. Default true. */
  readonly pictures?: boolean;
}

export interface Report {
  /** Absolute path of the page. */
  readonly file: string;
  readonly data: ReportData;
  /** Why pictures are missing, where they are. */
  readonly problem?: string;
}

/** The page stays below this, so that it can be sent by mail. */
const mostBytes = 5_000_000;

export interface Page {
  readonly html: string;
  readonly data: ReportData;
  readonly problem?: string;
}

/** The page as text. */
export async function reportOf(files: RunFiles, options: Omit<ReportOptions, 'file'> = {}): Promise<Page> {
  const data = reportData(files);
  const { figures } = data;
  if (figures?.kind !== 'one label')
    return { html: reportPage(data, undefined, { urls: new Map() }, new Map(), files.samples), data };
  const said = new Map<string, Said>(files.predicted.map((one) => [one.name, saidOf(one)]));
  const right = new Map<number, string[]>();
  for (const one of [...said.values()].sort((a, b) => b.confidence - a.confidence)) {
    if (one.target !== one.predicted) continue;
    const own = right.get(one.target);
    if (own === undefined) right.set(one.target, [one.name]);
    else own.push(one.name);
  }
  const shown: Shown = shownOf(figures, (label) => right.get(label) ?? []);
  const without = reportPage(data, shown, { urls: new Map() }, said, files.samples);
  const room = mostBytes - Buffer.byteLength(without) - 400_000;
  const pictures: Pictures =
    options.pictures === false || room <= 0
      ? { urls: new Map(), problem: 'they were left out.' }
      : await picturesOf(files, figures, shown, room, options.data);
  const html =
    pictures.urls.size === 0 && pictures.problem === undefined
      ? without
      : reportPage(data, shown, pictures, said, files.samples);
  return { html, data, ...(pictures.problem === undefined ? {} : { problem: pictures.problem }) };
}

/**
 * Writes the report of a run: one HTML page that needs nothing else. Reads the run folder only, and the pictures where the data still are.
 * @throws RunError when the folder holds no run; FileWriteError when the page cannot be written
 */
export async function writeReport(folder: string, options: ReportOptions = {}): Promise<Report> {
  const files = await readRun(folder);
  if (files.plan?.contrastive !== undefined)
    throw new RunError(
      `${folder}: this run learned without labels, so there is nothing to report class by class; its figures are in result.json and metrics.jsonl.`,
    );
  const { html, data, problem } = await reportOf(files, options);
  const file = path.resolve(options.file ?? path.join(files.folder, 'report.html'));
  await writeFileAtomic(file, html);
  return { file, data, ...(problem === undefined ? {} : { problem }) };
}

export interface Comparison {
  /** Absolute path of the page. */
  readonly file: string;
  readonly data: ComparisonData;
}

/**
 * Writes a page that compares runs: settings that differ, curves laid over each other, results with intervals, and, where they were validated
 * on the same samples, whether the difference is one.
 * @param file where it goes; `comparison.html` here
 * @throws RunError when a folder holds no run; ConfigError when there are fewer than two, or their classes differ
 */
export async function writeComparison(folders: readonly string[], file = 'comparison.html'): Promise<Comparison> {
  const files: RunFiles[] = [];
  for (const folder of new Set(folders.map((one) => path.resolve(one)))) files.push(await readRun(folder));
  if (files.length < 2) throw new ConfigError('A comparison needs two runs or more: praxis report RUN RUN.');
  const data = comparisonData(files);
  const place = path.resolve(file);
  await writeFileAtomic(place, comparisonPage(data));
  return { file: place, data };
}
