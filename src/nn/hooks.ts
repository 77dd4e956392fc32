/** Functions that run with a module's forward and backward pass. A module without any pays nothing for them. */
import { DifferentiableOperation, type FunctionContext, type HookHandle, Tensor, torch } from '../torch/index.js';
import { type AnyModule, internals } from './module.js';

/** Before the forward pass. Inputs that it returns replace the given ones. */
export type ForwardPreHook<M = AnyModule, Inputs extends readonly unknown[] = readonly unknown[]> = (
  module: M,
  inputs: Inputs,
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one
) => Inputs | undefined | void;

/** After the forward pass. An output that it returns replaces the computed one. */
export type ForwardHook<M = AnyModule, Inputs extends readonly unknown[] = readonly unknown[], Output = unknown> = (
  module: M,
  inputs: Inputs,
  output: Output,
  // biome-ignore lint/suspicious/noConfusingVoidType: as above
) => Output | undefined | void;

/** In the backward pass, with one gradient per tensor input and output. Gradients of the inputs that it returns replace the computed ones. */
export type BackwardHook<M = AnyModule> = (
  module: M,
  gradInput: readonly (Tensor | null)[],
  gradOutput: readonly (Tensor | null)[],
  // biome-ignore lint/suspicious/noConfusingVoidType: as above
) => readonly (Tensor | null)[] | undefined | void;

type Forward = (...inputs: readonly unknown[]) => unknown;

export interface Hooks {
  readonly before: Map<number, ForwardPreHook>;
  readonly after: Map<number, ForwardHook>;
  readonly backward: Map<number, BackwardHook>;
  /** The module's forward without hooks, when it is the object's own (an arrow function in a field); else the class's is meant. */
  readonly own: PropertyDescriptor | null;
  wrapped: Forward;
}

type Gradients = readonly (Tensor | null)[];
type Watch = (gradients: Gradients) => Gradients | undefined;

/** Passes tensors through and sees their gradients, all at once, on the way back. */
class Boundary extends DifferentiableOperation {
  static forward(context: FunctionContext, watch: Watch, ...tensors: Tensor[]): Tensor[] {
    context.data.watch = watch;
    return tensors.map((x) => x.viewAs(x));
  }

  static backward(context: FunctionContext, ...gradients: (Tensor | null)[]): (Tensor | null)[] {
    return [null, ...((context.data.watch as Watch)(gradients) ?? gradients)];
  }
}

/** The tensors among values, each replaced by what `change` makes of them all. */
function throughTensors(values: readonly unknown[], change: (tensors: Tensor[]) => readonly Tensor[]): unknown[] {
  const tensors = values.filter((x): x is Tensor => x instanceof Tensor);
  if (tensors.length === 0) return [...values];
  const changed = change(tensors);
  let next = 0;
  return values.map((x) => (x instanceof Tensor ? changed[next++] : x));
}

/** One gradient per value: that of a tensor, null for anything else. */
const inPlaces = (values: readonly unknown[], gradients: Gradients): (Tensor | null)[] => {
  let next = 0;
  return values.map((x) => (x instanceof Tensor ? (gradients[next++] ?? null) : null));
};

/** Puts a boundary around inputs and output so that the backward hooks see the gradients at both. */
function watchBackward(
  module: AnyModule,
  hooks: readonly BackwardHook[],
  inputs: readonly unknown[],
  forward: Forward,
): unknown {
  if (!torch.isGradEnabled()) return forward(...inputs);
  let gradOutput: Gradients = [];
  const run = (gradInput: Gradients): Gradients => {
    let current = gradInput;
    for (const hook of hooks) current = hook(module, current, gradOutput) ?? current;
    return current;
  };
  const learns = inputs.some((x) => x instanceof Tensor && x.requiresGrad);
  const entered = learns
    ? throughTensors(inputs, (tensors) =>
        Boundary.apply<Tensor[]>(
          ((gradients: Gradients) => {
            const replaced = run(inPlaces(inputs, gradients));
            return replaced.filter((_, i) => inputs[i] instanceof Tensor);
          }) satisfies Watch,
          ...tensors,
        ),
      )
    : inputs;
  const result = forward(...entered);
  const outputs = Array.isArray(result) ? (result as unknown[]) : [result];
  if (!outputs.some((x) => x instanceof Tensor && x.requiresGrad)) return result;
  const left = throughTensors(outputs, (tensors) =>
    Boundary.apply<Tensor[]>(
      ((gradients: Gradients) => {
        gradOutput = inPlaces(outputs, gradients);
        // Nothing before this module learns: there is no gradient of the inputs to wait for.
        if (!learns) run(inputs.map(() => null));
        return undefined;
      }) satisfies Watch,
      ...tensors,
    ),
  );
  return Array.isArray(result) ? left : left[0];
}

function makeForward(module: AnyModule, hooks: Hooks): Forward {
  return (...given) => {
    const plain: Forward = (...inputs) =>
      ((hooks.own?.value ?? (Object.getPrototypeOf(module) as AnyModule).forward) as Forward).apply(module, [
        ...inputs,
      ]);
    let inputs: readonly unknown[] = given;
    for (const hook of hooks.before.values()) {
      const replaced = hook(module, inputs);
      if (replaced !== undefined) inputs = Array.isArray(replaced) ? (replaced as unknown[]) : [replaced];
    }
    const after = (...values: readonly unknown[]): unknown => {
      let output = plain(...values);
      for (const hook of hooks.after.values()) {
        const replaced = hook(module, values, output);
        if (replaced !== undefined) output = replaced;
      }
      return output;
    };
    return hooks.backward.size === 0
      ? after(...inputs)
      : watchBackward(module, [...hooks.backward.values()], inputs, after);
  };
}

function install(module: AnyModule, own: PropertyDescriptor | null): Hooks {
  const hooks: Hooks = { before: new Map(), after: new Map(), backward: new Map(), own, wrapped: () => undefined };
  hooks.wrapped = makeForward(module, hooks);
  Object.defineProperty(module, 'forward', {
    value: hooks.wrapped,
    enumerable: false,
    configurable: true,
    writable: true,
  });
  module[internals].hooks = hooks;
  return hooks;
}

function uninstall(module: AnyModule, hooks: Hooks): void {
  if (hooks.before.size + hooks.after.size + hooks.backward.size > 0 || module[internals].hooks !== hooks) return;
  module[internals].hooks = null;
  if (hooks.own === null) Reflect.deleteProperty(module, 'forward');
  else Object.defineProperty(module, 'forward', hooks.own);
}

let nextId = 0;

type HookKind = 'before' | 'after' | 'backward';

/** Registers a hook; the first one puts a wrapper in front of the module's `forward`, removing the last takes it away. */
export function addHook(
  module: AnyModule,
  kind: HookKind,
  hook: ForwardPreHook | ForwardHook | BackwardHook,
): HookHandle {
  const hooks = module[internals].hooks ?? install(module, Object.getOwnPropertyDescriptor(module, 'forward') ?? null);
  const id = nextId++;
  (hooks[kind] as Map<number, unknown>).set(id, hook);
  return {
    remove() {
      hooks[kind].delete(id);
      uninstall(module, hooks);
    },
  };
}

/** Whether the module's own `forward` is the wrapper of hooks. */
export const hookedForward = (module: AnyModule): boolean => module[internals].hooks !== null;

/** Gives a copy of a module the same hooks. */
export function rehook(copy: AnyModule, from: Hooks): void {
  const hooks = install(copy, from.own);
  for (const kind of ['before', 'after', 'backward'] as const)
    for (const [id, hook] of from[kind]) (hooks[kind] as Map<number, unknown>).set(id, hook);
}
