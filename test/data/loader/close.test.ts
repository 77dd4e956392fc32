/** Loaders that are closed while a loop over them is under way. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { DataError } from '../../../src/data/errors.js';
import { DataLoader } from '../../../src/data/loader/index.js';
import { digests, makeFiles, smallForm, temporaryFolder, withLoader } from './pictures.js';

const names = Array.from({ length: 6 }, (_, i) => `good${i}`);
const decoder = new URL('./decoder-gate.ts', import.meta.url);
// The very module that loaders load.
const { shutGate }: typeof import('./decoder-gate.js') = await import(decoder.href);

const isClosed = (error: unknown): boolean => {
  assert.ok(error instanceof DataError, String(error));
  assert.match(error.message, /it was closed while a loop over it was under way/);
  return true;
};

/** Files of a folder that this process has open; empty where the system does not tell. */
function openFilesIn(folder: string): string[] {
  let descriptors: string[];
  try {
    descriptors = readdirSync('/proc/self/fd');
  } catch {
    return [];
  }
  return descriptors.flatMap((descriptor) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${descriptor}`);
      return file.startsWith(folder) ? [file] : [];
    } catch {
      return [];
    }
  });
}

test('what is being decoded when a loader is closed is written to its cache, or not at all', {
  timeout: 60_000,
}, async () => {
  const dataset = makeFiles(names);
  const folder = temporaryFolder();
  const options = { dataset, decoder, batchSize: 3, form: smallForm, workers: 0, cache: { folder } };
  await withLoader(options, (loader) => digests(loader));
  // The next loader finds all pictures in the cache, and every one of them changed since.
  for (const name of names) utimesSync(path.join(dataset.root, name), new Date(), new Date(1e12));
  const loader = new DataLoader(options);
  const gate = shutGate();
  const end = loader[Symbol.asyncIterator]()
    .next()
    .catch((error: unknown) => error);
  await gate.reached;
  const closing = loader.close();
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  // Files that are opened now get the numbers of those that were closed.
  const victim = path.join(temporaryFolder(), 'victim');
  const bytes = Buffer.alloc(10_000, 7);
  writeFileSync(victim, bytes);
  const descriptors = Array.from({ length: 8 }, () => openSync(victim, 'r+'));
  gate.open();
  await closing;
  const error = await end;
  for (const descriptor of descriptors) closeSync(descriptor);
  assert.deepEqual(readFileSync(victim), bytes);
  assert.ok(isClosed(error));
  assert.deepEqual(openFilesIn(folder), []);
});

test('a loop whose loader is closed ends with the reason, wherever it is', { timeout: 60_000 }, async () => {
  const dataset = makeFiles(names);
  // The second and third time the pictures come from the cache, if there is one.
  for (const workers of [0, 1])
    for (const cache of [false, { folder: temporaryFolder() }])
      for (let round = 0; round < 3; round++) {
        const options = { dataset, decoder, batchSize: 3, form: smallForm, workers, cache };
        const atOnce = new DataLoader(options);
        const refused = assert.rejects(atOnce[Symbol.asyncIterator]().next(), isClosed);
        await atOnce.close();
        await refused;
        const within = new DataLoader(options);
        await assert.rejects(async () => {
          for await (const _ of within) await within.close();
        }, isClosed);
        if (cache !== false) await withLoader(options, (loader) => digests(loader));
      }
});
