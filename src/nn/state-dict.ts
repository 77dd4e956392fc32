/** What a module has learnt, as tensors by name, and back. */
import { ArgumentError, Tensor, TorchError, torch } from '../torch/index.js';
import type { AnyModule } from './module.js';
import { Parameter } from './parameter.js';

/** Tensors by PyTorch's dotted names, e.g. `network.1.c1.weight`. */
export type StateDict = Record<string, Tensor>;

export interface LoadStateDictOptions {
  /** Every entry must have its place and every place its entry. Default true. */
  readonly strict?: boolean;
  /** Take the tensors themselves, with their type and device, instead of copying their values. Default false. */
  readonly assign?: boolean;
}

export interface LoadStateDictResult {
  /** Places for which there was no entry. */
  readonly missingKeys: string[];
  /** Entries for which there was no place. */
  readonly unexpectedKeys: string[];
}

/** A state dict does not fit a module. */
export class StateDictError extends TorchError {
  override readonly name = 'StateDictError';
  constructor(
    message: string,
    readonly missingKeys: readonly string[],
    readonly unexpectedKeys: readonly string[],
    /** Entries with another shape than their place. */
    readonly mismatchedKeys: readonly string[],
  ) {
    super(message);
  }
}

interface Place {
  readonly name: string;
  readonly key: string;
  readonly module: AnyModule;
  readonly value: Tensor;
  readonly optional: boolean;
}

/** The places of a module's state in PyTorch's order: of each module parameters, then buffers, then the modules inside. */
function places(root: AnyModule): Place[] {
  const found: Place[] = [];
  for (const [path, module] of root.namedModules({ removeDuplicate: false })) {
    const prefix = path === '' ? '' : `${path}.`;
    const buffers = module.ownBuffers().filter((buffer) => buffer.persistent);
    for (const { name, key, value } of [...module.ownParameters(), ...buffers])
      found.push({ name: prefix + name, key, module, value, optional: module.mayLack(name) });
  }
  return found;
}

export function stateDict(
  root: AnyModule,
  options: { readonly prefix?: string; readonly keepVars?: boolean },
): StateDict {
  const { prefix = '', keepVars = false } = options;
  const state: StateDict = {};
  for (const { name, value } of places(root)) state[prefix + name] = keepVars ? value : value.detach();
  return state;
}

const shapeText = (tensor: Tensor): string => `[${tensor.shape.join(', ')}]`;

/** A remedy for the commonest reason that nothing fits. */
function hint(missing: readonly string[], unexpected: readonly string[]): string {
  const wanted = new Set(missing);
  for (const prefix of ['module.', 'model.', '_orig_mod.', 'backbone.', 'encoder.'])
    if (
      unexpected.length > 0 &&
      unexpected.every((key) => key.startsWith(prefix) && wanted.has(key.slice(prefix.length)))
    )
      return `\nAll unexpected entries would fit without '${prefix}': remove it from the names first.`;
  return '';
}

function describe(
  root: AnyModule,
  missing: readonly string[],
  unexpected: readonly string[],
  mismatched: ReadonlyMap<string, string>,
): string {
  const lines = [`The state dict does not fit ${root.constructor.name}; nothing was changed.`];
  if (missing.length > 0) lines.push(`Missing (${missing.length}): ${missing.join(', ')}`);
  if (unexpected.length > 0) lines.push(`Unexpected (${unexpected.length}): ${unexpected.join(', ')}`);
  if (mismatched.size > 0) {
    const shapes = [...mismatched].map(([name, text]) => `${name} ${text}`);
    lines.push(`Wrong shape (${mismatched.size}): ${shapes.join('; ')}`);
  }
  return lines.join('\n') + hint(missing, unexpected);
}

/** Files from before PyTorch 0.4 hold single numbers as tensors of one dimension. */
function entryFor(place: Place, entry: Tensor): Tensor {
  return place.value.ndim === 0 && entry.ndim === 1 && entry.numel() === 1 ? entry.select(0, 0) : entry;
}

export function loadStateDict(
  root: AnyModule,
  given: StateDict | ReadonlyMap<string, Tensor>,
  options: LoadStateDictOptions,
): LoadStateDictResult {
  if (typeof given !== 'object' || given === null || given instanceof Tensor)
    throw new ArgumentError('loadStateDict() needs an object of tensors by name, such as stateDict() gives.');
  const { strict = true, assign = false } = options;
  const entries = given instanceof Map ? (given as ReadonlyMap<string, Tensor>) : new Map(Object.entries(given));
  for (const [name, value] of entries)
    if (!(value instanceof Tensor))
      throw new ArgumentError(
        `loadStateDict(): the entry '${name}' is not a Tensor. If the file holds more than weights, pass the part that holds them, e.g. checkpoint.state_dict.`,
      );
  const missing: string[] = [];
  const mismatched = new Map<string, string>();
  const fitting: [Place, Tensor][] = [];
  const known = new Set<string>();
  for (const place of places(root)) {
    known.add(place.name);
    const entry = entries.get(place.name);
    if (entry === undefined) {
      if (!place.optional) missing.push(place.name);
      continue;
    }
    const fitted = entryFor(place, entry);
    if (shapeText(fitted) === shapeText(place.value)) fitting.push([place, fitted]);
    else mismatched.set(place.name, `is ${shapeText(entry)} but must be ${shapeText(place.value)}`);
  }
  const unexpected = [...entries.keys()].filter((name) => !known.has(name));
  if (mismatched.size > 0 || (strict && missing.length + unexpected.length > 0))
    throw new StateDictError(describe(root, missing, unexpected, mismatched), missing, unexpected, [
      ...mismatched.keys(),
    ]);
  torch.noGrad(() => {
    for (const [{ module, key, value }, entry] of fitting) {
      if (!assign) value.copy_(entry);
      else if (value instanceof Parameter)
        module.setField(key, new Parameter(entry, { requiresGrad: value.requiresGrad }));
      else module.setField(key, entry.detach());
    }
  });
  return { missingKeys: missing, unexpectedKeys: unexpected };
}
