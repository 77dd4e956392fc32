/** Texts against scikit-learn, and the words that are found in them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  applyRows,
  type FitVocabularyOptions,
  fitRows,
  fitTable,
  fitVocabulary,
  rowNormaliserFrom,
  TextNormaliser,
  wordsOf,
} from '../../../src/data/normalise/index.js';
import { sampleRandom } from '../../../src/data/random.js';
import { subset, table, textLines } from '../../../src/data/sources/index.js';
import { splitDataset } from '../../../src/data/split/index.js';
import type { TextDataset } from '../../../src/data/types.js';
import { near, reference, skipWithout, temporaryFolder } from './reference.js';

function textsOf(texts: readonly string[]): TextDataset {
  const file = path.join(temporaryFolder(), 'texts.jsonl');
  const lines = texts.map((text, i) => JSON.stringify({ text, label: i % 2 === 0 ? 'even' : 'odd' }));
  writeFileSync(file, `${lines.join('\n')}\n`);
  return textLines(file);
}

const valuesOf = (normaliser: TextNormaliser, texts: readonly string[]): number[] => [
  ...(normaliser.apply(textsOf(texts)).input.toTypedArray() as Float32Array),
];

const garden = ['The red rose, the RED tulip', 'A white rose', 'the tulip sleeps', 'white and red and white'];

describe('words', () => {
  test('by Unicode rules', () => {
    const cases: [string, string[]][] = [
      ['The rose, the ROSE!', ['the', 'rose', 'the', 'rose']],
      ["Don’t, don't; rock ’n’ roll", ["don't", "don't", 'rock', 'n', 'roll']],
      ['Größe ÉTÉ cafe\u0301 naïve', ['größe', 'été', 'café', 'naïve']],
      ['Ροδο роза ורד وردة गुलाब', ['ροδο', 'роза', 'ורד', 'وردة', 'गुलाब']],
      ['3 roses, 12.5 m, snake_case, a-b', ['3', 'roses', '12', '5', 'm', 'snake_case', 'a', 'b']],
      ['😀 … \u0000\n\t', []],
      ['', []],
    ];
    for (const [text, words] of cases) assert.deepEqual(wordsOf(text), words, text);
  });
});

describe('as scikit-learn', () => {
  // TfidfVectorizer(vocabulary=['the', 'red', 'white', 'rose', 'tulip', 'and']).fit(garden).transform(['the red red rose', 'and the snow and'])
  const golden = [0.4082482905, 0.8164965809, 0, 0.4082482905, 0, 0, 0.3667390113, 0, 0, 0, 0, 0.930323867];
  const words = ['the', 'red', 'white', 'rose', 'tulip', 'and'];

  test('written down', () => {
    const normaliser = new TextNormaliser({
      ...{ kind: 'text', version: 1, texts: 4, words, textsWith: [2, 2, 2, 2, 2, 1] },
      ...{ weighting: 'tf-idf', length: 'one', sublinear: false },
    });
    near(valuesOf(normaliser, ['the red red rose', 'and the snow and']), golden, 1e-6, 'tf-idf');
  });

  test('live, with every option', { skip: skipWithout('sklearn') }, () => {
    const draws = sampleRandom(3, 0, 0, 32);
    const bag = Array.from({ length: 60 }, (_, i) => `word${i}`);
    const texts = (count: number) =>
      Array.from({ length: count }, () =>
        Array.from({ length: 1 + draws.integer(30) }, () => bag[Math.floor(60 * draws.uniform() ** 3)]).join(' '),
      );
    const [train, other] = [texts(80), [...texts(30), 'nothing known here']];
    for (const options of [
      { length: 'one' },
      { length: 'one', sublinear: true, maxWords: 20 },
      { length: 'none' },
      { length: 'none', weighting: 'counts', minTexts: 5 },
    ] satisfies FitVocabularyOptions[]) {
      const normaliser = fitVocabulary(textsOf(train), options);
      const { words, weighting, length, sublinear } = normaliser.toJSON();
      const theirs = reference<number[][]>('text', { train, other, words, weighting, length, sublinear });
      near(valuesOf(normaliser, other), theirs.flat(), 1e-6, JSON.stringify(options));
    }
    const [one, features] = (['one', 'features'] as const).map((length) =>
      valuesOf(fitVocabulary(textsOf(train), { length }), other),
    );
    const width = fitVocabulary(textsOf(train)).features.length;
    near(
      features as number[],
      (one as number[]).map((x) => x * Math.sqrt(width)),
      1e-6,
      'scaled',
    );
    const known = (features as number[]).slice(0, 30 * width);
    near([known.reduce((sum, x) => sum + x * x, 0) / known.length], [1], 1e-5, 'mean square');
  });
});

describe('fitVocabulary', () => {
  test('keeps the most frequent words, of enough texts', () => {
    const words = (options?: FitVocabularyOptions) => fitVocabulary(textsOf(garden), options).features;
    assert.deepEqual(words(), ['red', 'the', 'white', 'rose', 'tulip']);
    assert.deepEqual(words({ maxWords: 2 }), ['red', 'the']);
    assert.deepEqual(words({ minTexts: 1 }), ['red', 'the', 'white', 'and', 'rose', 'tulip', 'a', 'sleeps']);
    // No word in two texts: better some words than none, unless it was asked for.
    assert.deepEqual(fitVocabulary(textsOf(['a', 'b b'])).features, ['b', 'a']);
    assert.throws(() => words({ minTexts: 4 }), /no word occurs in 4 of its 4 texts/);
    assert.throws(() => fitVocabulary(textsOf(['!', '…'])), /no word in its 2 texts/);
    assert.throws(() => words({ maxWords: 0 }), /maxWords is an integer from 1 on, got 0/);
    assert.throws(() => words({ weighting: 'tfidf' as 'tf-idf' }), /weighting is tf-idf or counts/);
    assert.throws(() => words({ length: 'two' as 'one' }), /length is features, one or none/);
  });

  test('ids: padding, unknown, words', () => {
    const normaliser = fitVocabulary(textsOf(garden), { maxWords: 3 });
    assert.deepEqual(normaliser.encode('the red bike'), [3, 2, 1]);
    assert.deepEqual(normaliser.encode('white', { length: 3 }), [4, 0, 0]);
    assert.deepEqual(normaliser.encode('the red bike', { length: 2 }), [3, 2]);
    assert.deepEqual(normaliser.encode(''), []);
    assert.equal(normaliser.ids, 5);
  });

  test('a text of unknown words is a row of zeros', () => {
    const values = valuesOf(fitVocabulary(textsOf(garden)), ['bikes only', 'red']);
    assert.ok(values.every(Number.isFinite));
    assert.deepEqual(values.slice(0, 5), [0, 0, 0, 0, 0]);
  });

  test('only the training part flows in; names, labels and seals go along', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => `${i % 2 === 0 ? 'rain' : 'sun'} word${i % 7} and so on`);
    const all = textsOf(texts);
    const first = Array.from({ length: 20 }, (_, i) => i);
    const changed = textsOf(texts.map((text, i) => (i < 20 ? text : 'snow snow')));
    assert.equal(
      JSON.stringify(fitVocabulary(subset(changed, first))),
      JSON.stringify(fitVocabulary(subset(all, first))),
    );
    const split = await splitDataset(all, { duplicates: false });
    const normaliser = fitRows(split.train);
    const ready = applyRows(normaliser, split.validation);
    assert.equal(ready.sampleName(0), split.validation.sampleName(0));
    assert.equal(ready.target(0), split.validation.target(0));
    assert.throws(() => applyRows(normaliser, split.test).labels(0), /sealed test part/);
    assert.throws(() => fitVocabulary(all), /belongs to the sealed test part/);
  });

  test('through JSON to the last bit; other kinds of data are refused', () => {
    const normaliser = fitVocabulary(textsOf(garden));
    const back = rowNormaliserFrom(JSON.parse(JSON.stringify(normaliser)));
    assert.ok(back instanceof TextNormaliser);
    assert.deepEqual(valuesOf(back, garden), valuesOf(normaliser, garden));
    assert.throws(() => TextNormaliser.fromJSON({ kind: 'text', version: 1, words: ['a'], textsWith: [] }), /is not/);
    const file = path.join(temporaryFolder(), 'rows.csv');
    writeFileSync(file, 'x,label\n1,a\n2,b\n');
    assert.throws(() => applyRows(normaliser, table(file)), /rows holds table, but what was trained on held texts/);
    assert.throws(() => applyRows(fitTable(table(file)), textsOf(garden)), /texts holds texts, .* held a table/);
  });
});
