import assert from 'node:assert/strict';
import { FileFormatError } from '../../../src/torch/files/errors.js';
import { loadWith } from '../../../src/torch/files/formats.js';
import { fakeEngine } from './fake-engine.js';

/** Reads a file without an engine. */
export const load = (file: Uint8Array | string) => loadWith(fakeEngine, file, {});

/** Loading is a clear error of ours, quick and small, that says something fitting. */
export async function refuses(file: Uint8Array | string, saying: RegExp): Promise<void> {
  const before = process.memoryUsage().rss;
  // Processor time, not the clock: other programs may keep the machine busy.
  const start = process.cpuUsage();
  await assert.rejects(load(file), (error) => {
    assert.ok(error instanceof FileFormatError, String(error));
    assert.match(error.message, saying);
    assert.ok(error.message.length < 1000, 'the message is short');
    return true;
  });
  const { user, system } = process.cpuUsage(start);
  assert.ok(user + system < 4e6, `${(user + system) / 1e6} seconds`);
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 800e6, `${grown / 1e6} MB`);
}
