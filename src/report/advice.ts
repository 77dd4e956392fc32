/** What to try next, and why: rules, each with the evidence that made it speak. Few and modest: what the run itself shows. */
import { commandLine } from '../track/index.js';
import { flagsFor } from '../train/config/flags.js';
import { flagOf, type SettingName } from '../train/config/schema.js';
import type { TrainPlan } from '../train/plan.js';
import type { Figures } from './figures.js';
import { counted, grouped, percent, short } from './numbers.js';
import type { ReportFacts } from './report-data.js';
import { leftBehindSentence } from './verdict.js';

export interface Advice {
  readonly rule: string;
  /** What to do. */
  readonly title: string;
  /** What in this run says so. */
  readonly evidence: string;
  /** What to type, where there is something. */
  readonly command: string | null;
}

type Rule = (facts: ReportFacts, plan: TrainPlan, figures: Figures) => Omit<Advice, 'rule'> | undefined;

const halfWidth = ({ low, high }: { low: number; high: number }): number => (high - low) / 2;

/** Settings that name this run, or stand before the data. */
const notAgain = new Set(['name', 'out', 'pretrained']);

/** What to type for another try, one thing changed: a fine-tuned run begins with its weights again, and what was asked for is asked for again. */
function again(facts: ReportFacts, plan: TrainPlan, flag: string, value: string | number): string {
  const start = plan.transfer === undefined ? ['train'] : ['finetune', plan.transfer.source];
  const asked = facts.settings
    .filter(({ name, changed }) => changed && !notAgain.has(name) && `--${flagOf(name)}` !== flag)
    .map(({ name, value: given }) => [name as SettingName, given] as const);
  return commandLine([...start, facts.data.place || 'DATA', ...flagsFor(asked), flag, String(value)]);
}

const rules: Readonly<Record<string, Rule>> = {
  overfitting: (facts, plan) => {
    const { fit, overfitting } = facts;
    if (fit === null || overfitting?.leftBehind === undefined) return undefined;
    const stronger = { none: 'light', light: 'medium', medium: 'strong' }[plan.augmentation?.preset ?? 'none'];
    return {
      title: 'Hold it back from learning by heart',
      evidence: `${leftBehindSentence(facts)} What helps against it, in the order of what it is likely to gain, stands further below (“Whether it learned by heart”).`,
      command:
        stronger === undefined
          ? again(facts, plan, '--weight-decay', short(2 * plan.optimisation.weightDecay || 0.05))
          : again(facts, plan, '--augment', stronger),
    };
  },
  longer: (facts, plan) => {
    const { fit, chosen, curves, overfitting } = facts;
    const { epochs } = plan.optimisation;
    if (fit === null || chosen === null || curves.epoch.length < 4 || overfitting?.leftBehind !== undefined)
      return undefined;
    // Where pictures were still growing in the quarter before, the gain is theirs and says nothing of more epochs.
    if (plan.optimisation.progressive !== undefined) return undefined;
    if (chosen.epoch === null || chosen.epoch <= 0.9 * epochs || !(fit.lateGain > 0.005)) return undefined;
    return {
      title: 'Train longer',
      evidence: `It was still getting better: the chosen epoch is ${short(chosen.epoch)} of ${epochs}, and the validation accuracy of the last quarter of the epochs is ${short(100 * fit.lateGain, 2)} points above that of the quarter before.`,
      command: again(facts, plan, '--epochs', 2 * epochs),
    };
  },
  pretrained: (facts, plan, { accuracy }) => {
    const { train, classes, noun } = facts.data;
    const each = train / classes.length;
    if (noun !== 'picture' || plan.transfer !== undefined || facts.ensemble !== null || accuracy > 0.95 || each > 1000)
      return undefined;
    return {
      title: 'Begin with weights that have seen other pictures',
      evidence: `It began with random weights and had ${grouped(each)} pictures of each class to learn from. Weights trained on many other pictures know edges, textures and shapes already; with so few pictures that is usually worth more than anything else here. praxis models --weights lists them.`,
      command: again(facts, plan, '--pretrained', 'NAME'),
    };
  },
  underfitting: (facts, plan, { accuracy }) => {
    const { fit, curves } = facts;
    const last = curves.trainAccuracy.at(-1) ?? 1;
    if (fit === null || last > 0.9 || accuracy > 0.9 || fit.accuracyGap > 0.02 || fit.rise > 0.05) return undefined;
    const mixed = plan.augmentation !== undefined && plan.augmentation.preset !== 'none';
    return {
      title: 'Give it more room, or make it easier',
      evidence: `Even of the training part only ${percent(last, 0)} are recognised, no more than of the validation part: it has not learned by heart yet${mixed ? `. Part of that is the augmentation (${plan.augmentation?.preset}), which training pictures go through and validation pictures do not` : ''}. A larger network, larger pictures or a longer training could still gain.`,
      command: null,
    };
  },
  confused: (facts, plan, figures) => {
    const wrong = figures.mistakes.length;
    const both = new Map<string, number>();
    for (const { target, predicted, count } of figures.confusions) {
      const key = [target, predicted].sort((a, b) => a - b).join();
      both.set(key, (both.get(key) ?? 0) + count);
    }
    const [pair, count] = [...both].reduce((top, one) => (one[1] > top[1] ? one : top), ['', 0]);
    if (wrong < 8 || count < 4 || count / wrong < 2 / facts.data.classes.length || count / wrong < 0.12)
      return undefined;
    const [a = '', b = ''] = pair.split(',').map((i) => facts.data.classes[Number(i)] ?? '');
    return {
      title: `Look at ${a} and ${b}`,
      evidence: `${counted(count, 'mistake')} of ${grouped(wrong)} (${percent(count / wrong, 0)}) are between these two. Look at the pictures below: can you tell them apart at this size? Are the labels right? More pictures of the two, or larger ones, would help more than another network.`,
      command:
        facts.data.size === null ? null : again(facts, plan, '--size', Math.min(512, 2 * Math.max(...facts.data.size))),
    };
  },
  labels: (facts, _plan, figures) => {
    const sure = figures.mistakes.filter(({ confidence }) => confidence >= 0.8);
    if (sure.length < 3) return undefined;
    return {
      title: 'Check the labels of the surest mistakes',
      evidence: `${counted(sure.length, 'mistake')} of ${grouped(figures.mistakes.length)} were made with 80 % confidence or more. Among those, wrong labels are common; they are listed first among the mistakes.`,
      command: `praxis look ${facts.data.place || 'DATA'} --html look.html`,
    };
  },
  rare: (facts, _plan, figures) => {
    const seen = figures.perClass.map((one, i) => ({ ...one, i })).filter(({ support }) => support > 0);
    const { counts } = facts.data;
    if (counts === null || seen.length < 2) return undefined;
    const typical = [...counts].sort((a, b) => a - b)[counts.length >> 1] as number;
    const poor = seen
      .filter(({ i, recall }) => (counts[i] as number) < typical / 2 && recall < figures.accuracy - 0.1)
      .sort((a, b) => a.recall - b.recall);
    if (poor.length === 0) return undefined;
    const names = poor
      .slice(0, 3)
      .map(
        ({ i, recall }) =>
          `${facts.data.classes[i]} (${grouped(counts[i] as number)} ${facts.data.noun}s, ${percent(recall, 0)} recognised)`,
      );
    return {
      title: `Collect more of the rare classes`,
      evidence: `They are recognised the least: ${names.join(', ')}${poor.length > 3 ? `, and ${poor.length - 3} more` : ''}; a typical class has ${grouped(typical)}.`,
      command: null,
    };
  },
  waiting: (facts) => {
    const { waiting, perSecond } = facts.time;
    if (waiting === null || waiting < 0.2) return undefined;
    return {
      title: 'Do not let it wait for data',
      evidence: `${percent(waiting, 0)} of the training time was spent waiting for pictures${perSecond === null ? '' : ` (${grouped(perSecond)} a second)`}. More threads to decode, or a disk that is nearer, would make it faster.`,
      command: null,
    };
  },
  confidence: (_facts, plan, figures) => {
    const { low, high } = figures.intervals.accuracy as { low: number; high: number };
    if (figures.meanConfidence <= high && figures.meanConfidence >= low) return undefined;
    const over = figures.meanConfidence > high;
    const smooth = plan.optimisation.labelSmoothing;
    return {
      title: over ? 'Do not take its confidence at face value' : 'Its confidence is too low',
      evidence: `It says ${percent(figures.meanConfidence, 0)} on average and is right in ${percent(figures.accuracy, 0)}. ${
        over
          ? 'Label smoothing, mixup and a shorter training make it more modest.'
          : `${smooth > 0 ? `Label smoothing of ${smooth} does that` : 'Mixing pictures does that'}: which class comes first is not affected.`
      }`,
      command: null,
    };
  },
  precision: (facts, _plan, figures) => {
    const width = halfWidth(figures.intervals.accuracy as { low: number; high: number });
    if (width < 0.03) return undefined;
    return {
      title: 'Do not read much into small differences',
      evidence: `With ${counted(figures.count, `validation ${facts.data.noun}`)} the accuracy is known to ± ${percent(width, 0)}: two runs that differ by less may be equally good. praxis report RUN RUN compares them ${facts.data.noun} by ${facts.data.noun}.`,
      command: null,
    };
  },
  test: (facts) => {
    if (facts.tests.length < 2) return undefined;
    return {
      title: 'Get fresh test data before you publish a figure',
      evidence: `The test part was opened ${facts.tests.length} times; what was chosen in between may have been chosen for it.`,
      command: null,
    };
  },
};

/** The advice of a finished run, the weightiest first; none for data with many labels. */
export function adviceFor(facts: ReportFacts, plan: TrainPlan | undefined): Advice[] {
  const { figures } = facts;
  if (figures === null || figures.kind !== 'one label' || plan === undefined) return [];
  return Object.entries(rules).flatMap(([rule, speak]) => {
    const said = speak(facts, plan, figures);
    return said === undefined ? [] : [{ rule, ...said }];
  });
}
