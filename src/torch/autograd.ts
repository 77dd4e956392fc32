/** Gradients: backward passes and functions with a gradient of one's own. */
import { ArgumentError } from './errors.js';
import { attempt } from './failure.js';
import { native } from './load.js';
import type { Handle } from './native.js';
import { handleOf, Tensor } from './tensor.js';

export interface BackwardOptions {
  /** Keep the graph for another backward pass. Default: `createGraph`. */
  readonly retainGraph?: boolean;
  /** Record the pass itself, for higher derivatives. */
  readonly createGraph?: boolean;
  /** Accumulate only into these tensors. */
  readonly inputs?: Tensor | readonly Tensor[];
}

export interface GradOptions {
  /** One gradient per output; may be left out for single values. */
  readonly gradOutputs?: Tensor | readonly (Tensor | null)[];
  readonly retainGraph?: boolean;
  readonly createGraph?: boolean;
  /** Give null for inputs that the outputs do not depend on, instead of an error. */
  readonly allowUnused?: boolean;
}

const listOf = <T>(value: T | readonly T[]): readonly T[] =>
  Array.isArray(value) ? (value as readonly T[]) : [value as T];
const handles = (tensors: readonly unknown[], name: string): Handle[] => tensors.map((x) => handleOf(x, name));
const optionalHandles = (tensors: readonly (Tensor | null)[], name: string) =>
  tensors.map((x) => (x === null ? null : handleOf(x, name)));

/**
 * Adds the gradients of `tensors` to the `grad` of the leaves they depend on.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.backward.html
 * @param gradients one per tensor; may be left out when each tensor is a single value
 */
export function backward(
  tensors: Tensor | readonly Tensor[],
  gradients?: readonly (Tensor | null)[],
  options: BackwardOptions = {},
): void {
  const roots = listOf(tensors);
  const create = options.createGraph ?? false;
  const given = gradients ?? roots.map(() => null);
  const inputs = options.inputs === undefined ? null : handles(listOf(options.inputs), 'inputs');
  const rootHandles = handles(roots, 'tensors');
  const gradientHandles = optionalHandles(given, 'gradients');
  attempt(
    () => native.backward(rootHandles, gradientHandles, options.retainGraph ?? create, create, inputs),
    'backward',
    roots,
  );
}

/**
 * The gradients of `outputs` with respect to `inputs`, one per input; nothing is accumulated.
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad.html
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  const out = listOf(outputs);
  const into = listOf(inputs);
  const create = options.createGraph ?? false;
  const given = options.gradOutputs === undefined ? out.map(() => null) : listOf<Tensor | null>(options.gradOutputs);
  const results = attempt(
    () =>
      native.grad(
        handles(out, 'outputs'),
        handles(into, 'inputs'),
        optionalHandles(given, 'gradOutputs'),
        options.retainGraph ?? create,
        create,
        options.allowUnused ?? false,
      ),
    'grad',
    [...out, ...into],
  );
  return results.map((x) => (x === null ? null : new Tensor(x)));
}

/** What a function's forward leaves for its backward. */
export class FunctionContext {
  /** @internal */
  saved: (Tensor | null)[] = [];
  /** @internal */
  savedForBackward: (Tensor | null)[] = [];
  /** One per input of `apply`: whether its gradient is wanted. */
  needsInputGrad: boolean[] = [];
  /** Anything else the backward needs that is not a tensor. */
  readonly data: Record<string, unknown> = {};

  /** Keeps tensors for the backward, safely: inputs and outputs may be among them, and changes in place are noticed. */
  saveForBackward(...tensors: (Tensor | null)[]): void {
    this.savedForBackward = tensors;
  }

  /** In the backward: the tensors that were saved. */
  get savedTensors(): (Tensor | null)[] {
    return this.saved;
  }
}

type Forward = (context: FunctionContext, ...inputs: never[]) => Tensor | readonly Tensor[];
type Backward = (
  context: FunctionContext,
  ...gradients: Tensor[]
) => Tensor | null | undefined | readonly (Tensor | null | undefined)[];

/** The static side of a class that extends `Function`. */
export interface DifferentiableFunction {
  readonly name: string;
  forward: Forward;
  backward: Backward;
}

/**
 * A function with a gradient of one's own: extend it with static `forward(context, …inputs)` and `backward(context, …gradients)`,
 * call it with `apply`. Source: https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.Function
 */
// biome-ignore lint/complexity/noStaticOnlyClass: the shape of PyTorch's torch.autograd.Function
export class DifferentiableOperation {
  /** Computes the result and records the function in the graph. Inputs that are not tensors pass through and get no gradient. */
  static apply<Result extends Tensor | readonly Tensor[] = Tensor>(
    this: DifferentiableFunction,
    ...inputs: unknown[]
  ): Result {
    // biome-ignore lint/complexity/noThisInStatic: the class that `apply` was called on, as in PyTorch
    return applyFunction(this, inputs) as Result;
  }
}

const wrapped = (handle: Handle | null) => (handle === null ? null : new Tensor(handle));

/**
 * What the graph calls. Made here, where neither inputs nor outputs are in sight: a function keeps all that functions beside it use, and
 * inputs that were not saved must not live as long as the graph.
 */
function backwardOf(definition: DifferentiableFunction, context: FunctionContext, inputs: number) {
  return (gradients: (Handle | null)[], saved: (Handle | null)[]): (Handle | null)[] => {
    context.saved = saved.map(wrapped);
    try {
      const returned = definition.backward(context, ...(gradients.map(wrapped) as Tensor[]));
      const list = listOf<Tensor | null | undefined>(returned as Tensor | null | undefined);
      if (list.length !== inputs)
        throw new ArgumentError(
          `${definition.name}.backward() must return ${inputs} gradients (one per input, null for none), got ${list.length}.`,
        );
      return list.map((x) =>
        x === null || x === undefined ? null : handleOf(x, `${definition.name}.backward()'s gradient`),
      );
    } finally {
      context.saved = [];
    }
  };
}

function applyFunction(definition: DifferentiableFunction, inputs: readonly unknown[]): Tensor | Tensor[] {
  const context = new FunctionContext();
  context.needsInputGrad = inputs.map((x) => x instanceof Tensor && x.requiresGrad);
  const before = native.setGradEnabled(false);
  let result: Tensor | readonly Tensor[];
  try {
    result = definition.forward(context, ...(inputs as never[]));
  } finally {
    native.setGradEnabled(before);
  }
  const outputs = listOf(result);
  for (const output of outputs)
    if (!(output instanceof Tensor))
      throw new ArgumentError(`${definition.name}.forward() must return a Tensor or an array of them.`);
  if (!before || !context.needsInputGrad.includes(true))
    return Array.isArray(result) ? [...outputs] : (result as Tensor);
  const callback = backwardOf(definition, context, inputs.length);
  const name = `${definition.name}Backward`;
  const results = attempt(
    () =>
      native.customNode(
        name,
        inputs.map((x) => (x instanceof Tensor ? x.handle : null)),
        outputs.map((x) => x.handle),
        context.savedForBackward.map((x) => (x === null ? null : handleOf(x, 'a saved tensor'))),
        callback,
      ),
    name,
    inputs,
  ).map((x) => new Tensor(x));
  context.savedForBackward = [];
  return Array.isArray(result) ? results : (results[0] as Tensor);
}
