/** Which layers learn how fast when weights are fine-tuned: those near the input know most of what carries over. */
import { type Head, isInHead } from '../../models/index.js';
import type { Tensor } from '../../torch/index.js';
import type { LayerRates } from './plan.js';

/** Shortcuts belong to the block beside which they lie. */
const withoutShortcut = (name: string): string => name.replace(/\.(downsample|shortcut|skip)\..*$/, '.x');

/**
 * The layer of each parameter: 0 is what comes before the first block, then block by block, what comes after the last one with the head.
 * A block is what names share up to their last number. As in timm's `param_groups_layer_decay`.
 */
function blocks(names: readonly string[], head: Head): ReadonlyMap<string, number> {
  const byKey = new Map<string, number>();
  const keyOf = (name: string): string | undefined => {
    if (/^(stem|patch_embed|conv1)\./.test(name)) return undefined;
    const parts = withoutShortcut(name).split('.').slice(0, -1);
    const last = parts.findLastIndex((part) => /^\d+$/.test(part));
    return last < 0 ? undefined : parts.slice(0, last + 1).join('.');
  };
  for (const name of names) {
    const key = isInHead(head, name) ? undefined : keyOf(name);
    if (key !== undefined && !byKey.has(key)) byKey.set(key, byKey.size + 1);
  }
  const after = byKey.size + 1;
  let seen = false;
  return new Map(
    names.map((name) => {
      const key = isInHead(head, name) ? undefined : keyOf(name);
      if (key !== undefined) seen = true;
      return [name, isInHead(head, name) ? after : key === undefined ? (seen ? after : 0) : (byKey.get(key) as number)];
    }),
  );
}

/**
 * Number of each parameter's group, 0 nearest the input, and the head alone or with the last layers in the last:
 * `layer-decay` one for each block, `discriminative` three: the body's first half, its second half, the head.
 */
export function layerGroups(
  parameters: readonly (readonly [string, Tensor])[],
  head: Head,
  rates: LayerRates,
): ReadonlyMap<string, number> {
  const layers = blocks(
    parameters.map(([name]) => name),
    head,
  );
  if (rates === 'same') return new Map([...layers.keys()].map((name) => [name, 0]));
  if (rates === 'layer-decay') return layers;
  const last = Math.max(...layers.values());
  return new Map(
    [...layers].map(([name, layer]) => [name, isInHead(head, name) ? 2 : layer >= last / 2 && last > 1 ? 1 : 0]),
  );
}
