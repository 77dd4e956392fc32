/** An optimiser's state as plain data and tensors, and exact copies of it. */
import { ArgumentError } from '../torch/errors.js';
import { keep } from '../torch/memory.js';
import { Tensor } from '../torch/tensor.js';
import type { Slot } from './bucket.js';
import { withoutGradients } from './engine.js';
import type { CommonOptions, Optimizer } from './optimizer.js';

/** What `optimizer.state()` gives. Everything but `tensors` fits JSON. */
export interface OptimizerState {
  /** Class of the optimiser, e.g. `AdamW`. */
  readonly optimizer: string;
  /** Options of each group, and how many parameters it has. */
  readonly groups: readonly { readonly options: Readonly<Record<string, unknown>>; readonly parameters: number }[];
  /** Steps that each parameter has seen. */
  readonly steps: readonly number[];
  /** By parameter and name, e.g. `12.expAvg`. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** What of a group is written down: everything but the parameters. */
function plainOptions(group: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(group)
      .filter(([key, value]) => key !== 'params' && value !== undefined)
      .map(([key, value]) => [key, Array.isArray(value) ? [...(value as unknown[])] : value]),
  );
}

/** Puts options over a group's own. */
export function assignOptions(group: object, options: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(group)) if (key !== 'params' && !(key in options)) Reflect.deleteProperty(group, key);
  Object.assign(group, options);
}

export function optimizerState<O extends CommonOptions>(optimizer: Optimizer<O>): OptimizerState {
  const tensors: Record<string, Tensor> = {};
  const slots = optimizer.slots.flat();
  slots.forEach((slot, i) => {
    for (const [name, tensor] of Object.entries(slot.state)) tensors[`${i}.${name}`] = tensor;
  });
  return {
    optimizer: optimizer.name,
    groups: optimizer.paramGroups.map((group) => ({ options: plainOptions(group), parameters: group.params.length })),
    steps: slots.map((slot) => slot.step),
    tensors,
  };
}

const shapeText = (tensor: Tensor) => `[${tensor.shape.join(', ')}]`;

/** A copy of loaded state, of the type and on the device of its parameter. */
export function adoptState(slot: Slot, tensor: Tensor): Tensor {
  const { parameter } = slot;
  return withoutGradients(() => {
    const copy = parameter.detach().clone();
    copy.copy_(tensor);
    return keep(copy);
  });
}

/** Says what is wrong with a state for these parameters, all of it at once; nothing when it fits. */
export function misfits<O extends CommonOptions>(
  optimizer: Optimizer<O>,
  sizes: readonly number[],
  tensors: Iterable<readonly [index: number, name: string, tensor: unknown]>,
  known: ReadonlySet<string>,
): string[] {
  const problems: string[] = [];
  const own = optimizer.paramGroups.map((group) => group.params.length);
  if (sizes.length !== own.length) problems.push(`it has ${sizes.length} groups, the optimiser ${own.length}`);
  else
    sizes.forEach((size, i) => {
      if (size !== own[i]) problems.push(`its group ${i} has ${size} parameters, the optimiser's ${own[i]}`);
    });
  if (problems.length > 0) return problems;
  const slots = optimizer.slots.flat();
  for (const [index, name, tensor] of tensors) {
    const slot = slots[index];
    if (slot === undefined) problems.push(`it has state for parameter ${index}, there are ${slots.length}`);
    else if (!known.has(name))
      problems.push(`it has '${name}' for parameter ${index}, which ${optimizer.name} does not keep`);
    else if (!(tensor instanceof Tensor)) problems.push(`'${name}' of parameter ${index} is not a tensor`);
    else if (shapeText(tensor) !== shapeText(slot.parameter))
      problems.push(
        `'${name}' of parameter ${index} has shape ${shapeText(tensor)}, the parameter ${shapeText(slot.parameter)}`,
      );
  }
  return problems;
}

/** At most so many problems are listed. */
const listed = 8;

export function refuseMisfits(owner: string, what: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const rest = problems.length > listed ? `; and ${problems.length - listed} more` : '';
  throw new ArgumentError(`${owner}: ${what} does not fit: ${problems.slice(0, listed).join('; ')}${rest}.`);
}

/** Every name that the optimiser may keep, whatever its options. */
export const everyStateName = new Set([
  'momentumBuffer',
  'squareAvg',
  'gradAvg',
  'expAvg',
  'expAvgSq',
  'maxExpAvgSq',
  'sum',
]);

export function loadOptimizerState<O extends CommonOptions>(optimizer: Optimizer<O>, state: OptimizerState): void {
  const { name } = optimizer;
  if (typeof state !== 'object' || state === null || !Array.isArray(state.groups) || !Array.isArray(state.steps))
    throw new ArgumentError(
      `${name}.loadState() takes what state() gave; for a PyTorch state dict there is loadStateDict().`,
    );
  if (state.optimizer !== name)
    throw new ArgumentError(`${name}.loadState(): the state is of ${state.optimizer}, not of ${name}.`);
  const entries = Object.entries(state.tensors).map(([key, tensor]) => {
    const dot = key.indexOf('.');
    return [Number(key.slice(0, dot)), key.slice(dot + 1), tensor] as const;
  });
  const problems = misfits(
    optimizer,
    state.groups.map((group) => group.parameters),
    entries,
    everyStateName,
  );
  const slots = optimizer.slots.flat();
  if (problems.length === 0 && state.steps.length !== slots.length)
    problems.push(`it counts the steps of ${state.steps.length} parameters, there are ${slots.length}`);
  refuseMisfits(name, 'the state', problems);
  for (const group of state.groups) optimizer.check({ ...optimizer.defaults, ...group.options } as O);
  state.groups.forEach(({ options }, i) => {
    assignOptions(optimizer.paramGroups[i] as object, { ...optimizer.defaults, ...options });
  });
  fillSlots(slots, entries as (readonly [number, string, Tensor])[], state.steps);
}

/** Replaces the state of all parameters. */
export function fillSlots(
  slots: readonly Slot[],
  entries: readonly (readonly [number, string, Tensor])[],
  steps: readonly number[],
): void {
  // The given tensors may be the optimiser's own: copy before anything is let go of.
  const copies = entries.map(([index, key, tensor]) => [index, key, adoptState(slots[index] as Slot, tensor)] as const);
  for (const [i, slot] of slots.entries()) {
    for (const key of Object.keys(slot.state)) Reflect.deleteProperty(slot.state, key);
    slot.step = steps[i] as number;
  }
  for (const [index, key, copy] of copies) (slots[index] as Slot).state[key] = copy;
}

/** A copy of options and state. */
export interface Snapshot {
  readonly options: readonly Readonly<Record<string, unknown>>[];
  readonly slots: readonly {
    readonly step: number;
    readonly state: ReadonlyMap<string, { original: Tensor; copy: Tensor }>;
  }[];
}

export function takeSnapshot<O extends CommonOptions>(optimizer: Optimizer<O>): Snapshot {
  return {
    options: optimizer.paramGroups.map(plainOptions),
    slots: optimizer.slots.flat().map((slot) => ({
      step: slot.step,
      state: new Map(
        Object.entries(slot.state).map(([name, original]) => [
          name,
          { original, copy: withoutGradients(() => keep(original.clone())) },
        ]),
      ),
    })),
  };
}

/** Puts everything back: the same tensor objects with the same elements, and nothing that was not there. */
export function restoreSnapshot<O extends CommonOptions>(optimizer: Optimizer<O>, snapshot: Snapshot): void {
  snapshot.options.forEach((options, i) => {
    assignOptions(optimizer.paramGroups[i] as object, plainOptions(options));
  });
  optimizer.slots.flat().forEach((slot, i) => {
    const saved = snapshot.slots[i];
    if (saved === undefined) return;
    slot.step = saved.step;
    for (const name of Object.keys(slot.state)) if (!saved.state.has(name)) Reflect.deleteProperty(slot.state, name);
    for (const [name, { original, copy }] of saved.state) {
      withoutGradients(() => original.copy_(copy));
      slot.state[name] = original;
    }
  });
}
