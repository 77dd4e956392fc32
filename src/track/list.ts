/** The runs of a folder, for `praxis runs` and for pages that compare them. Nothing here loads the engine. */
import fs from 'node:fs';
import path from 'node:path';
import { errorCode, RunError } from './errors.js';
import type { RunRecord, RunState } from './record.js';
import { readRecord, stateOf } from './run-folder.js';

/** One run in a list. */
export interface RunSummary {
  /** The folder, as `praxis resume` and the others take it. */
  readonly path: string;
  readonly name: string;
  readonly state: RunState | 'interrupted' | 'broken';
  /** What is wrong with a broken one, in a sentence. */
  readonly problem?: string;
  readonly record?: RunRecord;
  /** Time spent in all its sessions, seconds. */
  readonly seconds?: number;
}

/** Seconds a run worked: of a session that is not closed, until now if it lives and else until its last sign of life. */
export function secondsOf(record: RunRecord, alive: boolean, now = Date.now()): number {
  let sum = 0;
  for (const { started, ended } of record.sessions) {
    const end = ended === undefined ? (alive ? now : Date.parse(record.heartbeat)) : Date.parse(ended);
    sum += Math.max(0, end - Date.parse(started));
  }
  return sum / 1000;
}

function summarise(folder: string, shown: string): RunSummary {
  try {
    const record = readRecord(folder);
    const state = stateOf(folder, record);
    return { path: shown, name: record.name, state, record, seconds: secondsOf(record, state === 'running') };
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    return { path: shown, name: path.basename(folder), state: 'broken', problem: error.message };
  }
}

/**
 * The runs in a folder, newest first; broken ones last. A run's own folder gives that run. Folders that never were runs are left out.
 * @throws RunError when there is no such folder
 */
export function listRuns(folder: string): RunSummary[] {
  let names: string[];
  try {
    names = fs.readdirSync(folder, { withFileTypes: true }).map((entry) => entry.name);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') throw new RunError(`There is no folder ${folder}; runs are made by 'praxis train'.`);
    if (code === 'ENOTDIR') throw new RunError(`${folder} is a file; give the folder that holds the runs.`);
    throw new RunError(`${folder} cannot be read: ${(error as Error).message}.`);
  }
  if (names.includes('run.json')) return [summarise(folder, folder)];
  const marks = ['run.json', 'run.lock', 'metrics.jsonl', 'checkpoints'];
  const runs = names
    .filter((name) => marks.some((mark) => fs.existsSync(path.join(folder, name, mark))))
    .map((name) => summarise(path.join(folder, name), path.join(folder, name)));
  const time = (run: RunSummary) =>
    run.record === undefined ? Number.NEGATIVE_INFINITY : Date.parse(run.record.created);
  return runs.sort((a, b) => time(b) - time(a) || (a.path < b.path ? -1 : 1));
}
