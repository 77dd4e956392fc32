/** The learning rate for another batch size. */
import { ArgumentError } from '../../torch/errors.js';
import { refuseUnknown, requireNumber } from '../options.js';

export interface BatchScaling {
  /** Batch size that the rate was found for. */
  readonly from: number;
  /** Batch size that training is to use. */
  readonly to: number;
  /** `linear` (SGD: twice the batch, twice the rate) or `sqrt` (Adam and its kin). Default `linear`. */
  readonly rule?: 'linear' | 'sqrt';
  /** The highest rate that comes out. Default 1: near it the rule no longer holds. false for none. */
  readonly cap?: number | false;
  /** Told when the rate is cut, or is so high that the rule is doubtful. Default: a warning of the process. */
  readonly onWarning?: (message: string) => void;
}

/** From this rate on the heuristic is doubtful. */
const doubtful = 0.5;

const show = (rate: number) => Number(rate.toPrecision(4)).toString();

/**
 * The rate for batches of `to` samples when `lr` was good for batches of `from`. A mean over twice as many samples has half the
 * variance, and it is the variance that limits the rate; so twice the batch bears about twice the rate. This holds for small rates:
 * as the rate approaches 1 the curvature of the loss is the limit, not the noise, and larger batches no longer help. Therefore rates
 * are cut at `cap`, and from 0.5 on a warning says so.
 *
 * Source: Goyal et al. 2017, https://arxiv.org/abs/1706.02677; square root for adaptive optimisers: Malladi et al. 2022,
 * https://arxiv.org/abs/2205.10287
 */
export function scaleForBatchSize(lr: number, options: BatchScaling): number {
  const title = 'scaleForBatchSize()';
  requireNumber(title, 'lr', lr, { above: 0 });
  refuseUnknown(title, options, ['from', 'to', 'rule', 'cap', 'onWarning']);
  const from = requireNumber(title, 'from', options.from, { above: 0 });
  const to = requireNumber(title, 'to', options.to, { above: 0 });
  const { rule = 'linear', cap = 1, onWarning = (message: string) => process.emitWarning(message) } = options;
  if (rule !== 'linear' && rule !== 'sqrt')
    throw new ArgumentError(`${title}: rule must be 'linear' or 'sqrt', got '${String(rule)}'.`);
  if (cap !== false) requireNumber(title, 'cap', cap, { above: 0 });
  const scaled = lr * (rule === 'linear' ? to / from : Math.sqrt(to / from));
  // A rate that was above the cap before is the caller's own finding; only scaling up is doubtful.
  if (scaled <= lr) return scaled;
  const limit = cap === false ? Infinity : Math.max(cap, lr);
  if (scaled > limit) {
    onWarning(
      `The ${rule} rule gives a learning rate of ${show(scaled)} for batches of ${to}, cut to ${show(limit)}: near 1 the curvature of the loss limits the rate, not the noise. Check it with lrFind.`,
    );
    return limit;
  }
  if (scaled >= doubtful)
    onWarning(
      `The ${rule} rule gives a learning rate of ${show(scaled)} for batches of ${to}; so near 1 the rule is doubtful. Check it with lrFind.`,
    );
  return scaled;
}
