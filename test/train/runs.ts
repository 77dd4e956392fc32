/** What the tests of training share: tiny flowers, small settings, trainings in processes of their own, and what a run left. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawFlowers } from '../../src/data/drawn/index.js';
import type { TrainOptions } from '../../src/train/index.js';
import type { ChildOrder } from './run-child.js';

/** A folder of this test file's own. */
export const temporaryFolder = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'praxis-train-'));

/** Draws 66 pictures of 3 species, 32 × 32, into `PLACE/flowers`. */
export async function tinyFlowers(place: string): Promise<string> {
  const folder = path.join(place, 'flowers');
  await drawFlowers(folder, { pictures: 66, species: 3, size: 32, difficulty: 0.2 });
  return folder;
}

/** Settings with which a training takes a moment: nothing is measured. */
export const quick = {
  size: 16,
  model: 'convnet',
  width: 4,
  depth: 1,
  epochs: 2,
  batchSize: 16,
  learningRate: 0.01,
  precision: 'float32',
  memoryFormat: 'contiguous',
  threads: 1,
  workers: 1,
  device: 'cpu',
  nearDuplicates: false,
  cache: false,
} as const satisfies Omit<TrainOptions, 'data'>;

const program = fileURLToPath(new URL('run-child.ts', import.meta.url));

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** Trains, or goes on, in a fresh process; which kills itself where it is told to. */
export async function inChild(order: ChildOrder, kill?: ChildOrder['kill']): Promise<ChildEnd> {
  const told: ChildOrder = { ...order, ...(kill === undefined ? {} : { kill }) };
  const child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(told)], {
    env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return { code: child.exitCode, signal: child.signalCode, lines: stdout.trim().split('\n'), stderr };
}

/** The one run folder of a place. */
export function onlyRun(out: string): string {
  const names = fs.readdirSync(out);
  assert.equal(names.length, 1, `one run in ${out}: ${names.join(', ')}`);
  return path.join(out, names[0] as string);
}

const clockFields = new Set(['seconds', 'waiting', 'perSecond', 'time']);

/** Lines of `metrics.jsonl` without what a clock measured. */
export function metricsOf(folder: string): Record<string, unknown>[] {
  return fs
    .readFileSync(path.join(folder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => Object.entries(JSON.parse(line) as Record<string, unknown>))
    .map((fields) => Object.fromEntries(fields.filter(([name]) => !clockFields.has(name))));
}

const hashOf = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

/** Everything a finished run left that must not depend on how often it was killed. */
export function leftBy(folder: string) {
  return {
    weights: hashOf(path.join(folder, 'model.safetensors')),
    metrics: metricsOf(folder),
    result: fs.readFileSync(path.join(folder, 'result.json'), 'utf8'),
    predictions: fs.readFileSync(path.join(folder, 'validation.jsonl'), 'utf8'),
    learnt: fs.readFileSync(path.join(folder, 'training.jsonl'), 'utf8'),
    checkpoints: fs.readdirSync(path.join(folder, 'checkpoints')).sort(),
  };
}
