/** The part of `praxis ensemble` that looks at runs again: moments of one run, and averages of weights. */
import type { AverageOptions, AverageResult, AverageWay } from '../train/ensemble/average.js';
import type { EnsembleResult, JoinOptions } from '../train/ensemble/join.js';
import { progressLine } from './progress.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const line = (title: string, text: string): string => `${title.padEnd(13)} ${text}`;

/** What came of it, in words that do not claim more than the interval. */
function verdict({ gain, helps, score, of, commonStart, ingredients }: AverageResult): string {
  if (helps && gain.interval.low > 0) return 'Better than the best alone, beyond what chance would do.';
  if (helps)
    return gain.value > 0
      ? 'Better than the best alone on these samples, but within what chance would do.'
      : 'As many right as with the best alone, and surer of them.';
  if (ingredients.filter(({ used }) => used).length < 2)
    return 'Each of the others makes it worse: the best alone is best.';
  const mean = ingredients.reduce((sum, one) => sum + one.score, 0) / ingredients.length;
  // Worse than what went into it, by far: the weights do not lie in one valley.
  if (score < mean - 0.05)
    return `Averaging broke it${
      of === 'runs' && !commonStart
        ? ': these runs began with different first weights, and what a channel means in one it does not mean in another. Fine-tune from the same weights, or join their probabilities (leave out --average)'
        : ': their weights lie too far apart. Join their probabilities instead (leave out --average)'
    }.`;
  return 'It does not help: the best alone is as good.';
}

/** The lines that say what came of an average. */
export function averageLines(result: AverageResult): string[] {
  const { ingredients, scoreName, samples, score, logLoss, gain, of, way, folder } = result;
  const width = Math.max(...ingredients.map(({ name }) => name.length));
  // Of equal scores the surer one, as it was chosen.
  const [best] = [...ingredients].sort((a, b) => b.score - a.score || a.logLoss - b.logLoss);
  const { low, high } = gain.interval;
  const used = ingredients.filter((one) => one.used).length;
  const what = of === 'runs' ? 'run' : 'checkpoint';
  const after = result.remeasured ? '; the statistics of batch normalisation measured again on the training part' : '';
  return [
    ...ingredients.map((one, i) =>
      line(
        i === 0 ? `${what}s` : '',
        `${one.name.padEnd(width)}  ${percent(one.score)}  log loss ${one.logLoss.toFixed(3)}${one === best ? '  best' : ''}${one.used ? '' : '  left out'}`,
      ),
    ),
    line(
      'average',
      `of the weights of ${used} ${what}${used === 1 ? '' : 's'} (${way}): ${percent(score)} ${scoreName} on the ${samples.toLocaleString('en-GB')} validation samples  log loss ${logLoss.toFixed(3)}${after}`,
    ),
    line(
      'gain',
      `${(100 * gain.value).toFixed(1)} points (95 %: ${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}) over the best, which was chosen on the same samples`,
    ),
    line('', verdict(result)),
    ...(folder === undefined
      ? [line('report', 'Nothing was written.')]
      : [
          line('cost', 'that of a single model'),
          line('report', `Everything is in ${folder}: model.safetensors, average.json with these figures.`),
          line('test', `sealed; when all choices are made, once: praxis test ${folder}`),
        ]),
  ];
}

/** Averages, with a progress line. */
export async function average(folders: readonly string[], options: AverageOptions): Promise<AverageResult> {
  const { averageRuns } = await import('../train/ensemble/average.js');
  return withProgress((onProgress) => averageRuns(folders, { ...options, onProgress }));
}

/** Joins moments of one run, with a progress line. */
export async function snapshots(
  folder: string,
  options: JoinOptions & { readonly data?: string },
): Promise<EnsembleResult> {
  const { joinSnapshots } = await import('../train/ensemble/snapshots.js');
  return withProgress((onProgress) => joinSnapshots(folder, { ...options, onProgress }));
}

async function withProgress<T>(work: (onProgress: (text: string, share: number) => void) => Promise<T>): Promise<T> {
  const progress = progressLine(process.stderr);
  try {
    return await work((text, share) => progress.show(`${text} ${Math.round(100 * share)} %`));
  } finally {
    progress.clear();
  }
}

/** What `--average [way]` was given. */
export function wayOf(value: string | true): AverageWay {
  if (value === true) return 'greedy';
  if (value === 'greedy' || value === 'uniform') return value;
  throw new Error(`--average takes greedy or uniform, got '${value}'.`);
}
