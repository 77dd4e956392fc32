/** The labels of a data set: how many, how even, and whether something else gives them away. */
import { counted, someOf } from '../data/split/findings.js';
import type { Dataset } from '../data/types.js';
import { type ClassCount, type LookFinding, percent } from './report.js';

/** Classes with fewer samples than this are rare, whatever the others have: none of them can be split into three parts well. */
const fewSamples = 10;
/** The most common class over the least common one. SageMaker Debugger's ClassImbalance speaks from 10 on. */
const uneven = 3;
const veryUneven = 10;

/** Samples of each class, by class index. */
export function countClasses(dataset: Dataset): Uint32Array {
  const counts = new Uint32Array(dataset.classes.length);
  for (let index = 0; index < dataset.length; index++)
    for (const label of dataset.labels(index)) counts[label] = (counts[label] as number) + 1;
  return counts;
}

/** Ordered by count, equal ones by name. */
export function classCounts(dataset: Dataset, counts: Uint32Array): ClassCount[] {
  const total = counts.reduce((a, b) => a + b, 0) || 1;
  return dataset.classes
    .map((name, i) => ({ name, count: counts[i] as number, share: (counts[i] as number) / total }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

/** Empty, rare, lone and uneven classes. */
export function labelFindings(classes: readonly ClassCount[]): LookFinding[] {
  const findings: LookFinding[] = [];
  const filled = classes.filter(({ count }) => count > 0);
  const empty = classes.filter(({ count }) => count === 0).map(({ name }) => name);
  if (empty.length > 0)
    findings.push({
      kind: 'empty-classes',
      severity: 'warning',
      message: `${counted(empty.length, 'class has', 'classes have')} no samples: ${someOf(empty)}.`,
      evidence: { classes: empty },
      remedy: 'Remove the folder, or find out where its samples went.',
      samples: [],
    });
  if (filled.length === 1)
    findings.push({
      kind: 'one-class',
      severity: 'error',
      message: `All samples are of one class, ${filled[0]?.name}: there is nothing to tell apart.`,
      evidence: { class: filled[0]?.name },
      remedy: 'Put the samples into one folder per class, or name the column of labels.',
      samples: [],
    });
  const common = filled[0];
  const rare = filled.at(-1);
  if (!common || !rare || filled.length < 2) return findings;
  const few = filled.filter(({ count }) => count < fewSamples);
  if (few.length > 0)
    findings.push({
      kind: 'rare-classes',
      severity: 'warning',
      message: `${counted(few.length, 'class has', 'classes have')} fewer than ${fewSamples} samples: ${someOf(few.map(({ name, count }) => `${name} (${count})`))}.`,
      evidence: { classes: few },
      remedy: 'Collect more of them, or put them into one class "other"; do not trust their accuracy as they are.',
      samples: [],
    });
  const ratio = common.count / rare.count;
  if (ratio >= uneven)
    findings.push({
      kind: 'imbalance',
      severity: ratio >= veryUneven ? 'warning' : 'note',
      message: `The most common class, ${common.name} (${common.count.toLocaleString('en-GB')}), has ${ratio >= 10 ? Math.round(ratio) : ratio.toFixed(1)} times the samples of the rarest, ${rare.name} (${rare.count.toLocaleString('en-GB')}).`,
      evidence: {
        ratio,
        mostCommon: common,
        rarest: rare,
        accuracyOfAlwaysGuessingTheMostCommon: common.share,
      },
      remedy: `Judge by balanced accuracy (always guessing ${common.name} is right in ${percent(common.share)}), and draw the classes evenly or weigh the loss.`,
      samples: [],
    });
  return findings;
}

/** How often the most frequent class among the *other* samples with the same value is the sample's own: leave one out. */
export function toldBy(
  values: readonly (string | undefined)[],
  labels: readonly number[],
): { accuracy: number; covered: number } {
  const byValue = new Map<string, Map<number, number>>();
  for (const [i, value] of values.entries()) {
    if (value === undefined) continue;
    const own = byValue.get(value) ?? new Map<number, number>();
    own.set(labels[i] as number, (own.get(labels[i] as number) ?? 0) + 1);
    byValue.set(value, own);
  }
  let right = 0;
  let asked = 0;
  for (const [i, value] of values.entries()) {
    if (value === undefined) continue;
    const own = byValue.get(value) as Map<number, number>;
    const label = labels[i] as number;
    asked++;
    let best = -1;
    let most = 0;
    for (const [other, count] of own) {
      const left = other === label ? count - 1 : count;
      if (left > most) {
        most = left;
        best = other;
      }
    }
    if (best === label) right++;
  }
  return { accuracy: asked === 0 ? 0 : right / asked, covered: asked / Math.max(1, values.length) };
}
