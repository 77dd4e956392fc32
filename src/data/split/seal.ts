/**
 * Opening the seal of a test part. Not for the public, and exported from no index: only the test step imports this file. Each use is on
 * disk before the first label is handed out.
 */
import { DataError } from '../errors.js';
import { contentsOf } from '../sources/sealing.js';
import { subset } from '../sources/subset.js';
import type { Dataset } from '../types.js';
import { recordIn } from './file.js';
import { appended, type Json, type SealUse, secretsOf, usesOf } from './seal-events.js';
import type { Split } from './split.js';

export interface OpenSealOptions {
  /**
   * Files of this split that keep the record: the run's `split.json`, and where it came from. What any of them knows counts, and the use is
   * written into all of them.
   */
  readonly files: readonly string[];
  /** What opens it, as typed: `praxis test runs/2026-11-22-flowers`. */
  readonly command: string;
  /** Name of the run whose model is tested. */
  readonly run?: string | undefined;
  /** Allows a use after the first. */
  readonly again?: boolean | undefined;
  /** When; for tests. */
  readonly now?: () => Date;
}

export interface OpenedSeal {
  /** The test part with names, labels and paths, in the order of the data set. */
  readonly dataset: Dataset;
  readonly use: SealUse;
  /** How often the test part was opened, this time included: reports show it. */
  readonly uses: number;
  /** Writes down what came out. */
  record(result: Json): Promise<void>;
}

/** The test part as it was before it was sealed. */
function openedTest(dataset: Dataset, indices: readonly number[], name: string): Dataset {
  const contents = contentsOf(dataset);
  // A data set that speaks of the same samples and is no view of the sealed one.
  const bare: Record<string, unknown> = {};
  const answers: Record<string, unknown> = {
    sampleName: contents.name,
    labels: contents.labels,
    target: (index: number) => contents.labels(index)[0],
    group: (index: number) => contents.group?.(index),
    officialParts: undefined,
    ...(dataset.kind === 'pictures' ? { location: (index: number) => contents.location?.(index) } : {}),
    ...(dataset.kind === 'table' ? { cell: (i: number, c: number) => dataset.cell(i, c) } : {}),
    ...(dataset.kind === 'text' ? { text: (i: number) => dataset.text(i) } : {}),
    ...(dataset.kind === 'tensors' ? { input: dataset.input } : {}),
  };
  for (const key of ['name', 'root', 'length', 'classes', 'multiLabel', 'skipped', 'kind', 'columns'] as const)
    if (key in dataset) answers[key] = (dataset as unknown as Record<string, unknown>)[key];
  for (const [key, value] of Object.entries(answers)) Object.defineProperty(bare, key, { value, enumerable: true });
  return subset(bare as unknown as Dataset, indices, { name });
}

/**
 * Opens the test part for one test and writes the use down.
 * @throws DataError when it was opened before and `again` is not set; when there is no file to write it into, or the file was changed
 */
export async function openSeal(split: Split, options: OpenSealOptions): Promise<OpenedSeal> {
  const secrets = secretsOf(split);
  const time = (options.now?.() ?? new Date()).toISOString();
  if (options.files.length === 0)
    throw new DataError('the use of a test part is written into its split file; save the split first (saveSplit)');
  if (secrets.parts.test.length === 0)
    throw new DataError(`${split.name} was split without a test part; there is nothing to open`);
  let number = 0;
  await recordIn(options.files, split, (events) => {
    const before = usesOf(events);
    const last = before.at(-1);
    if (last && !options.again)
      throw new DataError(
        `the test part of ${split.name} was opened ${before.length === 1 ? 'once' : `${before.length} times`} already, last on ${last.time.slice(0, 10)} by "${last.command}"; each further look makes its result less true: pass again: true (--again) if you must, and every report will show it`,
      );
    number = before.length + 1;
    return appended(
      events,
      { kind: 'opened', use: number, time, command: options.command, run: options.run ?? null },
      split.fingerprint,
    );
  });
  const use = split.uses.find((known) => known.number === number) as SealUse;
  return {
    dataset: openedTest(secrets.dataset, secrets.parts.test, `${split.name} (test)`),
    use,
    uses: number,
    async record(result) {
      await recordIn(options.files, split, (events) => {
        if (events.some((event) => event.kind === 'result' && event.use === number))
          throw new DataError(`the result of use ${number} of the test part is written down already`);
        const at = (options.now?.() ?? new Date()).toISOString();
        return appended(events, { kind: 'result', use: number, time: at, result }, split.fingerprint);
      });
    },
  };
}
