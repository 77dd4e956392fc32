/** PyTorch's layout of an optimiser's state: written so that Python loads it, and read as Python writes it. */
import * as create from '../torch/create.js';
import { ArgumentError } from '../torch/errors.js';
import { asMap } from '../torch/files/index.js';
import { toCamelCase } from '../torch/names.js';
import { Tensor } from '../torch/tensor.js';
import type { Optimizer } from './optimizer.js';
import { assignOptions, everyStateName, fillSlots, misfits, refuseMisfits } from './state.js';

/** PyTorch's `optimizer.state_dict()`: state by the number of the parameter, groups that name parameters by number. */
export interface PythonStateDict {
  readonly state: Map<number, Record<string, Tensor>>;
  readonly param_groups: Record<string, unknown>[];
}

/** `weightDecay` → `weight_decay`. */
export const toSnakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Keys of a group that say how Python is to compute, not what. */
const pythonOnly = new Set(['foreach', 'fused', 'capturable', 'differentiable']);

export function pythonState(optimizer: Optimizer): PythonStateDict {
  const state = new Map<number, Record<string, Tensor>>();
  let number = 0;
  const groups = optimizer.paramGroups.map((group, i) => {
    const numbers: number[] = [];
    for (const slot of optimizer.slots[i] ?? []) {
      numbers.push(number);
      const entries = Object.entries(slot.state);
      if (entries.length > 0) {
        const item: Record<string, Tensor> = {};
        if (optimizer.countsSteps) item.step = create.tensor(slot.step, { dtype: 'float32' });
        for (const [name, tensor] of entries) item[toSnakeCase(name)] = tensor;
        state.set(number, item);
      }
      number++;
    }
    const { params: _, extras, name, ...options } = group;
    const written: Record<string, unknown> = { ...optimizer.pythonOptions };
    for (const [key, value] of Object.entries(options)) if (value !== undefined) written[toSnakeCase(key)] = value;
    return { ...written, ...extras, ...(name === undefined ? {} : { name }), params: numbers };
  });
  return { state, param_groups: groups };
}

const isDict = (value: unknown): value is Record<string, unknown> | Map<unknown, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Tensor);

/** Options of a group as they are called here; what is unknown goes to `extras`. */
function groupOptions(optimizer: Optimizer, group: ReadonlyMap<unknown, unknown>): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const extras: Record<string, unknown> = {};
  for (const [key, value] of group) {
    const name = toCamelCase(String(key));
    if (key === 'params' || pythonOnly.has(String(key))) continue;
    if (name in optimizer.defaults)
      options[name] = value instanceof Tensor ? value.item() : Array.isArray(value) ? [...(value as unknown[])] : value;
    else if (name === 'initialLr') options.initialLr = value instanceof Tensor ? value.item() : value;
    else if (name === 'name') options.name = value;
    else if (!(value instanceof Tensor)) extras[String(key)] = value;
  }
  return Object.keys(extras).length > 0 ? { ...options, extras } : options;
}

interface Flat {
  readonly entries: (readonly [number, string, Tensor])[];
  readonly steps: number[];
}

/** State by the position of the parameter in the optimiser, whatever numbers the dict gives it. */
function flatten(state: ReadonlyMap<unknown, unknown>, numbers: readonly unknown[]): Flat {
  const entries: (readonly [number, string, Tensor])[] = [];
  const steps: number[] = new Array<number>(numbers.length).fill(0);
  numbers.forEach((number, position) => {
    const item = state.get(number) ?? state.get(String(number));
    if (!isDict(item)) return;
    for (const [key, value] of asMap(item)) {
      if (value === null) continue;
      if (key === 'step') steps[position] = value instanceof Tensor ? Number(value.item()) : Number(value);
      else entries.push([position, toCamelCase(String(key)), value as Tensor]);
    }
  });
  return { entries, steps };
}

export function loadPythonState(optimizer: Optimizer, dict: unknown): void {
  const { name } = optimizer;
  const outer = isDict(dict) ? asMap(dict) : new Map<unknown, unknown>();
  const state = outer.get('state');
  const given = outer.get('param_groups');
  if (!isDict(state) || !Array.isArray(given) || !given.every(isDict))
    throw new ArgumentError(
      `${name}.loadStateDict() takes an optimiser's state dict, an object with 'state' and 'param_groups'; got ${isDict(dict) ? `the keys ${[...outer.keys()].slice(0, 6).join(', ')}` : typeof dict}.`,
    );
  const groups = (given as Record<string, unknown>[]).map((group) => asMap(group));
  const numbers = groups.map((group) => group.get('params'));
  if (!numbers.every((list) => Array.isArray(list)))
    throw new ArgumentError(`${name}.loadStateDict(): each of param_groups must list its parameters under 'params'.`);
  const lists = numbers as unknown[][];
  const { entries, steps } = flatten(asMap(state), lists.flat());
  const sizes = lists.map((list) => list.length);
  refuseMisfits(name, 'the state dict', misfits(optimizer, sizes, entries, everyStateName));
  const options = groups.map((group) => groupOptions(optimizer, group));
  for (const each of options) optimizer.check({ ...optimizer.defaults, ...each });
  options.forEach((each, i) => {
    assignOptions(optimizer.paramGroups[i] as object, { ...optimizer.defaults, ...each });
  });
  fillSlots(optimizer.slots.flat(), entries, steps);
}
