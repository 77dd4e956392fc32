import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { callTensor } from '../../src/torch/dispatch.js';
import { loadWith } from '../../src/torch/files/formats.js';
import { load } from '../../src/torch/files/index.js';
import { native } from '../../src/torch/load.js';
import { Tensor } from '../../src/torch/tensor.js';
import { fakeEngine } from '../torch/files/fake-engine.js';
import { mutate, randomFrom } from './mutate.js';

/** Inputs for the readers alone, for the readers with libtorch, and for mapped files. */
const COUNTS = { readers: 60_000, engine: 40_000, mapped: 5_000 };
/** Another seed looks elsewhere; the same one gives the same inputs. */
const SEED = Number(process.env.PRAXIS_FUZZ_SEED ?? 1);
const SLOWEST_MS = 1000;
const LARGEST_BYTES = 1e9;

const golden = fileURLToPath(new URL('../golden/files/', import.meta.url));
const names = readdirSync(golden).filter((name) => !name.endsWith('.json'));
const seeds = names.map((name) => readFileSync(path.join(golden, name)));
/** Old engines read no file with new dtypes: every mutation of one would end in the same error. */
const modern = Number(native.info().torch.split('.')[0]) >= 2;
const forEngine = names.flatMap((name, index) => (modern || !/^(dtypes|dense)/.test(name) ? [index] : []));

interface Outcome {
  loaded: number;
  refused: number;
  slowest: number;
  readonly messages: Set<string>;
}

/** Loads `count` broken files: each gives a value or an Error, in time. */
async function fuzz(
  count: number,
  seed: number,
  choices: readonly number[],
  run: (file: Buffer, name: string) => Promise<void>,
): Promise<Outcome> {
  const random = randomFrom(seed);
  const outcome: Outcome = { loaded: 0, refused: 0, slowest: 0, messages: new Set() };
  for (let index = 0; index < count; index++) {
    const choice = choices[random(choices.length)]!;
    const file = mutate(seeds[choice]!, random, seeds);
    const start = performance.now();
    const used = process.cpuUsage();
    try {
      await run(file, names[choice]!);
      outcome.loaded++;
    } catch (error) {
      if (
        !(error instanceof Error) ||
        /BUG|stack size|Invalid array length|Array buffer allocation/.test(error.message)
      ) {
        throw new Error(`input ${index} of seed ${seed} (${names[choice]}) broke the reader`, { cause: error });
      }
      outcome.refused++;
      outcome.messages.add(error.message.replaceAll(/\d+|"[^"]*"/g, '#').slice(0, 80));
    }
    const time = performance.now() - start;
    outcome.slowest = Math.max(outcome.slowest, time);
    // Both must be long: on a busy machine the clock alone proves nothing.
    const { user, system } = time < SLOWEST_MS ? { user: 0, system: 0 } : process.cpuUsage(used);
    assert.ok(
      (user + system) / 1000 < SLOWEST_MS,
      `input ${index} of seed ${seed} (${names[choice]}) took ${time.toFixed(0)} ms`,
    );
    // Lets deferred work run, as between the loads of a real program.
    if (index % 100 === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const { rss } = process.memoryUsage();
      assert.ok(rss < LARGEST_BYTES, `input ${index} of seed ${seed}: ${(rss / 1e6).toFixed(0)} MB in use`);
    }
  }
  return outcome;
}

/** Looks at everything a file gave, as a program would: reads the elements of all tensors that are not absurdly large. */
function touch(root: unknown): void {
  const pending = [root];
  const seen = new Set<unknown>();
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Tensor) {
      if (value.numel() < 1e6)
        native.read(value.layout === 'strided' ? value.handle : callTensor('to_dense', value).handle);
    } else if (value instanceof Map) {
      pending.push(...value.keys(), ...value.values());
    } else {
      pending.push(...(value instanceof Set ? value : Object.values(value)));
    }
  }
}

/** A fuzz that only ever sees one answer tests nothing: both must be frequent, and the refusals varied. */
function checkVariety({ loaded, refused, messages }: Outcome, count: number): void {
  assert.equal(loaded + refused, count);
  assert.ok(loaded > count / 100, `${loaded} of ${count} loaded`);
  assert.ok(refused > count / 4, `${refused} of ${count} refused`);
  assert.ok(messages.size > 60, `${messages.size} kinds of refusal`);
}

const all = seeds.map((_, index) => index);

test(`${COUNTS.readers} broken files: the readers give a value or an Error, quickly and within memory`, async (t) => {
  const outcome = await fuzz(COUNTS.readers, SEED, all, async (file) => void (await loadWith(fakeEngine, file, {})));
  checkVariety(outcome, COUNTS.readers);
  t.diagnostic(
    `${outcome.loaded} loaded, ${outcome.refused} refused in ${outcome.messages.size} ways, slowest ${outcome.slowest.toFixed(0)} ms`,
  );
});

test(`${COUNTS.engine} broken files with libtorch: the same, and what loads can be read`, async (t) => {
  const outcome = await fuzz(COUNTS.engine, SEED + 1000, forEngine, async (file) => touch(await load(file)));
  checkVariety(outcome, COUNTS.engine);
  t.diagnostic(
    `${outcome.loaded} loaded, ${outcome.refused} refused in ${outcome.messages.size} ways, slowest ${outcome.slowest.toFixed(0)} ms`,
  );
});

test(`${COUNTS.mapped} broken files, mapped`, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-fuzz-'));
  after(() => rmSync(folder, { recursive: true }));
  const outcome = await fuzz(COUNTS.mapped, SEED + 2000, forEngine, async (file, name) => {
    const place = path.join(folder, `broken${path.extname(name)}`);
    rmSync(place, { force: true });
    writeFileSync(place, file);
    touch(await load(place, { mmap: true }));
  });
  checkVariety(outcome, COUNTS.mapped);
  t.diagnostic(
    `${outcome.loaded} loaded, ${outcome.refused} refused in ${outcome.messages.size} ways, slowest ${outcome.slowest.toFixed(0)} ms`,
  );
});
