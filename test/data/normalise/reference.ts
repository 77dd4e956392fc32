/** NumPy's and scikit-learn's answers, where the Python is there. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { python, runPython, skipLive } from '../../support/python.js';

const script = fileURLToPath(new URL('reference.py', import.meta.url));

/** For node:test's `skip`: false, or why there is nothing to compare with. */
export const skipWithout = (module: string): string | false =>
  skipLive ||
  (spawnSync(python?.command ?? '', ['-W', 'ignore', '-c', `import ${module}`], { env: python?.environment }).status !==
    0 &&
    `Python has no ${module}`);

export const reference = <Result>(what: 'channels' | 'table' | 'text', input: unknown): Result =>
  runPython<Result>([script, what], input);

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is deleted when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-normalise-'));
  folders.push(folder);
  return folder;
}

export function near(ours: ArrayLike<number>, theirs: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(ours.length, theirs.length, `${what}: as many numbers`);
  for (let i = 0; i < ours.length; i++)
    assert.ok(
      Math.abs((ours[i] as number) - (theirs[i] as number)) <= tolerance * Math.max(1, Math.abs(theirs[i] as number)),
      `${what}, number ${i}: ${ours[i]}, wanted ${theirs[i]}`,
    );
}
