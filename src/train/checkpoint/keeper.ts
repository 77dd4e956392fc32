/** Which checkpoints of a run are kept: the last, the one before it, and the best few. */
import fs from 'node:fs';
import path from 'node:path';
import { removeTemporaries, replaceWithLink, syncFolder, temporaryFor } from '../../track/atomic.js';
import { errorCode, writeError } from '../../track/errors.js';
import { CheckpointError } from './errors.js';
import {
  type CheckpointInfo,
  type LoadCheckpointOptions,
  loadCheckpoint,
  readCheckpointInfo,
  type SaveCheckpointOptions,
  saveCheckpoint,
} from './file.js';
import type { CheckpointState } from './state.js';

const lastName = 'last.safetensors';
const previousName = 'previous.safetensors';
const bestPattern = /^best-(\d+)\.safetensors$/;
const bestName = (step: number) => `best-${String(step).padStart(8, '0')}.safetensors`;

export interface CheckpointKeeperOptions extends SaveCheckpointOptions {
  /** How many of the best are kept. Default 3. */
  readonly best?: number;
  /** Whether a high or a low score is good. Default `max`. */
  readonly mode?: 'max' | 'min';
}

/** What became of a saved checkpoint. */
export interface SavedCheckpoint {
  /** Path of `last.safetensors`. */
  readonly file: string;
  /** 1 when it is the best so far, 2 for the second best, …; undefined when it is not among those kept, or has no score. */
  readonly rank: number | undefined;
}

/** The checkpoint to go on from. */
export interface LastCheckpoint {
  readonly state: CheckpointState;
  readonly file: string;
  /** Sentences about newer checkpoints that could not be used. */
  readonly refused: readonly string[];
}

/**
 * Keeps `last.safetensors`, `previous.safetensors` and `best-STEP.safetensors` in a folder. From the first save on there is a usable
 * `last` at every moment, whenever the process is killed. The best are further names of the same files where the file system has links.
 */
export class CheckpointKeeper {
  readonly folder: string;
  readonly #options: CheckpointKeeperOptions;
  #chain: Promise<unknown> = Promise.resolve();

  constructor(folder: string, options: CheckpointKeeperOptions = {}) {
    this.folder = folder;
    this.#options = options;
  }

  get last(): string {
    return path.join(this.folder, lastName);
  }

  /**
   * Saves what the tensors hold at this call; training may go on while the disk is waited for.
   * @throws CheckpointError; the checkpoints of before are then as they were
   */
  async save(state: CheckpointState): Promise<SavedCheckpoint> {
    try {
      fs.mkdirSync(this.folder, { recursive: true });
    } catch (error) {
      throw new CheckpointError(writeError(this.folder, error).message, this.folder, { cause: error });
    }
    const incoming = temporaryFor(this.last);
    // Begun now, so that it holds this moment; put in place after the saves before it.
    const written = saveCheckpoint(incoming, state, this.#options).catch((error: Error) => {
      throw new CheckpointError(error.message.replaceAll(incoming, this.last), this.last, { cause: error });
    });
    // It may fail while those before it are still being put in place; whoever waits for `placed` hears of it.
    written.catch(() => undefined);
    const placed = this.#chain.then(() => written).then(() => this.#place(incoming, state));
    this.#chain = placed.catch(() => undefined);
    return placed;
  }

  async #place(incoming: string, state: CheckpointState): Promise<SavedCheckpoint> {
    try {
      if (fs.existsSync(this.last)) await replaceWithLink(this.last, path.join(this.folder, previousName));
      await fs.promises.rename(incoming, this.last);
      const rank = await this.#rank(state, this.last);
      await syncFolder(this.folder);
      return { file: this.last, rank };
    } catch (error) {
      await fs.promises.unlink(incoming).catch(() => undefined);
      throw new CheckpointError(writeError(this.last, error).message, this.last, { cause: error });
    }
  }

  async #rank({ step, score }: Pick<CheckpointState, 'step' | 'score'>, file: string): Promise<number | undefined> {
    if (score === undefined || !Number.isFinite(score)) return undefined;
    const most = this.#options.best ?? 3;
    const others = (await this.best()).filter((info) => info.step !== step);
    const sign = this.#options.mode === 'min' ? -1 : 1;
    // Of equals the earlier is better: it trained less.
    const better = others.filter((info) => {
      const ahead = sign * ((info.score as number) - score);
      return ahead > 0 || (ahead === 0 && info.step < step);
    });
    const rank = better.length + 1;
    if (rank > most) return undefined;
    await replaceWithLink(file, path.join(this.folder, bestName(step)));
    for (const info of others.slice(most - 1)) await fs.promises.unlink(info.file).catch(() => undefined);
    return rank;
  }

  /** The best checkpoints, best first. Damaged ones are left out. */
  async best(): Promise<CheckpointInfo[]> {
    const infos = await listBest(this.folder);
    const sign = this.#options.mode === 'min' ? -1 : 1;
    return infos.sort((a, b) => sign * ((b.score as number) - (a.score as number)) || a.step - b.step);
  }

  /** Forgets the best checkpoints beyond a step, for a run that goes on from there: it will make them again. Clears leftovers of kills. */
  async truncateAfter(step: number): Promise<void> {
    await this.#chain;
    removeTemporaries(this.folder);
    for (const info of await listBest(this.folder))
      if (info.step > step) await fs.promises.unlink(info.file).catch(() => undefined);
  }

  /** Makes the folder what it was when `last` was saved: a kill may have come before that was ranked, too. @throws CheckpointError */
  async returnTo(last: LastCheckpoint): Promise<void> {
    await this.truncateAfter(last.state.step);
    try {
      await this.#rank(last.state, last.file);
    } catch (error) {
      throw new CheckpointError(writeError(last.file, error).message, last.file, { cause: error });
    }
  }

  /** Waits for the saves that were begun. */
  async settled(): Promise<void> {
    await this.#chain;
  }
}

async function listBest(folder: string): Promise<CheckpointInfo[]> {
  let names: string[] = [];
  try {
    names = fs.readdirSync(folder).filter((name) => bestPattern.test(name));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  const infos: CheckpointInfo[] = [];
  for (const name of names) {
    try {
      const info = await readCheckpointInfo(path.join(folder, name));
      if (info.score !== undefined && Number.isFinite(info.score)) infos.push(info);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
  }
  return infos;
}

/** Whether a folder holds any checkpoint, usable or not. */
export const hasCheckpoint = (folder: string): boolean =>
  fs.existsSync(folder) &&
  fs.readdirSync(folder).some((name) => name === lastName || name === previousName || bestPattern.test(name));

/**
 * The newest usable checkpoint of a folder: `last`, or where that is damaged the one before it, or the newest of the best.
 * @throws CheckpointError when there is none, saying what is wrong with each
 */
export async function loadLast(folder: string, options: LoadCheckpointOptions = {}): Promise<LastCheckpoint> {
  const names = [lastName, previousName];
  try {
    names.push(
      ...fs
        .readdirSync(folder)
        .filter((name) => bestPattern.test(name))
        .sort((a, b) => Number(bestPattern.exec(b)?.[1]) - Number(bestPattern.exec(a)?.[1])),
    );
  } catch {}
  const refused: string[] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    if (!fs.existsSync(file)) continue;
    try {
      return { state: await loadCheckpoint(file, options), file, refused };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      refused.push(error.message);
    }
  }
  if (refused.length === 0)
    throw new CheckpointError(`${folder} holds no checkpoint: the run ended before its first; begin it again.`, folder);
  throw new CheckpointError(`${folder} holds no usable checkpoint: ${refused.join(' ')}`, folder);
}
