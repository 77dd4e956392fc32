/**
 * The places in a network whose spread data-dependent initialisation tunes: the output of a layer with one weight, and the projections
 * of an attention layer, which computes four layers in one.
 */
import { type Tensor, torch } from '../torch/index.js';
import { parameterIn, type WeightedLayer, wide } from './init-probe.js';
import { type AnyModule, Module } from './module.js';
import type { Parameter } from './parameter.js';

/** One spread to tune. */
export interface Site {
  readonly name: string;
  readonly kind: string;
  /** The parameter that holds its weights. */
  readonly weight: Parameter;
  /** The weights themselves: the parameter, or some of its rows. */
  readonly weights: Tensor;
  readonly bias: Tensor | null;
  /** Dimensions that follow the channels in the output; 0 for layers that compute along the last dimension. */
  readonly spatial: number;
}

/** What watching a layer needs to know about it. */
export interface LayerSites {
  readonly layer: WeightedLayer;
  /** Tuned from the layer's output. */
  readonly output: Site | null;
  /** Tuned from the layer's inputs, before it computes: query, key and value of attention. */
  readonly inputs: readonly { readonly site: Site; readonly argument: number }[];
  /** Why the layer cannot be tuned, when there is neither. */
  readonly note: string | null;
}

const outputProjection = (module: AnyModule): AnyModule | null => {
  const value = (module as unknown as Readonly<Record<string, unknown>>).outProj;
  return value instanceof Module ? (value as AnyModule) : null;
};

/** Query, key and value: rows of one weight, or three weights where their sizes differ. */
function attentionSites(layer: WeightedLayer, layers: readonly WeightedLayer[]): LayerSites | null {
  const { module, name } = layer;
  const out = outputProjection(module);
  const outWeight = out === null ? null : parameterIn(out, 'weight');
  if (out === null || outWeight === null) return null;
  const joint = parameterIn(module, 'inProjWeight');
  const bias = parameterIn(module, 'inProjBias');
  const size = outWeight.size(1);
  const inputs: { site: Site; argument: number }[] = [];
  for (const [argument, part] of ['query', 'key', 'value'].entries()) {
    const weight = joint ?? parameterIn(module, `${part[0]}ProjWeight`);
    if (weight === null) return null;
    const rows = <T extends Tensor | null>(x: T): Tensor | null => x?.detach().narrow(0, argument * size, size) ?? null;
    const site: Site = {
      name: `${name} (${part})`,
      kind: module.constructor.name,
      weight,
      weights: joint === null ? weight.detach() : (rows(weight) as Tensor),
      bias: rows(bias),
      spatial: 0,
    };
    inputs.push({ site, argument });
  }
  const output: Site = {
    name: layers.find((other) => other.module === out)?.name ?? `${name}.outProj`,
    kind: out.constructor.name,
    weight: outWeight,
    weights: outWeight.detach(),
    bias: parameterIn(out, 'bias')?.detach() ?? null,
    spatial: 0,
  };
  return { layer, output, inputs, note: null };
}

/** What to tune in each layer. Output projections that their attention layer uses itself belong to that layer. */
export function sitesOf(layers: readonly WeightedLayer[]): LayerSites[] {
  const owned = new Set<AnyModule>();
  const found = layers.map((layer): LayerSites => {
    const attention = attentionSites(layer, layers);
    if (attention !== null) {
      const out = outputProjection(layer.module);
      if (out !== null) owned.add(out);
      return attention;
    }
    const { module, name, weights } = layer;
    const weight = parameterIn(module, 'weight');
    if (weight === null || weights.length > 1) {
      return {
        layer,
        output: null,
        inputs: [],
        note: 'left as it is: its outputs are not one weight times its inputs',
      };
    }
    const output: Site = {
      name,
      kind: module.constructor.name,
      weight,
      weights: weight.detach(),
      bias: parameterIn(module, 'bias')?.detach() ?? null,
      spatial: 'kernelSize' in module ? weight.ndim - 2 : 0,
    };
    return { layer, output, inputs: [], note: null };
  });
  return found.filter(({ layer }) => !owned.has(layer.module));
}

/** What a projection of attention makes of its input. */
export function project(site: Site, input: Tensor): Tensor {
  const weights = site.weights.to(input.dtype);
  const product = input.detach().matmul(weights.t());
  return site.bias === null ? product : product.add(site.bias.to(input.dtype));
}

/** The bias as it lies in the output: along the last dimension, or along the channels. */
export function biasOver(site: Site): Tensor | null {
  if (site.bias === null) return null;
  return wide(site.bias).reshape([-1, ...Array<number>(site.spatial).fill(1)]);
}

/** How to scale a site: its weights, its weights and its bias together, or not at all because its outputs do not follow its inputs. */
export type Scaling = { readonly factor: number; readonly withBias: boolean } | null;

const scaling = (factor: number, withBias: boolean): Scaling =>
  Number.isFinite(factor) && factor > 0 ? { factor, withBias } : null;

/**
 * What gives outputs = weights · inputs + bias the deviation `target`: the positive root of
 * a²·var(own) + 2a·cov(own, bias) + var(bias) = target². There is none when the bias alone varies more: then it comes along.
 */
export function scalingFor(outputs: Tensor, bias: Tensor | null, target: number): Scaling {
  const deviation = outputs.std(false).item();
  if (bias === null) return scaling(target / deviation, false);
  const own = outputs.sub(bias);
  own.sub_(own.mean());
  const shift = bias.expandAs(outputs).sub(bias.mean());
  const ownVariance = own.square().mean().item();
  // What is left after rounding, not a signal.
  if (ownVariance <= 1e-12 * deviation ** 2) return null;
  const rest = shift.square().mean().item() - target ** 2;
  if (rest >= 0) return scaling(target / deviation, true);
  const common = own.mul(shift).mean().item();
  return scaling((Math.sqrt(common ** 2 - ownVariance * rest) - common) / ownVariance, false);
}

/** Multiplies the weights (and the bias, when `both`) without recording it. */
export function scaleSite(site: Site, factor: number, both: boolean): void {
  torch.noGrad(() => {
    site.weights.mul_(factor);
    if (both) site.bias?.mul_(factor);
  });
}
