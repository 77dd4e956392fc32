/** Looking at labelled texts: lengths, copies, vocabulary, words that give the label away. */
import { findDuplicates } from '../data/duplicates/index.js';
import { counted, someOf } from '../data/split/findings.js';
import type { TextDataset } from '../data/types.js';
import { copyFindings } from './copies.js';
import { type FindingSample, type LookFinding, percent, spreadOf, type TextSummary } from './report.js';

/** Longer than so many times the upper quartile is odd. */
const longFactor = 10;
/** A word must be in this share of a class, and be of this class this surely, to give it away. */
const leakRecall = 0.9;
const leakPrecision = 0.98;
const leastSamples = 10;

/** Words of a text: runs of letters, digits and apostrophes, in small letters. */
export const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu) ?? [];

export async function lookAtTexts(dataset: TextDataset): Promise<{ summary: TextSummary; findings: LookFinding[] }> {
  const words = new Float64Array(dataset.length);
  const characters = new Float64Array(dataset.length);
  const counts = new Map<string, number>();
  /** How many samples of each class hold a word. */
  const holders = new Map<string, Uint32Array>();
  const perClass = new Uint32Array(dataset.classes.length);
  const empty: FindingSample[] = [];
  for (let index = 0; index < dataset.length; index++) {
    const text = dataset.text(index);
    const own = wordsOf(text);
    words[index] = own.length;
    characters[index] = [...text].length;
    if (text.trim() === '') empty.push({ index, name: dataset.sampleName(index), note: 'empty', exclude: true });
    for (const word of own) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const label of dataset.labels(index)) {
      perClass[label] = (perClass[label] as number) + 1;
      for (const word of new Set(own)) {
        let held = holders.get(word);
        if (!held) {
          held = new Uint32Array(dataset.classes.length);
          holders.set(word, held);
        }
        held[label] = (held[label] as number) + 1;
      }
    }
  }
  const duplicates = await findDuplicates(dataset);
  const common = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 20);
  const summary: TextSummary = {
    words: spreadOf(words),
    characters: spreadOf(characters),
    vocabulary: counts.size,
    once: [...counts.values()].filter((count) => count === 1).length,
    common: common.map(([word, count]) => ({ word, count })),
  };
  const findings = [...copyFindings(dataset, duplicates, 'text'), ...tellTales(dataset, holders, perClass)];
  if (empty.length > 0)
    findings.push({
      kind: 'empty-text',
      severity: 'error',
      message: `${counted(empty.length, 'text is', 'texts are')} empty: ${someOf(empty.map(({ name }) => name))}.`,
      evidence: { texts: empty.length },
      remedy: 'Leave them out: there is nothing in them to learn from.',
      samples: empty,
    });
  return { summary, findings: [...findings, ...oddLengths(dataset, words, summary)] };
}

function oddLengths(dataset: TextDataset, words: Float64Array, summary: TextSummary): LookFinding[] {
  const limit = longFactor * Math.max(1, summary.words.upper);
  const samples: FindingSample[] = [];
  words.forEach((count, index) => {
    if (count > limit) samples.push({ index, name: dataset.sampleName(index), note: `${count} words` });
  });
  if (samples.length === 0) return [];
  samples.sort((a, b) => (words[b.index] as number) - (words[a.index] as number));
  return [
    {
      kind: 'odd-length',
      severity: 'note',
      message: `${counted(samples.length, 'text is', 'texts are')} more than ${longFactor} times longer than most: ${someOf(samples.map(({ name, note }) => `${name} (${note})`))}.`,
      evidence: { limit, median: summary.words.median },
      remedy:
        'Look whether several texts ran together (a missing line end or quote?); what is beyond the longest length used is cut off.',
      samples,
    },
  ];
}

/** Words that nearly all texts of a class hold and no others. */
function tellTales(
  dataset: TextDataset,
  holders: ReadonlyMap<string, Uint32Array>,
  perClass: Uint32Array,
): LookFinding[] {
  if (dataset.multiLabel || dataset.classes.length < 2) return [];
  const found: { word: string; class: string; recall: number; precision: number }[] = [];
  for (const [word, held] of holders) {
    const total = held.reduce((a, b) => a + b, 0);
    held.forEach((count, label) => {
      const size = perClass[label] as number;
      if (size >= leastSamples && size < dataset.length && count >= leakRecall * size && count >= leakPrecision * total)
        found.push({
          word,
          class: dataset.classes[label] as string,
          recall: count / size,
          precision: count / total,
        });
    });
  }
  if (found.length === 0) return [];
  found.sort((a, b) => b.recall - a.recall);
  return [
    {
      kind: 'label-leak',
      severity: 'warning',
      message: `${counted(found.length, 'word gives', 'words give')} the class away: ${someOf(found.map((own) => `'${own.word}' is in ${percent(own.recall)} of ${own.class} and hardly anywhere else`))}.`,
      evidence: { words: found.slice(0, 100) },
      remedy: 'Fine if the word means the class; if it is a header, a signature or the label itself, take it out.',
      samples: [],
    },
  ];
}
