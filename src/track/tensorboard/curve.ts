/** Precision and recall over a threshold, counted as `torch.utils.tensorboard` counts them. */

const least = 1e-7;

/** Rows: true positives, false positives, true negatives, false negatives, precision, recall. */
export function curveOf(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  thresholds: number,
  what: string,
): number[][] {
  if (labels.length !== predictions.length || labels.length === 0)
    throw new TypeError(
      `${what}: ${labels.length} labels and ${predictions.length} predictions; give as many of each.`,
    );
  const positive = new Array<number>(thresholds).fill(0);
  const negative = new Array<number>(thresholds).fill(0);
  for (let i = 0; i < labels.length; i++) {
    const bucket = Math.floor((predictions[i] as number) * (thresholds - 1));
    if (!(bucket >= 0 && bucket < thresholds))
      throw new TypeError(`${what}: predictions are probabilities from 0 to 1, got ${predictions[i]}.`);
    const counts = labels[i] ? positive : negative;
    counts[bucket] = (counts[bucket] as number) + 1;
  }
  for (let i = thresholds - 2; i >= 0; i--) {
    positive[i] = (positive[i] as number) + (positive[i + 1] as number);
    negative[i] = (negative[i] as number) + (negative[i + 1] as number);
  }
  const falseNegative = positive.map((count) => (positive[0] as number) - count);
  const trueNegative = negative.map((count) => (negative[0] as number) - count);
  return [
    positive,
    negative,
    trueNegative,
    falseNegative,
    positive.map((count, i) => count / Math.max(least, count + (negative[i] as number))),
    positive.map((count, i) => count / Math.max(least, count + (falseNegative[i] as number))),
  ];
}
