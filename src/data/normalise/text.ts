/** Texts: from words to a row of numbers each, by the vocabulary of the training part. */
import { DataError } from '../errors.js';
import type { TensorDataset, TextDataset } from '../types.js';
import { byCodePoint } from './columns.js';
import { checkTrainingPart, roomFor, withInput } from './rows.js';

/** Ids that stand for no word; words begin after them. */
export const paddingId = 0;
export const unknownId = 1;
const firstWord = 2;

const word = /[\p{L}\p{M}\p{N}_]+(?:['’][\p{L}\p{M}\p{N}_]+)*/gu;

/**
 * The words of a text: NFC, in lower case, runs of Unicode letters, marks, digits and `_`, with apostrophes inside (`don’t` is one word).
 * Scripts without spaces between words (Chinese, Japanese, Thai) come out in whole clauses: put spaces there first.
 */
export function wordsOf(text: string): string[] {
  return text.normalize('NFC').toLowerCase().replaceAll('’', "'").match(word) ?? [];
}

export interface FitVocabularyOptions {
  /** The most frequent words are kept, at most so many; 2,000 by default. */
  readonly maxWords?: number;
  /** Words that occur in fewer texts are not kept; 2 by default, 1 where no word occurs in two. */
  readonly minTexts?: number;
  /** `tf-idf` (default): how often a word occurs, times how rare it is; `counts`: how often it occurs. */
  readonly weighting?: 'tf-idf' | 'counts';
  /**
   * Length of a row: `features` (default) makes it the root of the number of features, so that their mean square is 1, as a network's first
   * weights expect; `one` is scikit-learn's; `none` leaves it.
   */
  readonly length?: 'features' | 'one' | 'none';
  /** 1 + log(count) in place of the count. */
  readonly sublinear?: boolean;
}

export interface TextNormaliserJson {
  readonly kind: 'text';
  readonly version: 1;
  /** Texts of the training part. */
  readonly texts: number;
  /** Most frequent first. */
  readonly words: readonly string[];
  /** In how many texts of the training part each word occurs. */
  readonly textsWith: readonly number[];
  readonly weighting: 'tf-idf' | 'counts';
  readonly length: 'features' | 'one' | 'none';
  readonly sublinear: boolean;
}

/** Makes tensors of texts, the same way each time. */
export class TextNormaliser {
  readonly #places: ReadonlyMap<string, number>;
  readonly #weights: Float64Array;

  /** @internal Use `fitVocabulary` or `TextNormaliser.fromJSON`. */
  constructor(private readonly json: TextNormaliserJson) {
    this.#places = new Map(json.words.map((one, i) => [one, i]));
    this.#weights = Float64Array.from(json.textsWith, (count) =>
      // As if one more text held every word: scikit-learn's `smooth_idf`.
      json.weighting === 'counts' ? 1 : Math.log((1 + json.texts) / (1 + count)) + 1,
    );
  }

  /** The words, most frequent first: the names of the features. */
  get features(): readonly string[] {
    return this.json.words;
  }

  /** Number of ids that `encode` gives: the words, padding and unknown. */
  get ids(): number {
    return this.json.words.length + firstWord;
  }

  /**
   * Ids of a text's words in their order: 0 fills up, 1 is a word that the training part does not have (often enough), words begin at 2.
   * @param length cut or filled up to so many
   */
  encode(text: string, options: { readonly length?: number } = {}): number[] {
    const ids = wordsOf(text).map((one) => {
      const place = this.#places.get(one);
      return place === undefined ? unknownId : place + firstWord;
    });
    const { length = ids.length } = options;
    return Array.from({ length }, (_, i) => ids[i] ?? paddingId);
  }

  /** The texts as float32 [N, words], with their names, labels and seals. A text of unknown words only is a row of zeros. */
  apply(dataset: TextDataset): TensorDataset {
    const width = this.json.words.length;
    const values = roomFor(dataset, width, 'lower maxWords');
    for (let i = 0; i < dataset.length; i++) this.#write(dataset.text(i), values.subarray(i * width, (i + 1) * width));
    return withInput(dataset, values, width);
  }

  #write(text: string, row: Float32Array): void {
    const counts = new Map<number, number>();
    for (const one of wordsOf(text)) {
      const place = this.#places.get(one);
      if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    let squares = 0;
    const found: [number, number][] = [];
    // In the order of the features: a sum in another order could differ in its last bit.
    for (const [place, count] of [...counts].sort(([a], [b]) => a - b)) {
      const value = (this.json.sublinear ? 1 + Math.log(count) : count) * (this.#weights[place] as number);
      squares += value * value;
      found.push([place, value]);
    }
    const { length } = this.json;
    const scale = length === 'none' ? 1 : Math.sqrt((length === 'one' ? 1 : row.length) / squares);
    for (const [place, value] of found) row[place] = value * scale;
  }

  /** `1,204 words of 700 texts, weighted by tf-idf`. */
  describe(): string {
    const { words, texts, weighting } = this.json;
    const number = (n: number) => n.toLocaleString('en-GB');
    return `${number(words.length)} words of ${number(texts)} texts, ${weighting === 'counts' ? 'counted' : 'weighted by tf-idf'}`;
  }

  toJSON(): TextNormaliserJson {
    return this.json;
  }

  /** @throws DataError when it is not what `toJSON` gave */
  static fromJSON(json: unknown): TextNormaliser {
    const given = (json ?? {}) as Partial<TextNormaliserJson>;
    const { kind, version, words, textsWith } = given;
    if (kind !== 'text' || version !== 1 || !Array.isArray(words) || words.length !== textsWith?.length)
      throw new DataError('this is not the normalisation of texts; give what TextNormaliser.toJSON gave.');
    return new TextNormaliser(given as TextNormaliserJson);
  }
}

/**
 * Settles the vocabulary of the training part: its most frequent words.
 * @param train the training part and nothing else, as `split.train`
 * @throws DataError when a sample is sealed, an option is wrong, or there is no word
 */
export function fitVocabulary(train: TextDataset, options: FitVocabularyOptions = {}): TextNormaliser {
  checkTrainingPart(train, 'fitVocabulary');
  const { maxWords = 2000, minTexts, weighting = 'tf-idf', length = 'features', sublinear = false } = options;
  for (const [name, value] of Object.entries({ maxWords, minTexts: minTexts ?? 1 }))
    if (!Number.isInteger(value) || value < 1)
      throw new DataError(`fitVocabulary: ${name} is an integer from 1 on, got ${String(value)}.`);
  if (weighting !== 'tf-idf' && weighting !== 'counts')
    throw new DataError(`fitVocabulary: weighting is tf-idf or counts, got ${String(weighting)}.`);
  if (length !== 'features' && length !== 'one' && length !== 'none')
    throw new DataError(`fitVocabulary: length is features, one or none, got ${String(length)}.`);
  const occurrences = new Map<string, number>();
  const textsWith = new Map<string, number>();
  for (let i = 0; i < train.length; i++) {
    const words = wordsOf(train.text(i));
    for (const one of words) occurrences.set(one, (occurrences.get(one) ?? 0) + 1);
    for (const one of new Set(words)) textsWith.set(one, (textsWith.get(one) ?? 0) + 1);
  }
  if (occurrences.size === 0) throw new DataError(`${train.name}: there is no word in its ${train.length} texts.`);
  const often = (least: number): [string, number][] =>
    [...occurrences].filter(([one]) => (textsWith.get(one) as number) >= least);
  let candidates = often(minTexts ?? 2);
  if (candidates.length === 0 && minTexts === undefined) candidates = often(1);
  if (candidates.length === 0)
    throw new DataError(
      `${train.name}: no word occurs in ${minTexts} of its ${train.length} texts; lower minTexts to have some.`,
    );
  const words = candidates
    .sort(([a, x], [b, y]) => y - x || byCodePoint(a, b))
    .slice(0, maxWords)
    .map(([one]) => one);
  return new TextNormaliser({
    kind: 'text',
    version: 1,
    texts: train.length,
    words,
    textsWith: words.map((one) => textsWith.get(one) as number),
    weighting,
    length,
    sublinear,
  });
}
