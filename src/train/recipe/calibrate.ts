/**
 * Calibration after the fact: chosen weights are made as sure as they are right. Mixed labels, smoothed ones and parts of pictures teach a network to
 * be less sure than it could be, training for long to be surer; one number, the temperature, puts both right. Which class is most probable stays.
 *
 * Source: Guo et al. 2017, "On calibration of modern neural networks", https://arxiv.org/abs/1706.04599
 */
import { headOf } from '../../models/index.js';
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';
import type { Classifier } from '../compute.js';
import { scored } from '../ensemble/compare.js';
import { atTemperature, crossFitTemperature } from '../ensemble/temperature.js';
import { type Evaluation, evaluate } from '../evaluate.js';
import type { Training } from '../loop.js';
import type { Selected } from './select.js';

/** What calibration did. Figures afterwards are cross-fitted: each picture at the temperature that others gave. */
export interface Calibration {
  /** Logits were divided by it: below 1 the network was not sure enough, above 1 too sure. */
  readonly temperature: number;
  readonly calibrationError: { readonly before: number; readonly after: number };
  readonly logLoss: { readonly before: number; readonly after: number };
}

/** Below this many pictures a temperature is too uncertain to change weights by. */
const leastSamples = 200;

/** What is gained less is left: in nats a picture. */
const leastGain = 1e-3;

/** The last layer; undefined for a network of the user's own that ends in something else. */
function headIn(model: Classifier): ReturnType<typeof headOf> | undefined {
  try {
    return headOf(model);
  } catch (error) {
    if (error instanceof ArgumentError) return undefined;
    throw error;
  }
}

/**
 * Divides the last layer by the temperature that makes the validation part most likely, if pictures that it was not fitted to become more likely
 * by it. All that reads the weights, here and elsewhere, then gets the calibrated answers.
 * @returns the same where nothing was to be gained; undefined when it was asked to stop
 */
export async function calibrate(training: Training, selected: Selected): Promise<Selected | undefined> {
  const { model, plan, validation, stop } = training;
  const { predictions, report, loss } = selected.evaluation;
  const classes = plan.data.classes.length;
  const parameters = headIn(model)?.module.parameters();
  if (plan.calibrate !== true || !('accuracy' in report) || parameters === undefined) return selected;
  if (predictions.target.length < leastSamples || classes < 2) return selected;
  const question = { classes, target: predictions.target };
  const fitted = crossFitTemperature(predictions.probabilities, predictions.target as readonly number[], classes);
  const after = scored('calibrated', fitted.probabilities, question);
  if (!(report.logLoss - after.logLoss > leastGain)) return selected;

  const { temperature } = fitted;
  const kept = parameters.map((parameter) => parameter.detach().clone());
  torch.noGrad(() => {
    for (const parameter of parameters) parameter.div_(temperature);
  });
  const evaluation = await evaluate(model, validation, { machine: plan.machine, classes: plan.data.classes, stop });
  if (evaluation === undefined) return undefined;
  const expected = scored('divided', atTemperature(predictions.probabilities, classes, temperature), question);
  if (!isAsExpected(evaluation, selected, expected.logLoss)) {
    torch.noGrad(() => {
      for (const [i, parameter] of parameters.entries()) parameter.copy_(kept[i] as Tensor);
    });
    return selected;
  }
  const calibration: Calibration = {
    temperature,
    calibrationError: { before: report.calibrationError, after: after.calibrationError },
    logLoss: { before: loss, after: after.logLoss },
  };
  return { ...selected, evaluation, calibration, text: `${selected.text} ${describeCalibration(calibration)}` };
}

/** Whether dividing the last layer was dividing the logits: in a network of the user's own more may come after it. */
function isAsExpected({ score, loss }: Evaluation, { evaluation }: Selected, expected: number): boolean {
  // In half precision the divided weights are rounded anew, and a picture on the edge may fall.
  return Math.abs(loss - expected) < 5e-3 && Math.abs(score - evaluation.score) < 5e-3;
}

function describeCalibration({ temperature, logLoss, calibrationError }: Calibration): string {
  const percent = (x: number): string => (100 * x).toFixed(1);
  return `It was ${temperature < 1 ? 'less sure' : 'surer'} than it is right, and is as sure now (temperature ${temperature.toFixed(2)}): log loss ${logLoss.before.toFixed(3)} → ${logLoss.after.toFixed(3)}, calibration error ${percent(calibrationError.before)} → ${percent(calibrationError.after)} %.`;
}
