/** Whether a network gives the same answers as it will when it is used: train and eval mode, and the mistakes that are made with them. */
import { ArgumentError, Tensor, torch } from '../torch/index.js';
import {
  AlphaDropout,
  Dropout,
  Dropout1d,
  Dropout2d,
  Dropout3d,
  FeatureAlphaDropout,
  StochasticDepth,
} from './layers/dropout.js';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from './layers/normalisation-batch.js';
import type { AnyModule, Module } from './module.js';

/** A mistake with the modes of a network. */
export interface EvaluationFinding {
  /**
   * `mode`: parts are in train mode. In eval mode: `random`: the same input gives other answers; `batch`: an answer depends on what else is in the
   * batch; `state`: a buffer changes.
   */
  readonly kind: 'mode' | 'random' | 'batch' | 'state';
  /** Path of the first layer that does it; empty for the network itself. */
  readonly layer: string;
  readonly message: string;
  readonly remedy: string;
}

const random = [Dropout, Dropout1d, Dropout2d, Dropout3d, AlphaDropout, FeatureAlphaDropout, StochasticDepth];
const norms = [BatchNorm1d, BatchNorm2d, BatchNorm3d];
/** Whether a module computes something else in training. */
const minds = (module: AnyModule): boolean =>
  random.some((kind) => module instanceof kind && module.p > 0) || norms.some((kind) => module instanceof kind);

/** Layers that behave otherwise in training and are in train mode now: what must not be there when a network is evaluated. */
export function layersInTrainMode(model: Module): string[] {
  return model
    .namedModules()
    .filter(([, module]) => module.training && minds(module))
    .map(([name]) => name);
}

const list = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(', ')}${names.length > 3 ? `, … (${names.length} layers)` : ''}`;

/** Outputs of all modules that give one tensor, innermost first. */
function outputsOf(model: Module, input: Tensor): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const hooks = model.namedModules().map(([name, module]) =>
    module.registerForwardHook((_, __, output) => {
      // In its own memory: a layer after it may work in place.
      if (output instanceof Tensor) found.set(name, output.detach().clone());
    }),
  );
  try {
    const output: unknown = model.call(input);
    if (!(output instanceof Tensor))
      throw new ArgumentError(`checkEvaluation(): ${model.constructor.name} must give one tensor.`);
    found.set('', output);
    return found;
  } finally {
    for (const hook of hooks) hook.remove();
  }
}

/** The first module whose output differs, `tolerance` relative to its size. */
function firstDifference(
  one: ReadonlyMap<string, Tensor>,
  other: ReadonlyMap<string, Tensor>,
  tolerance: number,
): string | undefined {
  for (const [name, tensor] of one) {
    const second = other.get(name);
    if (second === undefined || !tensor.isFloatingPoint() || tensor.shape.join() !== second.shape.join()) continue;
    const scale = Math.max(1e-12, tensor.abs().max().item() as number);
    if ((tensor.sub(second).abs().max().item() as number) / scale > tolerance) return name;
  }
  return undefined;
}

const first = (outputs: ReadonlyMap<string, Tensor>, rows: number): Map<string, Tensor> =>
  new Map([...outputs].flatMap(([name, tensor]) => (tensor.shape[0] === rows ? [[name, tensor.narrow(0, 0, 1)]] : [])));

/**
 * Names what would make an evaluation wrong: layers that are in train mode now; and, in eval mode, answers that differ from call to call (a
 * dropout that does not look at `this.training`), that depend on the rest of the batch (normalisation by the batch), or buffers that change.
 * The model, its modes and the random numbers are as before afterwards.
 * @param input a batch of at least two samples that fits the network
 */
export function checkEvaluation(model: Module<[Tensor], Tensor>, input: Tensor): EvaluationFinding[] {
  const rows = input.shape[0] ?? 0;
  if (rows < 2) throw new ArgumentError(`checkEvaluation() needs a batch of at least two samples, got ${rows}.`);
  const findings: EvaluationFinding[] = [];
  const training = layersInTrainMode(model);
  if (training.length > 0)
    findings.push({
      kind: 'mode',
      layer: training[0] as string,
      message: `${model.constructor.name} is in train mode: ${list(training)} would leave units out, or normalise by the batch.`,
      remedy: 'Call model.eval() before it is evaluated, and model.train() before it learns on.',
    });
  const modes = model.modules().map((module) => ({ module, training: module.training }));
  const buffers = model.namedBuffers().map(([name, buffer]) => ({ name, buffer, copy: buffer.clone() }));
  try {
    torch.forkRng(() =>
      torch.scope(() =>
        torch.noGrad(() => {
          model.eval();
          torch.manualSeed(1);
          const once = outputsOf(model as unknown as Module, input);
          torch.manualSeed(2);
          const twice = outputsOf(model as unknown as Module, input);
          const moved = buffers.find(({ buffer, copy }) => !torch.equal(buffer, copy));
          if (moved !== undefined)
            findings.push({
              kind: 'state',
              layer: moved.name.split('.').slice(0, -1).join('.'),
              message: `The buffer ${moved.name} changes though the network is in eval mode: evaluating it changes it.`,
              remedy: 'Update it only where this.training is true.',
            });
          const luck = firstDifference(once, twice, 0);
          if (luck !== undefined) {
            findings.push({
              kind: 'random',
              layer: luck,
              message: `${luck === '' ? model.constructor.name : luck} gives another answer to the same input in eval mode: something random in it does not look at its mode.`,
              remedy:
                'Give F.dropout { training: this.training }, or make it a field of nn.Dropout; layers kept in plain arrays or Maps are not reached by eval().',
            });
            return;
          }
          // The first sample in company of itself.
          const same = input.narrow(0, 0, 1).repeat(rows, ...Array<number>(input.ndim - 1).fill(1));
          const alone = first(outputsOf(model as unknown as Module, same), rows);
          const together = firstDifference(first(once, rows), alone, 1e-3);
          if (together !== undefined)
            findings.push({
              kind: 'batch',
              layer: together,
              message: `${together === '' ? model.constructor.name : together} gives a sample another answer when the rest of the batch is another, in eval mode: it uses the batch's own mean and deviation.`,
              remedy:
                'Let normalisation use its running statistics in evaluation (trackRunningStats), or use GroupNorm or LayerNorm.',
            });
        }),
      ),
    );
  } finally {
    for (const { module, training: on } of modes) module.training = on;
    torch.noGrad(() => {
      for (const { buffer, copy } of buffers) buffer.copy_(copy);
    });
  }
  return findings;
}
