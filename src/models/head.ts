/** Where a classifier's body ends and its head begins. */
import * as nn from '../nn/index.js';
import { ArgumentError } from '../torch/errors.js';

/** The layer that gives the classes. */
export interface Head {
  /** Path in the model, e.g. `fc` or `head.fc`. */
  readonly name: string;
  readonly module: nn.Linear | nn.Conv2d;
}

/**
 * The last linear layer, or 1 × 1 convolution, of a classifier: what is before it makes features, it alone knows the classes.
 * @throws ArgumentError for a network that ends in neither
 */
export function headOf(model: nn.Module): Head {
  const layers = model.namedModules().filter(([, module]) => module.ownParameters().length > 0);
  const [name, module] = layers.at(-1) ?? ['', model];
  if (module instanceof nn.Linear) return { name, module };
  if (module instanceof nn.Conv2d && module.kernelSize.every((side) => side === 1)) return { name, module };
  throw new ArgumentError(
    `${model.constructor.name}: its last layer with weights is ${name || 'the network itself'} (${module.constructor.name}), and not a linear layer or a 1 × 1 convolution; there is no telling what its features are.`,
  );
}

/** Whether a parameter, or a buffer, belongs to the head. */
export const isInHead = (head: Head, name: string): boolean => name.startsWith(`${head.name}.`);
