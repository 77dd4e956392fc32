/**
 * The journal of a packed cache: one line of text per event, appended in one write and never changed. Each line begins with a checksum
 * of its rest, so that one that was cut off or damaged counts for nothing; the last valid line about a sample holds.
 *
 *     1c291ca3 + 17 3632233996 48212 1763832000123.5            sample 17 is in its slot: checksum, bytes and time of its source
 *     9b0f2d10 - 18 512 1763832000123.5 "truncated JPEG"        sample 18 cannot be decoded, and why
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { type SampleTable, Status } from './sample-table.js';
import type { Signature } from './store.js';

/** A line that begins with a line break of its own is safe from one that was cut off before it. */
function lineOf(rest: string): Buffer {
  return Buffer.from(`\n${crc32(rest).toString(16).padStart(8, '0')} ${rest}\n`);
}

export function soundLine(slot: number, checksum: number, { size, modified }: Signature): Buffer {
  return lineOf(`+ ${slot} ${checksum} ${size} ${modified}`);
}

export function badLine(slot: number, { size, modified }: Signature, reason: string): Buffer {
  return lineOf(`- ${slot} ${size} ${modified} ${JSON.stringify(reason.slice(0, 500))}`);
}

const piece = 1 << 20;

/** Reads a journal into a table, from where it was read to the last time. */
export class JournalReader {
  readonly #file: string;
  readonly #table: SampleTable;
  #position = 0;
  /** Reasons of the samples that the journal calls bad. */
  readonly reasons = new Map<number, string>();

  constructor(file: string, table: SampleTable) {
    this.#file = file;
    this.#table = table;
  }

  /** Takes in what any process has appended since. Samples that this process has seen itself stay as it saw them. */
  update(): void {
    let descriptor: number;
    try {
      descriptor = openSync(this.#file, 'r');
    } catch {
      return;
    }
    try {
      const end = fstatSync(descriptor).size;
      const buffer = Buffer.allocUnsafe(piece);
      let rest = '';
      while (this.#position < end) {
        const count = readSync(descriptor, buffer, 0, Math.min(piece, end - this.#position), this.#position);
        if (count === 0) break;
        this.#position += count;
        // Lines are ASCII but for reasons; a character cut in two at a piece's end costs at most that line.
        const lines = (rest + buffer.toString('utf8', 0, count)).split('\n');
        rest = lines.pop() as string;
        for (const line of lines) if (line !== '') this.#take(line);
      }
      // An unfinished line is read again when its writer has finished it.
      this.#position -= Buffer.byteLength(rest);
    } finally {
      closeSync(descriptor);
    }
  }

  #take(line: string): void {
    const rest = line.slice(9);
    if (Number.parseInt(line.slice(0, 8), 16) !== crc32(rest)) return;
    const words = rest.split(' ');
    const slot = Number(words[1]);
    const table = this.#table;
    if (!Number.isInteger(slot) || slot < 0 || slot >= table.length) return;
    const status = Atomics.load(table.status, slot);
    if (status === Status.sound || status === Status.bad) return;
    const sound = words[0] === '+';
    const at = sound ? 3 : 2;
    if (sound) table.checksum[slot] = Number(words[2]);
    else this.reasons.set(slot, String(JSON.parse(words.slice(4).join(' '))));
    table.size[slot] = Number(words[at]);
    table.modified[slot] = Number(words[at + 1]);
    Atomics.store(table.status, slot, sound ? Status.noted : Status.notedBad);
  }
}
