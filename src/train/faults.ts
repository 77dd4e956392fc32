/** When a loss is NaN or infinite: which layer and operator made the first such number, and from which pictures. */
import { type HookHandle, type Tensor, torch } from '../torch/index.js';
import { watchTensors } from '../torch/tensor.js';
import { type Classifier, type LossOptions, logitsOf, lossOf, type Machine, placeInput } from './compute.js';

export interface Fault {
  /** One sentence: what broke first, where. */
  readonly sentence: string;
  /** Path of the layer in the model, e.g. `network.1.c1`; empty for the model itself, undefined when it was not a layer. */
  readonly layer?: string;
  /** The operator as autograd names it: `ConvolutionBackward0` is `convolution`. */
  readonly operator?: string;
  /** What to do about it. */
  readonly remedy: string;
}

const allFinite = (tensor: Tensor): boolean =>
  !tensor.isFloatingPoint() || tensor.numel() === 0 || Boolean(tensor.detach().isfinite().all().item());

const kindOf = (tensor: Tensor): string => (tensor.detach().isnan().any().item() ? 'NaN' : 'infinity');

/** `NativeGroupNormBackward0` → `native_group_norm`. */
const operatorName = (gradientFunction: string): string =>
  gradientFunction
    .replace(/Backward\d*$/, '')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
    .toLowerCase();

interface Made {
  readonly tensor: Tensor;
  readonly layer: string;
}

/** Runs the forward pass again and notes every tensor it makes with the layer that was at work. */
function traced(model: Classifier, input: Tensor, target: Tensor, machine: Machine, options: LossOptions) {
  const made: Made[] = [];
  const stack: string[] = [];
  const hooks: HookHandle[] = [];
  for (const [name, module] of model.namedModules()) {
    hooks.push(module.registerForwardPreHook(() => void stack.push(name)));
    hooks.push(module.registerForwardHook(() => void stack.pop()));
  }
  watchTensors((tensor) => made.push({ tensor, layer: stack.at(-1) ?? '' }));
  try {
    const logits = logitsOf(model, input, machine);
    const inLoss = made.length;
    const loss = lossOf(logits, target, options);
    return { made: [...made], inLoss, loss };
  } finally {
    watchTensors(null);
    for (const hook of hooks) hook.remove();
  }
}

/**
 * Finds what made the first number that is not finite: the input, a weight, a layer of the forward pass, the loss, or a gradient.
 * The model's weights, gradients and mode are as before afterwards.
 */
export function findFault(
  model: Classifier,
  batch: { readonly input: Tensor; readonly target: Tensor },
  machine: Machine,
  options: LossOptions = {},
): Fault {
  return torch.forkRng(() =>
    torch.scope(() => {
      const buffers = model.buffers().map((buffer) => ({ buffer, copy: buffer.clone() }));
      const modes = [...model.namedModules()].map(([, module]) => ({ module, training: module.training }));
      const gradients = model.parameters().map((parameter) => ({ parameter, gradient: parameter.grad }));
      try {
        return search(model, batch, machine, options);
      } finally {
        torch.noGrad(() => {
          for (const { buffer, copy } of buffers) buffer.copy_(copy);
        });
        for (const { module, training } of modes) module.training = training;
        for (const { parameter, gradient } of gradients) parameter.grad = gradient;
      }
    }),
  );
}

/** The first weight that is not finite, as a fault; undefined when all are. */
export function brokenWeight(model: Classifier): Fault | undefined {
  for (const [name, parameter] of model.namedParameters())
    if (!allFinite(parameter))
      return {
        sentence: `the weight ${name} already holds ${kindOf(parameter)}: the step before this one broke it`,
        layer: name.split('.').slice(0, -1).join('.'),
        remedy: 'Lower the learning rate, or clip the gradient.',
      };
  return undefined;
}

function search(
  model: Classifier,
  batch: { readonly input: Tensor; readonly target: Tensor },
  machine: Machine,
  options: LossOptions,
): Fault {
  const input = placeInput(batch.input, machine);
  const target = batch.target.to({ device: machine.device });
  if (!allFinite(input))
    return {
      sentence: `the input holds ${kindOf(input)} before any layer`,
      remedy: 'Look at the pictures named here and at the normalisation: a deviation of 0 divides by nothing.',
    };
  const broken = brokenWeight(model);
  if (broken !== undefined) return broken;
  model.train();
  const { made, inLoss, loss } = traced(model, input, target, machine, options);
  const modules = new Map(model.namedModules());
  for (const [i, { tensor, layer }] of made.entries()) {
    if (tensor.isDisposed || allFinite(tensor)) continue;
    const operator = tensor.gradFn === null ? undefined : operatorName(tensor.gradFn.name);
    if (i >= inLoss)
      return {
        sentence: `the loss is the first to hold ${kindOf(tensor)}${operator ? ` (operator ${operator})` : ''}; all layers are finite`,
        ...(operator ? { operator } : {}),
        remedy: 'The logits are too large: lower the learning rate, or clip the gradient.',
      };
    const kind = modules.get(layer)?.constructor.name ?? 'the model';
    return {
      sentence: `the first ${kindOf(tensor)} comes out of ${layer === '' ? kind : `layer ${layer} (${kind})`}${operator ? `, operator ${operator}` : ''}`,
      layer,
      ...(operator ? { operator } : {}),
      remedy:
        machine.precision === 'float32'
          ? 'Lower the learning rate, clip the gradient, or normalise before this layer.'
          : `Try precision float32: ${machine.precision} holds fewer digits${machine.precision === 'float16' ? ' and no number above 65,504' : ''}.`,
    };
  }
  model.zeroGrad();
  loss.backward();
  for (const [name, parameter] of model.namedParameters())
    if (parameter.grad !== null && !allFinite(parameter.grad))
      return {
        sentence: `the gradient of ${name} holds ${kindOf(parameter.grad)}; loss and layers are finite`,
        layer: name.split('.').slice(0, -1).join('.'),
        remedy:
          'Clip the gradient, lower the learning rate, or look for a square root or division at zero in this layer.',
      };
  return {
    sentence:
      'the same batch is finite when it is computed again: what broke was random (dropout) or in the step itself',
    remedy: 'Lower the learning rate, or clip the gradient.',
  };
}
