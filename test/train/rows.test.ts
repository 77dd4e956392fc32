/** Tables and texts through the whole recipe: learnt, tested, stopped and gone on with. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { rowNormaliserFrom, type TableNormaliser } from '../../src/data/normalise/index.js';
import { sampleRandom } from '../../src/data/random.js';
import { openDataset } from '../../src/data/sources/index.js';
import { loadSplit } from '../../src/data/split/index.js';
import { checkSettings } from '../../src/train/config/settings.js';
import { loadRun, resume, testRun, train } from '../../src/train/index.js';
import { dryRun } from '../../src/train/recipe/dry-run.js';
import { type NamedRow, type RowInput, rowsOf } from '../../src/train/use/rows.js';

const root = mkdtempSync(path.join(tmpdir(), 'praxis-rows-'));
after(() => rmSync(root, { recursive: true, force: true }));
const draws = sampleRandom(5, 0, 0, 33);

/** Three kinds of plants that differ in a skewed column, in one with gaps, and in colour; with a number per row and a constant. */
function makeTable(): string {
  const rows = Array.from({ length: 420 }, (_, i) => {
    const [size, height] = [draws.normal(), draws.normal()];
    const colour = ['red', 'white', 'blue'][draws.integer(3)] as string;
    const sum = 1.5 * size + height + (colour === 'red' ? 1.2 : -0.6) + 0.2 * draws.normal();
    const kind = sum > 0.8 ? 'rose' : sum < -0.8 ? 'daisy' : 'tulip';
    const cells = [Math.exp(2 + size).toFixed(4), draws.chance(0.1) ? '' : (50 + 10 * height).toFixed(2)];
    return [i, ...cells, draws.chance(0.05) ? 'NA' : colour, 'garden', kind].join(',');
  });
  const file = path.join(root, 'plants.csv');
  writeFileSync(file, `id,size,height,colour,place,species\n${rows.join('\n')}\n`);
  return file;
}

/** Files of words, of which a few tell the class. */
function makeTexts(): string {
  const folder = path.join(root, 'letters');
  const own: Record<string, string[]> = { joy: ['sun', 'dance', 'smile'], grief: ['rain', 'tears', 'alone'] };
  const common = ['the', 'day', 'was', 'long', 'and', 'we', 'walked', 'home', 'again', 'slowly'];
  for (const [name, words] of Object.entries(own)) {
    mkdirSync(path.join(folder, name), { recursive: true });
    for (let i = 0; i < 80; i++) {
      const text = Array.from({ length: 14 }, () =>
        draws.chance(0.15) ? words[draws.integer(3)] : common[draws.integer(10)],
      );
      writeFileSync(path.join(folder, name, `${i}.txt`), `${text.join(' ')}.\n`);
    }
  }
  return folder;
}

const settings = {
  out: path.join(root, 'runs'),
  learningRate: 3e-3,
  batchSize: 32,
  width: 32,
  depth: 1,
  precision: 'float32',
  memoryFormat: 'contiguous',
  threads: 1,
  workers: 0,
  device: 'cpu',
} as const;

const parsed = (folder: string, name: string) => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));

describe('a table', () => {
  const file = makeTable();

  test('is learnt and tested', async () => {
    const said: string[] = [];
    const training = train({ ...settings, data: file, epochs: 12, name: 'table' });
    for await (const event of training)
      if (event.kind === 'stage' && event.stage === 'normalise') said.push(event.text);
    const { folder, score, state } = await training;
    assert.equal(state, 'finished');
    assert.ok((score as number) > 0.7, `accuracy ${score}`);
    assert.match(
      said[0] ?? '',
      /^8 features of 5 columns: 2 numeric \(1 by logarithm, 1 with gaps filled by the median\), 1 c/,
    );
    assert.match(
      said[0] ?? '',
      /dropped id \(it only numbers the rows\), place \(the same value everywhere, garden\)\.$/,
    );
    const stored = parsed(folder, 'normalisation.json');
    assert.deepEqual(stored.classes, ['daisy', 'rose', 'tulip']);
    const normaliser = rowNormaliserFrom(stored) as TableNormaliser;
    const split = await loadSplit(path.join(folder, 'split.json'), openDataset(file));
    assert.equal(normaliser.rows, split.train.length);
    assert.deepEqual(stored.features, normaliser.features);
    const tested = await testRun(folder);
    assert.equal(tested.samples, split.test.length);
    assert.ok(tested.score > 0.6, `tested ${tested.score}`);
    await assert.rejects(testRun(folder), /was opened once already/);
    const run = await loadRun(folder);
    assert.equal(run.kind, 'row');
    const rows = rowsOf(file, run.rowNormaliser as TableNormaliser);
    const answers = await run.predict(
      rows.map(({ row }) => row),
      { top: 1 },
    );
    const right = answers.filter(
      ({ guesses }, i) => guesses[0]?.label === (rows[i] as { row: Record<string, string> }).row.species,
    );
    assert.ok(right.length / rows.length > 0.6, `${right.length} of ${rows.length} rows`);
    // Read from a file or given with numbers, a gap as null: the same row.
    const { id, size, height, colour, place } = (rows[3] as NamedRow).row as Record<string, string>;
    const same = { id: Number(id), size: Number(size), height: height === '' ? null : Number(height), colour, place };
    assert.deepEqual(await run.predict(same as RowInput, { top: 1 }), answers[3]);
    await assert.rejects(run.predict({ size: 1 }), /Row 1 has no column '\w+'; the run was trained on id, size/);
    await assert.rejects(run.predict('a.jpg'), /give rows as \{ column: value \}/);
    const evaluated = await run.evaluate(file);
    const sealed = new Set(parsed(folder, 'split.json').parts.test as string[]);
    const open = rows.flatMap(({ name }, i) => (sealed.has(path.basename(name)) ? [] : [i]));
    assert.equal(evaluated.samples, open.length);
    const known = open.filter((i) => right.includes(answers[i] as (typeof answers)[number]));
    assert.equal(evaluated.score, known.length / open.length);
  });

  test('goes on after a stop to the same weights, bit for bit', async () => {
    const options = { ...settings, data: file, epochs: 4 };
    const whole = await train({ ...options, name: 'whole' });
    const training = train({ ...options, name: 'parts' });
    for await (const event of training) if (event.kind === 'epoch' && event.epoch === 2) training.stop('enough');
    const { folder, state } = await training;
    assert.equal(state, 'stopped');
    const gone = await resume(folder);
    assert.equal(gone.state, 'finished');
    assert.deepEqual(
      readFileSync(path.join(folder, 'model.safetensors')),
      readFileSync(path.join(whole.folder, 'model.safetensors')),
    );
    assert.equal(gone.score, whole.score);
    const rows = (at: string) => readFileSync(path.join(at, 'validation.jsonl'), 'utf8');
    assert.equal(rows(folder), rows(whole.folder));
  });

  test('a damaged normalisation is refused by name', async () => {
    const { folder } = await train({ ...settings, data: file, epochs: 2, name: 'damaged' });
    const stored = path.join(folder, 'normalisation.json');
    const text = readFileSync(stored, 'utf8');
    writeFileSync(stored, text.slice(0, 100));
    await assert.rejects(testRun(folder), /normalisation\.json cannot be used/);
    // The seal was not broken for nothing.
    writeFileSync(stored, text);
    assert.equal((await testRun(folder)).uses, 1);
  });

  test('models for pictures are refused before anything is written', async () => {
    const refused = /model: resnet-small takes pictures, and plants holds rows; mlp takes those/;
    const out = path.join(root, 'none');
    await assert.rejects(async () => await train({ data: file, model: 'resnet-small', out }), refused);
    assert.equal(existsSync(out), false);
    await assert.rejects(dryRun(file, checkSettings({ model: 'resnet-small' }, 'test')), refused);
  });
});

test('texts are learnt and tested', async () => {
  const { folder, score } = await train({ ...settings, data: makeTexts(), epochs: 10, name: 'texts' });
  assert.ok((score as number) > 0.8, `accuracy ${score}`);
  const stored = parsed(folder, 'normalisation.json');
  assert.equal(stored.kind, 'text');
  for (const word of ['sun', 'tears', 'the']) assert.ok(stored.words.includes(word), word);
  assert.ok((await testRun(folder)).score > 0.75);
});
