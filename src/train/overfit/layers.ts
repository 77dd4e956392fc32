/** The places in a network after which its activations are looked at: blocks, and layers with weights together with what follows them. */
import * as nn from '../../nn/index.js';
import { Tensor } from '../../torch/index.js';
import type { Classifier } from '../compute.js';

/** A stretch of a network whose output is looked at. */
export interface LayerGroup {
  /** Names of its first and last module: `layer1.0`, `conv1 … maxpool`. */
  readonly name: string;
  /** Its last module: the output of this is what the next group gets. */
  readonly last: nn.AnyModule;
}

/** Containers that only call what is in them, one after the other. */
const isContainer = (module: nn.AnyModule): boolean =>
  module instanceof nn.Sequential || module instanceof nn.ModuleList;

/** The modules of the backbone in their order: containers are opened, blocks are not. */
function backbone(module: nn.AnyModule, prefix = ''): [string, nn.AnyModule][] {
  return module.namedChildren().flatMap(([name, child]): [string, nn.AnyModule][] => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return isContainer(child) && child.namedChildren().length > 0 ? backbone(child, path) : [[path, child]];
  });
}

/** Whether it has weights that change directions: norms and activations only rescale. */
const mixes = (module: nn.AnyModule): boolean =>
  [...module.namedParameters()].some(([, parameter]) => parameter.ndim >= 2);

/**
 * The groups of a network, first to last. Each begins with a block or a layer with weights; norms, activations and pooling belong to what
 * they follow. The last is the layer of the logits.
 */
export function layerGroups(model: Classifier): LayerGroup[] {
  const groups: { first: string; lastName: string; last: nn.AnyModule }[] = [];
  for (const [name, module] of backbone(model)) {
    const group = groups.at(-1);
    if (mixes(module)) groups.push({ first: name, lastName: name, last: module });
    else if (group !== undefined && !(module instanceof nn.Identity))
      Object.assign(group, { lastName: name, last: module });
  }
  return groups.map(({ first, lastName, last }) => ({
    name: first === lastName ? first : `${first} … ${lastName}`,
    last,
  }));
}

/** An activation as one row of numbers per sample: pictures and tokens are averaged over their places. */
export function pooled(output: unknown): Tensor | undefined {
  if (!(output instanceof Tensor)) return undefined;
  const x = output.detach().float();
  if (x.ndim === 4) return x.mean({ dim: [2, 3] });
  if (x.ndim === 3) return x.mean({ dim: [1] });
  return x.ndim === 2 ? x : undefined;
}
