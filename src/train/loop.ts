/**
 * The loop. It reads in the order in which things happen: a batch, the rate, the step, what came of it; after an epoch the validation
 * and the checkpoint. A number that is not finite sends it back to the last good checkpoint with half the rate, at most twice.
 */
import type { DataLoader } from '../data/loader/index.js';
import type { Batch } from '../data/types.js';
import type { CommonOptions, ExponentialMovingAverage, Optimizer, Schedule } from '../optim/index.js';
import { turn } from '../torch/turn.js';
import type { RunFolder } from '../track/index.js';
import { type CheckpointKeeper, loadLast, restoreState, takeState } from './checkpoint.js';
import type { Classifier, Stepper } from './compute.js';
import { RunError } from './errors.js';
import { type Evaluation, evaluate } from './evaluate.js';
import type { EpochEvent, StepEvent, TrainEvent } from './events.js';
import { brokenWeight, type Fault, findFault } from './faults.js';
import { type TrainPlan, totalUpdates } from './plan.js';
import { evaluateViews } from './pretrain/views.js';
import { forecast, isBetter, type Progress, type ProgressState, scoreOf, type Validation } from './progress.js';
import type { Recorder } from './recorder.js';
import type { SampleLosses } from './sample-losses.js';
import type { StopSignal } from './stop.js';
import { enterPhase } from './transfer/freeze.js';
import { weightNorms } from './weight-norms.js';

/** What trains, built from a plan. */
export interface Training {
  readonly plan: TrainPlan;
  readonly model: Classifier;
  readonly optimizer: Optimizer<CommonOptions>;
  readonly stepper: Stepper;
  readonly schedule: Schedule;
  readonly average: ExponentialMovingAverage | undefined;
  readonly train: DataLoader;
  readonly validation: DataLoader;
  readonly run: RunFolder;
  readonly recorder: Recorder;
  readonly keeper: CheckpointKeeper;
  readonly progress: Progress;
  /** None for data with several labels, or where none are learnt. */
  readonly samples: SampleLosses | undefined;
  readonly stop: StopSignal;
}

/** How the loop ended. */
export type Outcome = 'done' | 'stopped' | 'patience';

const mostRollbacks = 2;

const gradientFault: Fault = {
  sentence: 'the gradient of the last batches of the epoch is not finite',
  remedy: 'Lower the learning rate, or clip the gradient.',
};

/** Runs `callback` with the averaged weights in the model, where there is an average. */
export async function withAverage<T>(training: Pick<Training, 'average'>, callback: () => Promise<T>): Promise<T> {
  training.average?.swap();
  try {
    return await callback();
  } finally {
    training.average?.swap();
  }
}

/** Saves everything. @throws CheckpointError, with the checkpoints of before intact */
export async function checkpoint(training: Training, score?: number): Promise<TrainEvent> {
  const { progress, keeper, run, recorder } = training;
  run.requireOurs();
  // A run that goes on from here must find everything that lies before, in TensorBoard's files as well.
  await recorder.flush();
  progress.logging = recorder.tracking.seconds;
  const saved = await keeper.save(
    takeState(training, {
      step: progress.step,
      epoch: progress.epoch,
      loader: training.train.state(),
      metrics: progress.state(training.stepper.state()),
      ...(training.samples === undefined ? {} : { tensors: { samples: training.samples.state() } }),
      ...(score === undefined ? {} : { score }),
    }),
  );
  return { kind: 'checkpoint', file: saved.file, step: progress.step };
}

/** Puts a checkpoint back into everything that trains. */
export function putBack(training: Training, state: Awaited<ReturnType<typeof loadLast>>['state']): void {
  restoreState(training, state);
  const saved = state.metrics as ProgressState;
  training.progress.restore(saved);
  training.recorder.tracking.spentBefore(training.progress.logging);
  training.stepper.restore(saved.stepper as ReturnType<Stepper['state']>);
  training.samples?.restore(state.tensors?.samples);
  training.optimizer.zeroGrad();
  if (state.loader !== undefined) training.train.restore(state.loader);
}

/** Cuts off metrics that will be logged again: a line may have been written at the step of the checkpoint, but after it. */
export async function forgetLater({ run, progress }: Training): Promise<void> {
  await run.truncateAfter(progress.step, ({ kind, epoch = 0, count }) => {
    if (kind === 'epoch') return epoch >= progress.epoch;
    if (kind === 'validation') return progress.validations.at(-1)?.step !== progress.step;
    return kind === 'rollback' && (count as number) > progress.rollbacks;
  });
}

/** Sets the rate of every group for the coming update: its base, times the schedule, times what rollbacks left of it. */
function setRate(training: Training, base: number): number {
  const { progress, schedule, optimizer } = training;
  const factor = schedule(progress.updates) * progress.rateFactor;
  // Layers that are fine-tuned, or trained by another rule, have a base of their own.
  for (const group of optimizer.paramGroups) group.lr = (group.initialLr ?? base) * factor;
  return base * factor;
}

/** Names of the pictures of a batch, the first few. */
function namesOf(training: Training, batch: Batch): string[] {
  const positions = batch.index.toTypedArray() as BigInt64Array;
  return [...positions].map((position) => training.train.dataset.sampleName(Number(position)));
}

/** Back to the last good checkpoint, with half the rate. @param names pictures of the batch, none where no one batch is to blame @throws RunError when that was done twice already */
async function rollBack(training: Training, fault: Fault, names: readonly string[]): Promise<TrainEvent> {
  const { progress, run, recorder, keeper } = training;
  const at = progress.step;
  const some = `${names.slice(0, 5).join(', ')}${names.length > 5 ? `, … (${names.length} pictures)` : ''}`;
  const what = `Step ${at + 1}: ${fault.sentence}${names.length === 0 ? '' : `; batch: ${some}`}.`;
  const { rollbacks, rateFactor } = progress;
  if (rollbacks >= mostRollbacks)
    throw new RunError(
      `${what} It happened again after the learning rate was halved twice. ${fault.remedy} The last good checkpoint is ${keeper.last}.`,
    );
  const last = await loadLast(keeper.folder);
  putBack(training, last.state);
  progress.rollbacks = rollbacks + 1;
  progress.rateFactor = rateFactor / 2;
  await forgetLater(training);
  const text = `${what} Back to step ${progress.step} with half the learning rate. ${fault.remedy}`;
  recorder.log({
    step: progress.step,
    epoch: progress.epoch,
    kind: 'rollback',
    count: progress.rollbacks,
    at,
    text,
    files: names,
    layer: fault.layer,
    operator: fault.operator,
  });
  run.warn(text);
  // So that a kill from here on does not forget it.
  await checkpoint(training);
  return { kind: 'rollback', step: at, toStep: progress.step, text };
}

/** Validates, with the averaged weights where there are some; gives undefined when it was asked to stop. */
async function validate(training: Training, epoch: number) {
  const { plan, progress, stop } = training;
  const evaluation = await withAverage(training, () =>
    plan.contrastive === undefined
      ? evaluate(training.model, training.validation, {
          machine: plan.machine,
          classes: plan.data.classes,
          multiLabel: plan.data.multiLabel,
          stop,
        })
      : evaluateViews(training.model, training.validation, plan, stop),
  );
  if (evaluation === undefined) return undefined;
  const one: Validation = { step: progress.step, epoch, loss: evaluation.loss, accuracy: evaluation.score };
  const before = progress.best();
  progress.validations.push(one);
  return { evaluation, one, best: before === undefined || isBetter(one, before) };
}

/**
 * Whether a validation within the epoch is due. Told from what was validated and not from a counter, so that it is the same for a run that
 * was stopped just before it; gradients that wait for their update are in no checkpoint, so it waits for them.
 */
function validationDue({ plan, progress, stepper }: Training): boolean {
  const every = plan.validateEvery;
  if (every === undefined || stepper.accumulated > 0 || progress.step % plan.optimisation.batches === 0) return false;
  const before = progress.validations.at(-1)?.step ?? 0;
  return Math.floor(progress.step / every) > Math.floor(before / every);
}

/** A validation within an epoch, with its checkpoint. @returns false when it was stopped: it is done when the run goes on */
async function* validateMidway(training: Training): AsyncGenerator<TrainEvent, boolean> {
  const { plan, progress, recorder } = training;
  const validated = await validate(training, progress.step / plan.optimisation.batches);
  if (validated === undefined) return false;
  const { loss, accuracy } = validated.one;
  recorder.log({ step: progress.step, epoch: progress.epoch, kind: 'validation', loss, accuracy });
  yield await checkpoint(training, scoreOf(validated.one));
  return true;
}

/** Epochs since the best validation are as many as patience allows. */
function patienceIsOver({ plan, progress }: Training): boolean {
  const { patience } = plan.optimisation;
  const best = progress.best();
  return patience !== undefined && best !== undefined && progress.epoch - best.epoch >= patience;
}

const summaryOf = ({ score, scoreName, loss, report }: Evaluation): EpochEvent['validation'] => ({
  score,
  scoreName,
  loss,
  report,
});

/** Trains until the plan is done, patience ends, or a stop is asked for. Begins where the progress says. */
export async function* trainLoop(training: Training): AsyncGenerator<TrainEvent, Outcome> {
  const { plan, run, recorder, progress, stop, train } = training;
  const { epochs, batches, learningRate } = plan.optimisation;
  const steps = epochs * batches;
  const updates = totalUpdates(plan.optimisation);
  // Not more than a few thousand lines however long the run; the same steps again when it is resumed.
  const logEvery = Math.max(1, Math.ceil(steps / 5000));
  let lastSave = performance.now();
  // A rollback in the first epoch needs somewhere to go.
  if (progress.step === 0) {
    recorder.tracking.begin(training);
    yield await checkpoint(training);
  }
  let mark = performance.now();
  const clock = (): number => {
    const now = performance.now();
    const spent = (now - mark) / 1000;
    mark = now;
    progress.seconds += spent;
    return spent;
  };
  clock();
  const secondsLeft = forecast(plan.optimisation, progress);
  let skipped = 0;

  while (progress.epoch < epochs) {
    // Here and not only after an epoch: a run that ended so and was killed before its selection goes on with that.
    if (patienceIsOver(training)) return 'patience';
    if (plan.transfer) training.stepper.still = enterPhase(training.model, plan.transfer, progress.epoch);
    const epochStart = progress.seconds;
    const epochFirstStep = progress.step;
    let restarted = false;
    // A run that was stopped in a validation goes on there: its loader stands in the next epoch already.
    const batchesLeft = train.epoch === progress.epoch ? train : [];
    if (batchesLeft === train && validationDue(training) && !(yield* validateMidway(training))) {
      yield await checkpoint(training);
      return 'stopped';
    }
    clock();
    for await (const batch of batchesLeft) {
      const rate = setRate(training, learningRate);
      recorder.tracking.beforeStep(training);
      const outcome = training.stepper.step(batch, (logits) =>
        recorder.tracking.timed(() => training.samples?.note(batch, logits, progress.epoch)),
      );
      if (!outcome.finite) {
        const fault = findFault(training.model, batch, plan.machine, {
          labelSmoothing: plan.optimisation.labelSmoothing,
          multiLabel: plan.data.multiLabel,
        });
        yield await rollBack(training, fault, namesOf(training, batch));
        restarted = true;
        break;
      }
      progress.step += 1;
      if (outcome.updated) {
        progress.updates += 1;
        training.average?.update();
      }
      const spike = progress.note(outcome.loss, outcome.correct, outcome.count);
      clock();
      const report = train.report();
      const event: StepEvent = {
        kind: 'step',
        step: progress.step,
        steps,
        epoch: progress.epoch,
        epochs,
        loss: outcome.loss,
        accuracy: progress.sums.correct / progress.sums.count,
        learningRate: rate,
        perSecond:
          ((progress.step - epochFirstStep) * plan.optimisation.batchSize) / (progress.seconds - epochStart || 1e-9),
        waiting: report.waitShare,
        memory: process.memoryUsage.rss(),
        secondsLeft: secondsLeft(),
        spike,
      };
      if (progress.step % logEvery === 0 || spike)
        recorder.log({
          step: progress.step,
          epoch: progress.epoch,
          kind: 'step',
          loss: outcome.loss,
          learningRate: rate,
          ...(Number.isNaN(outcome.gradientNorm) ? {} : { gradientNorm: outcome.gradientNorm }),
          ...(spike ? { spike } : {}),
        });
      yield event;
      await turn();
      // Gradients that wait for their update are in no checkpoint.
      if (training.stepper.accumulated > 0) continue;
      if (stop.reason === undefined && validationDue(training)) {
        if (yield* validateMidway(training)) lastSave = performance.now();
        mark = performance.now();
      }
      // A broken weight is found by the next step; until then the last checkpoint is the good one.
      const due = stop.reason !== undefined || performance.now() - lastSave > plan.checkpointEvery * 60_000;
      if (due && brokenWeight(training.model) === undefined) {
        yield await checkpoint(training);
        lastSave = performance.now();
        clock();
      }
      if (stop.reason !== undefined) return 'stopped';
    }
    if (restarted) continue;
    const flushed = training.stepper.flush();
    if (flushed?.updated === true) {
      progress.updates += 1;
      training.average?.update();
    }
    const broken = flushed?.finite === false ? gradientFault : brokenWeight(training.model);
    if (broken !== undefined) {
      yield await rollBack(training, broken, []);
      continue;
    }
    const bad = train.report().skipped.slice(skipped);
    skipped += bad.length;
    if (bad.length > 0)
      yield {
        kind: 'warning',
        text: `${bad.length === 1 ? 'A picture' : `${bad.length} pictures`} could not be read and ${bad.length === 1 ? 'is' : 'are'} left out: ${bad[0]?.name} (${bad[0]?.reason})${bad.length > 1 ? ', …' : ''}`,
      };
    if (progress.sums.count === 0)
      throw new RunError(
        `Not one picture of ${train.dataset.root} could be read in this epoch (${train.samplesSkipped} are bad); is the folder still there?`,
      );
    const { report, sums } = { report: train.report(), sums: progress.sums };
    const seconds = progress.seconds - epochStart;
    const validated = await validate(training, progress.epoch + 1);
    if (validated === undefined) {
      // Stopped within the validation: it is done again when the run goes on, and the epoch is not counted before.
      yield await checkpoint(training);
      return 'stopped';
    }
    progress.epoch += 1;
    progress.sums = { loss: 0, correct: 0, count: 0 };
    clock();
    const facts = { trainLoss: sums.loss / sums.count, trainAccuracy: sums.correct / sums.count };
    recorder.log({
      step: progress.step,
      epoch: progress.epoch - 1,
      kind: 'epoch',
      ...facts,
      validationLoss: validated.one.loss,
      validationAccuracy: validated.one.accuracy,
      learningRate: Math.max(...training.optimizer.paramGroups.map(({ lr }) => lr)),
      seconds,
      waiting: report.waitShare,
      ...recorder.tracking.timed(() => weightNorms(training.model)),
      skipped: report.skipped.length,
    });
    yield {
      kind: 'epoch',
      step: progress.step,
      epoch: progress.epoch,
      epochs,
      ...facts,
      // Without the predictions: events may wait long for somebody to read them.
      validation: summaryOf(validated.evaluation),
      // Of a pre-training the last weights are kept.
      best: validated.best && plan.contrastive === undefined,
      seconds,
      perSecond: sums.count / seconds,
      waiting: report.waitShare,
    };
    yield await checkpoint(training, scoreOf(validated.one));
    lastSave = performance.now();
    const best = progress.best() as Validation;
    void run.update({
      progress: {
        step: progress.step,
        steps,
        epoch: progress.epoch,
        epochs,
        updates: progress.updates,
        of: updates,
        seconds: progress.seconds,
      },
      best: {
        metric: plan.contrastive ? 'validation partners found' : 'validation accuracy',
        value: best.accuracy,
        step: best.step,
        epoch: best.epoch,
      },
    });
    if (stop.reason !== undefined) return 'stopped';
  }
  return patienceIsOver(training) ? 'patience' : 'done';
}
