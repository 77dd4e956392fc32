/** The run in a few plain sentences, for somebody who was not there. */
import type { Figures } from './figures.js';
import { counted, duration, grouped, millions, percent } from './numbers.js';
import type { ReportFacts } from './report-data.js';

export interface Verdict {
  /** One sentence. */
  readonly headline: string;
  readonly sentences: readonly string[];
}

const signed = (share: number): string =>
  `${share > 0 ? '+' : share < 0 ? '−' : ''}${Math.abs(100 * share).toFixed(1)}`;

const range = ({ low, high }: { low: number; high: number }): string => `${percent(low)} to ${percent(high)}`;

/** Mean confidence against accuracy; what lies within the interval of the accuracy proves nothing. */
export function confidenceSentence({ accuracy, meanConfidence, intervals }: Figures): string {
  const { low, high } = intervals.accuracy as { low: number; high: number };
  const says = `On average it is ${percent(meanConfidence, 0)} sure and right in ${percent(accuracy, 0)} of the cases`;
  if (meanConfidence > high) return `${says}: it is surer than it should be.`;
  if (meanConfidence < low) return `${says}: it is right more often than it says.`;
  return `${says}: how sure it says it is can be believed.`;
}

function lastState({ run, curves, settings }: ReportFacts): string {
  const done = curves.epoch.length;
  // Without a plan there is nothing to go on with.
  const next = settings.length === 0 ? 'start it again' : 'praxis resume goes on with it';
  const reason = run.reason === null ? '' : ` (${run.reason.replace(/\.$/, '')})`;
  switch (run.state) {
    case 'running':
      return `This run is still training: ${counted(done, 'epoch')} done.`;
    case 'failed':
      return `This run failed after ${counted(done, 'epoch')}${reason}.`;
    case 'interrupted':
      return `This run was interrupted after ${counted(done, 'epoch')}; ${next}.`;
    case 'stopped':
      return `This run was stopped after ${counted(done, 'epoch')}${reason}; ${next}.`;
    default:
      return '';
  }
}

function weakness(figures: Figures, classes: readonly string[]): string[] {
  if (figures.mistakes.length === 0) return ['It made no mistake on them.'];
  const seen = figures.perClass
    .map((one, i) => ({ ...one, name: classes[i] ?? '' }))
    .filter(({ support }) => support > 0);
  const weakest = seen.reduce((worst, one) => (one.recall < worst.recall ? one : worst));
  const [top] = figures.confusions;
  const of = top === undefined ? 0 : (figures.perClass[top.target]?.support ?? 0);
  return [
    `Weakest is ${weakest.name}: ${weakest.support === 1 ? 'its one sample is not recognised' : `${percent(weakest.recall, 0)} of ${grouped(weakest.support)} recognised`}${
      top === undefined
        ? '.'
        : `; the most frequent mistake is ${classes[top.target]} taken for ${classes[top.predicted]} (${grouped(top.count)} of ${grouped(of)}).`
    }`,
  ];
}

/** @param facts of the report */
export function verdictOf(facts: ReportFacts): Verdict {
  const { data, model, figures, chosen, tests, human, time } = facts;
  const { noun } = data;
  const what = `${facts.ensemble === null ? model.name : `mean of ${model.name}`}${model.parameters === null ? '' : ` with ${millions(model.parameters)} parameters`}`;
  const start = facts.startedFrom === null ? '' : ` It began with the weights of ${facts.startedFrom}.`;
  const about = `A ${what} learned to tell ${data.classes.length} classes apart from ${counted(data.train, noun)} of ${data.name}${
    facts.curves.epoch.length === 0
      ? ''
      : `, in ${counted(facts.curves.epoch.length, 'epoch')} and ${duration(time.training ?? time.whole)}`
  }.${start}`;
  const gains =
    facts.ensemble === null
      ? []
      : [
          `Its ${facts.ensemble.members.length} members alone reach ${percent(facts.ensemble.meanScore)} on average and ${percent(Math.max(...facts.ensemble.members.map(({ score }) => score)))} at best; together they gain ${signed(facts.ensemble.overMean.value)} points over their mean (95 %: ${signed(facts.ensemble.overMean.interval.low)} to ${signed(facts.ensemble.overMean.interval.high)}).`,
        ];
  if (figures === null || chosen === null) {
    const best = Math.max(...facts.curves.validationAccuracy);
    return {
      headline: lastState(facts) || 'This run has no result.',
      sentences: facts.curves.epoch.length === 0 ? [] : [`The best validation so far: ${percent(best)}.`],
    };
  }
  const sealed =
    data.test === 0
      ? 'There is no test part.'
      : tests.length === 0
        ? `The ${counted(data.test, noun)} of the test part are still sealed. The weights were chosen by the validation, so expect a little less on new ${noun}s.`
        : tests.map(testSentence).join(' ');
  if (figures.kind === 'many labels')
    return {
      headline: `Mean average precision ${percent(figures.meanAveragePrecision)} on ${counted(figures.count, noun)} it had not trained on.`,
      sentences: [about, `All labels of a ${noun} are right in ${percent(figures.exactMatch)} of them.`, sealed],
    };
  const interval = figures.intervals.accuracy as { low: number; high: number };
  const noBetter = interval.low <= figures.mostCommon;
  const headline = noBetter
    ? `Right in ${percent(figures.accuracy)}: not surely better than always saying “${data.classes[figures.mostCommonClass]}” (${percent(figures.mostCommon)}).`
    : `It recognises ${percent(figures.accuracy)} of ${noun}s it was not trained on.`;
  return {
    headline,
    sentences: [
      about,
      `That is ${grouped(figures.right)} of the ${counted(figures.count, noun)} of the validation part; with so many the true share lies between ${percent(interval.low)} and ${percent(interval.high)} (95 % confidence).${noBetter ? '' : ` Always saying the most common class would give ${percent(figures.mostCommon)}.`}`,
      ...gains,
      ...weakness(figures, data.classes),
      confidenceSentence(figures),
      ...(human === null
        ? []
        : [
            `A person recognised ${percent(human.accuracy, 0)} of ${grouped(human.of)} of the same ${noun}s (95 %: ${range(human.interval)})${human.net === null ? '' : `; the network, on those, ${percent(human.net.accuracy, 0)}`}.`,
          ]),
      sealed,
    ],
  };
}

function testSentence({ number, score, samples, interval }: ReportFacts['tests'][number]): string {
  const when = number === 1 ? 'The test part was opened' : `It was opened again (time ${number})`;
  if (score === null) return `${when}, and no result was written down.`;
  return `${when}: ${percent(score)}${samples === null ? '' : ` of ${grouped(samples)}`}${interval === null ? '' : ` (95 %: ${range(interval)})`}.`;
}

/** When validation fell behind training, or that it did not; nothing before the second epoch. */
export function leftBehindSentence({ fit, overfitting }: Pick<ReportFacts, 'fit' | 'overfitting'>): string {
  if (fit === null) return '';
  if (overfitting?.leftBehind === undefined)
    return `The validation loss was least after epoch ${fit.leastLossEpoch} and ${fit.rise < 0.005 ? 'did not rise again' : `rose by ${percent(fit.rise)} until the end`}: no sign of learning by heart that would matter.`;
  const { leftBehind, rise, trainFall } = overfitting;
  const own =
    rise > 0.005
      ? `rose by ${percent(rise, 0)} until the end`
      : rise < -0.005
        ? `fell by no more than ${percent(-rise, 0)} until the end`
        : 'fell no further';
  return `After epoch ${leftBehind} the validation fell behind the training: its loss ${own}, while that of the training fell by another ${percent(trainFall, 0)}. From there on it learned mostly by heart.`;
}
