/**
 * How well the classes can be told apart before anything is trained: ridge regression from cheap features to the classes, by
 * cross-validation. What this reaches, a network must beat; a class that it cannot tell from another needs a closer look.
 */
import { featureLength } from '../../data/pictures/features.js';
import { permutation } from '../../data/random.js';
import { type Tensor, torch } from '../../torch/index.js';
import type { Separability } from '../report.js';
import { featureRows } from './space.js';

const folds = 5;
/** More samples make the answer no better, only later. */
const mostSamples = 20_000;
/** Weight of the ridge per sample. */
const ridge = 0.03;

export interface ProbeOptions {
  readonly seed?: number;
  /** Samples that belong together lie in one fold: copies would give the answer away. */
  readonly groupOf?: ((index: number) => number) | undefined;
}

/**
 * @param features `featureLength` bytes per picture
 * @param labels the class of each picture; −1: not used
 */
export function probeClasses(
  features: Uint8Array,
  labels: Int32Array,
  classes: readonly string[],
  { seed = 0, groupOf = (index) => index }: ProbeOptions = {},
): Separability | null {
  const order = permutation(labels.length, seed, 0);
  const counts = new Uint32Array(classes.length);
  const used: number[] = [];
  for (const index of order) {
    const label = labels[index] as number;
    if (label < 0 || used.length >= mostSamples) continue;
    used.push(index);
    counts[label] = (counts[label] as number) + 1;
  }
  // Classes with fewer samples than folds cannot be learned from and asked in turn.
  const asked = used.filter((index) => (counts[labels[index] as number] as number) >= folds);
  const present = [...counts].map((count, label) => ({ count, label })).filter(({ count }) => count >= folds);
  if (present.length < 2 || asked.length < 10 * folds) return null;
  // Each class is dealt to the folds in turn, so that every fold holds its share of each.
  const dealt = new Uint32Array(classes.length);
  const foldOfGroup = new Map<number, number>();
  const foldOf = asked.map((index) => {
    const group = groupOf(index);
    let fold = foldOfGroup.get(group);
    if (fold === undefined) {
      const label = labels[index] as number;
      fold = (dealt[label] as number) % folds;
      dealt[label] = (dealt[label] as number) + 1;
      foldOfGroup.set(group, fold);
    }
    return fold;
  });
  const guesses = crossValidate(features, asked, foldOf, labels, counts);
  return scored(guesses, asked, labels, classes, present);
}

function crossValidate(
  features: Uint8Array,
  asked: readonly number[],
  foldOf: readonly number[],
  labels: Int32Array,
  counts: Uint32Array,
): Int32Array {
  const classes = counts.length;
  const guesses = new Int32Array(asked.length).fill(-1);
  torch.noGrad(() => {
    torch.scope(() => {
      const rows = featureRows(features, asked, 0, featureLength);
      const bias = torch.ones([asked.length, 1]);
      const input = torch.cat([rows, bias], 1);
      // Each class has the same weight in all, as in balanced accuracy.
      const weights = Float32Array.from(asked, (index) =>
        Math.sqrt(asked.length / (classes * (counts[labels[index] as number] as number))),
      );
      const weighted = input.mul(torch.tensor(weights).unsqueeze(1));
      const target = new Float32Array(asked.length * classes);
      asked.forEach((index, row) => {
        target[row * classes + (labels[index] as number)] = weights[row] as number;
      });
      const wanted = torch.fromBuffer(target, { shape: [asked.length, classes] });
      const size = featureLength + 1;
      for (let fold = 0; fold < folds; fold++) {
        const inside: bigint[] = [];
        const outside: bigint[] = [];
        foldOf.forEach((own, row) => {
          (own === fold ? outside : inside).push(BigInt(row));
        });
        if (inside.length === 0 || outside.length === 0) continue;
        torch.scope(() => {
          const x = weighted.indexSelect(0, torch.tensor(inside));
          const y = wanted.indexSelect(0, torch.tensor(inside));
          const normal = x
            .t()
            .matmul(x)
            .add(torch.eye(size).mul(ridge * inside.length));
          const solution: Tensor = torch.linalg.solve(normal, x.t().matmul(y));
          const answers = input
            .indexSelect(0, torch.tensor(outside))
            .matmul(solution)
            .argmax(1)
            .toTypedArray() as BigInt64Array;
          answers.forEach((answer, at) => {
            guesses[Number(outside[at])] = Number(answer);
          });
        });
      }
    });
  });
  return guesses;
}

function scored(
  guesses: Int32Array,
  asked: readonly number[],
  labels: Int32Array,
  classes: readonly string[],
  present: readonly { readonly count: number; readonly label: number }[],
): Separability {
  const confusion = new Map<number, Map<number, number>>();
  for (const { label } of present) confusion.set(label, new Map());
  asked.forEach((index, row) => {
    const own = confusion.get(labels[index] as number) as Map<number, number>;
    const guess = guesses[row] as number;
    own.set(guess, (own.get(guess) ?? 0) + 1);
  });
  const recalls = present.map(({ label }) => {
    const row = confusion.get(label) as Map<number, number>;
    const total = [...row.values()].reduce((a, b) => a + b, 0);
    return { name: classes[label] as string, recall: (row.get(label) ?? 0) / total };
  });
  let confused: Separability['confused'] = null;
  for (const { label } of present) {
    const row = confusion.get(label) as Map<number, number>;
    const total = [...row.values()].reduce((a, b) => a + b, 0);
    for (const [guess, count] of row)
      if (guess !== label && guess >= 0 && (confused === null || count / total > confused[2]))
        confused = [classes[label] as string, classes[guess] as string, count / total];
  }
  return {
    balancedAccuracy: recalls.reduce((sum, { recall }) => sum + recall, 0) / recalls.length,
    chance: 1 / present.length,
    recalls,
    confused,
    samples: asked.length,
    folds,
  };
}
