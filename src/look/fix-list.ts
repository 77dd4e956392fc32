/** The list of samples that had better be left out: written for a person to read and change, honoured by whatever opens the data. */
import { existsSync } from 'node:fs';
import { type Exclusion, readExclusions } from '../data/exclusions.js';
import { writeFileAtomic } from '../track/atomic.js';
import type { LookReport } from './report.js';

/** What a report would leave out, each sample once, with the reason. */
export function exclusionsFrom(report: LookReport): Exclusion[] {
  const found = new Map<string, string>();
  for (const { kind, samples } of report.findings)
    for (const { name, note, exclude } of samples)
      if (exclude && !found.has(name)) found.set(name, note === undefined ? kind : `${kind}: ${note}`);
  return [...found].map(([name, reason]) => ({ name, reason }));
}

/**
 * Writes the list as JSON lines. What the file holds already stays: samples that are left out are not looked at again.
 * @returns how many samples the file names, and how many of them are new
 * @throws DataError when a file of that name is there and is no such list
 */
export async function writeFixList(report: LookReport, file: string): Promise<{ all: number; added: number }> {
  const before = existsSync(file) ? readExclusions(file) : [];
  const known = new Set(before.map(({ name }) => name));
  const added = exclusionsFrom(report).filter(({ name }) => !known.has(name));
  const lines = [...before, ...added].map((entry) => `${JSON.stringify(entry)}\n`);
  await writeFileAtomic(file, lines.join(''));
  return { all: lines.length, added: added.length };
}
