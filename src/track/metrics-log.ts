/** `metrics.jsonl`: one JSON object per line, read and cut so that a kill in the middle of a line does no harm. */
import { createReadStream, promises as fs } from 'node:fs';
import readline from 'node:readline';
import { errorCode, RunError, writeError } from './errors.js';
import { parsePlain } from './json.js';

/** One line: what was measured at a step. Everything but `step` is up to who logs. */
export interface MetricsLine {
  /** Optimiser steps done when it was measured. */
  readonly step: number;
  /** Epochs begun before it, counted from 0. */
  readonly epoch?: number;
  /** What the line tells of: `step`, `epoch`, `event`. */
  readonly kind?: string;
  readonly [name: string]: unknown;
}

function parseLine(text: string): MetricsLine | null {
  try {
    const value = parsePlain(text) as MetricsLine | null;
    return typeof value === 'object' && value !== null && typeof value.step === 'number' ? value : null;
  } catch {
    return null;
  }
}

/** The lines of a file in order. Torn or foreign lines are left out; a file that is not there has none. */
export async function* readMetrics(file: string): AsyncGenerator<MetricsLine> {
  const stream = createReadStream(file);
  try {
    for await (const text of readline.createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      const line = text === '' ? null : parseLine(text);
      if (line !== null) yield line;
    }
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw new RunError(`${file} cannot be read: ${(error as Error).message}.`);
  } finally {
    stream.destroy();
  }
}

/**
 * Cuts off what a run that is resumed at `step` will log again: from the first line beyond that step on, and a torn last line.
 * Lines are in the order of their steps, so the rest of the file stays as it is.
 * @param isBeyond tells of lines of that very step whether they, too, will be logged again. Default: they will not
 * @returns lines cut off
 * @throws FileWriteError
 */
export async function truncateMetrics(
  file: string,
  step: number,
  isBeyond: (line: MetricsLine) => boolean = () => false,
): Promise<number> {
  let text: Buffer;
  try {
    text = await fs.readFile(file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw writeError(file, error);
  }
  let keep = 0;
  let cut = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf(10, start);
    const end = newline < 0 ? text.length : newline;
    const line = parseLine(text.toString('utf8', start, end));
    const torn = newline < 0;
    const beyond = line !== null && (line.step > step || (line.step === step && isBeyond(line)));
    if (cut > 0 || torn || beyond) cut++;
    else keep = end + 1;
    start = end + 1;
  }
  if (keep === text.length) return 0;
  try {
    const handle = await fs.open(file, 'r+');
    try {
      await handle.truncate(keep);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw writeError(file, error);
  }
  return cut;
}
