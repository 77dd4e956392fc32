/** Making a model by its name. */
import type * as nn from '../nn/index.js';
import { refuseUnknown } from '../optim/options.js';
import { ArgumentError, nearest } from '../torch/errors.js';
import { catalogue, type ModelEntry, type ModelOptions, type ModelSpec } from './catalogue.js';
import { requireRate, requireWhole, requireWholes } from './options.js';

/** Names are the same with `-`, `_` or nothing between their parts, in capitals or not: `vit_tiny`, `ViT-Tiny`. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, '');

/** The names `createModel` knows, small models first. */
export const modelNames = (): readonly string[] => Object.keys(catalogue);

function find(name: string): { name: string; entry: ModelEntry } {
  const names = modelNames();
  const found = names.find((known) => plain(known) === plain(String(name)));
  if (found === undefined) {
    const near = nearest(String(name), names);
    throw new ArgumentError(
      `There is no model '${name}'${near === undefined ? `: choose one of ${names.join(', ')}` : `; did you mean '${near}'?`}${near === undefined ? '.' : ''}`,
    );
  }
  return { name: found, entry: catalogue[found] as ModelEntry };
}

/**
 * What a model is and when to pick it.
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function modelSpec(name: string): ModelSpec {
  const { name: known, entry } = find(name);
  const { make: _, ...spec } = entry;
  return { name: known, ...spec };
}

/**
 * A model by name with its first weights, drawn from the current random state: the same seed gives the same weights as the model's
 * reference (the seed text, torchvision, timm) where that uses the same numbers.
 * Takes [n, channels, height, width], gives logits [n, classes].
 * @throws ArgumentError for an unknown name, or an option that the model does not take or cannot use
 */
export function createModel(name: string, options: ModelOptions): nn.Module {
  const { name: known, entry } = find(name);
  if (typeof options !== 'object' || options === null)
    throw new ArgumentError(`createModel('${known}') needs options: { classes: … }.`);
  // An option given as undefined is one not given.
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  refuseUnknown(`createModel('${known}')`, given, ['classes', 'channels', 'size', ...entry.takes]);
  const { channels = 3, size = entry.size } = options;
  requireWhole(known, 'classes', options.classes);
  requireWhole(known, 'channels', channels);
  requireWholes(known, 'size', size, 2);
  for (const option of ['width', 'depth', 'patch'] as const)
    if (options[option] !== undefined) requireWhole(known, option, options[option], option === 'depth' ? 0 : 1);
  for (const option of ['dropout', 'dropPath'] as const)
    if (options[option] !== undefined) requireRate(known, option, options[option]);
  if (options.width !== undefined && options.widths !== undefined)
    throw new ArgumentError(`${known}: give either width (of the first stage) or widths (of all), not both.`);
  const stem = options.stem ?? entry.stem;
  return entry.make({ ...options, channels, size, ...(stem === undefined ? {} : { stem }) });
}
