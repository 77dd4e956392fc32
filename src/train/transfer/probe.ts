/** The head start: how much the features of a frozen body know of new classes, told in seconds. A linear layer, and the nearest neighbours. */

import { functional as F } from '../../nn/index.js';
import { Adam } from '../../optim/index.js';
import { type Tensor, torch } from '../../torch/index.js';
import type { Features } from './features.js';

/** A linear layer on frozen features. */
export interface LinearProbe {
  /** [classes, features], for features as they come. */
  readonly weight: Tensor;
  /** [classes]. */
  readonly bias: Tensor;
  /** How strongly the weights were held to zero; chosen on a fifth of the training part. */
  readonly decay: number;
}

/** More than this adds nothing but time. */
const mostSamples = 20_000;
const decays = [1e-4, 1e-3, 1e-2, 1e-1, 1] as const;
const steps = 300;

/** Mean and deviation of each feature; one that never varies is left as it is. */
function standardise(features: Tensor): { mean: Tensor; scale: Tensor } {
  const mean = features.mean(0, true);
  const deviation = features.std(0, false, true);
  return { mean, scale: torch.where(deviation.gt(1e-6), deviation.reciprocal(), torch.onesLike(deviation)) };
}

/**
 * Multinomial logistic regressions, one for each decay, all at once: minimises the mean cross-entropy plus decay / 2 · |weight|² over
 * standardised features. Convex, so that nothing depends on where it starts.
 */
function fit(
  features: Tensor,
  target: Tensor,
  classes: number,
  strengths: readonly number[],
): { weight: Tensor; bias: Tensor } {
  const count = strengths.length;
  const [samples = 0, width = 0] = features.shape;
  const weight = torch.zeros(count, classes, width, { requiresGrad: true });
  const bias = torch.zeros(count, 1, classes, { requiresGrad: true });
  const strength = torch.tensor([...strengths]).view(count, 1, 1);
  const optimizer = new Adam([weight, bias], { lr: 0.1 });
  const repeated = target.repeat(count);
  for (let step = 0; step < steps; step++) {
    torch.scope(() => {
      const rate = 0.1 * 0.5 * (1 + Math.cos((Math.PI * step) / steps));
      for (const group of optimizer.paramGroups) group.lr = rate;
      const logits = features.matmul(weight.transpose(1, 2)).add(bias);
      const loss = F.crossEntropy(logits.reshape(count * samples, classes), repeated, { reduction: 'sum' })
        .div(samples)
        .add(weight.square().mul(strength).sum().div(2));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    });
  }
  return { weight: weight.detach(), bias: bias.detach() };
}

/** Every fifth sample, in an order of its own, for choosing the decay; too few samples choose nothing. */
function parts(samples: number): { fitting: Tensor; judging: Tensor } {
  const order = torch.forkRng(() => {
    torch.manualSeed(0);
    return torch.randperm(samples);
  });
  const judged = Math.floor(samples / 5);
  return { fitting: order.narrow(0, judged, samples - judged), judging: order.narrow(0, 0, judged) };
}

/** At most so many samples, a random choice of them. */
function some({ features, target }: Features): Features {
  const samples = features.shape[0] as number;
  if (samples <= mostSamples) return { features, target };
  const { fitting } = parts(samples);
  const chosen = fitting.narrow(0, 0, mostSamples);
  return { features: features.indexSelect(0, chosen), target: target.indexSelect(0, chosen) };
}

/**
 * Fits a linear layer to frozen features: multinomial logistic regression on standardised features, its decay chosen on a fifth of them.
 * Takes seconds; the same every time. Random numbers are left as they are.
 */
export function linearProbe(given: Features, classes: number): LinearProbe {
  return torch.scope(() => {
    const { features, target } = some(given);
    const { mean, scale } = torch.noGrad(() => standardise(features));
    const standard = torch.noGrad(() => features.sub(mean).mul(scale));
    const { fitting, judging } = parts(features.shape[0] as number);
    let decay: number = decays[2];
    if ((judging.shape[0] as number) >= 2 * classes) {
      const tried = fit(standard.indexSelect(0, fitting), target.indexSelect(0, fitting), classes, decays);
      const judged = standard.indexSelect(0, judging);
      const losses = decays.map((_, i) => {
        const logits = judged.matmul((tried.weight.select(0, i) as Tensor).t()).add(tried.bias.select(0, i) as Tensor);
        return F.crossEntropy(logits, target.indexSelect(0, judging)).item() as number;
      });
      decay = decays[losses.indexOf(Math.min(...losses))] as number;
    }
    const { weight, bias } = fit(standard, target, classes, [decay]);
    // For features as they come: w·(x − m)·s + b.
    const raw = weight.select(0, 0).mul(scale);
    const offset = bias.view(classes).sub(raw.matmul(mean.view(-1)));
    return { weight: raw, bias: offset, decay };
  });
}

/** Share of samples whose class a probe names. */
export function probeAccuracy({ weight, bias }: LinearProbe, { features, target }: Features): number {
  return torch.scope(() => F.linear(features, weight, bias).argmax(1).eq(target).to('float32').mean().item() as number);
}

export interface Neighbours {
  readonly accuracy: number;
  /** How many were asked. */
  readonly k: number;
}

const counts = [1, 5, 10, 20, 50] as const;

/** Votes [samples, classes] of the k most similar known samples, weighted by exp(similarity / 0.07), as in DINO (Caron et al. 2021). */
function votes(similarity: Tensor, target: Tensor, classes: number, k: number): Tensor {
  const [values, places] = similarity.topk(k, { dim: 1 }) as unknown as [Tensor, Tensor];
  const labels = F.oneHot(target, classes).to('float32').indexSelect(0, places.flatten());
  return labels
    .view(...places.shape, classes)
    .mul(values.div(0.07).exp().unsqueeze(2))
    .sum(1);
}

/** Calls `work` for stretches of rows, so that the table of similarities stays small. */
function inStretches(rows: number, work: (start: number, length: number) => void): void {
  for (let start = 0; start < rows; start += 512) torch.scope(() => work(start, Math.min(512, rows - start)));
}

/**
 * Names samples by the known ones that are most like them (cosine of their features). How many are asked is chosen on the known
 * samples, each without itself.
 */
export function nearestNeighbours(known: Features, asked: Features, classes: number): Neighbours {
  return torch.noGrad(() =>
    torch.scope(() => {
      const { features, target } = some(known);
      const [reference, questions] = [features, asked.features].map((rows) => F.normalize(rows, { dim: 1 })) as [
        Tensor,
        Tensor,
      ];
      const samples = reference.shape[0] as number;
      const usable = counts.filter((k) => k < samples);
      const right = usable.map(() => 0);
      inStretches(samples, (start, length) => {
        const similarity = reference.narrow(0, start, length).matmul(reference.t());
        // Nobody asks himself.
        similarity.diagonal(start).fill_(-2);
        const truth = target.narrow(0, start, length);
        usable.forEach((k, i) => {
          right[i] =
            (right[i] as number) + Number(votes(similarity, target, classes, k).argmax(1).eq(truth).sum().item());
        });
      });
      const k = usable[right.indexOf(Math.max(...right))] ?? 1;
      let hits = 0;
      inStretches(questions.shape[0] as number, (start, length) => {
        const similarity = questions.narrow(0, start, length).matmul(reference.t());
        const truth = asked.target.narrow(0, start, length);
        hits += Number(votes(similarity, target, classes, k).argmax(1).eq(truth).sum().item());
      });
      return { accuracy: hits / (questions.shape[0] as number), k };
    }),
  );
}
