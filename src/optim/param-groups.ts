/** Sorting a model's parameters into groups that want different options. */
import { ArgumentError } from '../torch/errors.js';
import { Tensor } from '../torch/tensor.js';
import { refuseUnknown, requireNumber } from './options.js';

/** A model, as far as sorting its parameters goes; every `nn.Module` is one. */
export interface ModelParameters {
  namedParameters(): Iterable<readonly [string, Tensor]>;
}

/** Chooses parameters by name and tensor. */
export type ParameterRule = (name: string, parameter: Tensor) => boolean;

/** Rules by name: `vectors` are tensors of fewer than two dimensions, which biases and the weights of norms are. */
export type NoDecayRule = 'vectors' | 'bias' | RegExp | ParameterRule;

export interface ParamGroupsOptions {
  /** Decay of the weights that are to decay. Default: the optimiser's own. */
  readonly weightDecay?: number;
  /**
   * Which parameters do not decay: one rule or several. Default `vectors`, biases and norms: pulling those to zero does not make a
   * network simpler, it only makes it learn a shift or a scale that it had already. `[]` lets everything decay.
   */
  readonly noDecayOn?: NoDecayRule | readonly NoDecayRule[];
  /** Rate of the last layers; needed with `layerDecay`. */
  readonly lr?: number;
  /**
   * Each layer learns at this factor of the rate of the one after it (0.65 to 0.9 for fine-tuning): layers near the input keep more of
   * what they know. A layer is what `layerOf` says.
   */
  readonly layerDecay?: number;
  /** Number of a parameter's layer, 0 nearest the input. Default: by name, see `layersByName`. */
  readonly layerOf?: (name: string, parameter: Tensor) => number;
}

/** One of the groups, as optimisers take it. */
export interface ParamGroup {
  /** e.g. `layer 3, no decay`. */
  readonly name: string;
  readonly params: Tensor[];
  readonly weightDecay?: number;
  readonly lr?: number;
}

const optionNames = ['weightDecay', 'noDecayOn', 'lr', 'layerDecay', 'layerOf'];

function ruleOf(rule: NoDecayRule): ParameterRule {
  if (typeof rule === 'function') return rule;
  if (rule instanceof RegExp) return (name) => rule.test(name);
  if (rule === 'vectors') return (_, parameter) => parameter.ndim < 2;
  if (rule === 'bias') return (name) => /(^|\.)bias$/.test(name);
  throw new ArgumentError(
    `paramGroups(): noDecayOn takes 'vectors', 'bias', a regular expression or a function, got '${String(rule)}'.`,
  );
}

/** Parameters that need a gradient, by name, each once. */
function trainable(model: ModelParameters): [string, Tensor][] {
  if (typeof (model as ModelParameters | null)?.namedParameters !== 'function')
    throw new ArgumentError(
      'paramGroups() takes a model first, something with namedParameters() as every nn.Module has.',
    );
  const seen = new Set<Tensor>();
  const found: [string, Tensor][] = [];
  for (const [name, parameter] of model.namedParameters()) {
    if (!(parameter instanceof Tensor) || seen.has(parameter) || !parameter.requiresGrad) continue;
    seen.add(parameter);
    found.push([name, parameter]);
  }
  if (found.length === 0)
    throw new ArgumentError('paramGroups(): the model has no parameter that needs a gradient; is everything frozen?');
  return found;
}

/**
 * Layers by name: names that share everything up to and including their last number are one layer (`blocks.3`), names without a
 * number are one by what comes before the last dot (`head`); layers are counted in the order of their parameters.
 */
export function layersByName(names: Iterable<string>): Map<string, number> {
  const layers = new Map<string, number>();
  const byName = new Map<string, number>();
  for (const name of names) {
    const parts = name.split('.').slice(0, -1);
    const last = parts.findLastIndex((part) => /^\d+$/.test(part));
    const key = (last < 0 ? parts : parts.slice(0, last + 1)).join('.');
    if (!layers.has(key)) layers.set(key, layers.size);
    byName.set(name, layers.get(key) as number);
  }
  return byName;
}

/**
 * Groups of a model's trainable parameters for an optimiser: `new AdamW(paramGroups(net, { weightDecay: 0.05 }), { lr })`. Biases and
 * norms do not decay unless asked for; with `layerDecay` each layer has its own rate. Frozen parameters are left out.
 * @throws ArgumentError when there is nothing to train, or an option makes no sense
 */
export function paramGroups(model: ModelParameters, options: ParamGroupsOptions = {}): ParamGroup[] {
  refuseUnknown('paramGroups()', options, optionNames);
  const { weightDecay, noDecayOn = 'vectors', lr, layerDecay } = options;
  if (weightDecay !== undefined) requireNumber('paramGroups()', 'weightDecay', weightDecay, { atLeast: 0 });
  if (lr !== undefined) requireNumber('paramGroups()', 'lr', lr, { atLeast: 0 });
  const rules = (Array.isArray(noDecayOn) ? (noDecayOn as readonly NoDecayRule[]) : [noDecayOn as NoDecayRule]).map(
    ruleOf,
  );
  const parameters = trainable(model);
  const names = layersByName(parameters.map(([name]) => name));
  const layerOf = options.layerOf ?? ((name: string) => names.get(name) as number);
  if (layerDecay !== undefined) {
    requireNumber('paramGroups()', 'layerDecay', layerDecay, { above: 0, atMost: 1 });
    if (lr === undefined)
      throw new ArgumentError(
        'paramGroups(): layerDecay needs lr, the rate of the last layers, to scale the others by.',
      );
  }
  const layers = parameters.map(([name, parameter]) => {
    const layer = layerDecay === undefined ? 0 : layerOf(name, parameter);
    if (!Number.isInteger(layer) || layer < 0)
      throw new ArgumentError(`paramGroups(): layerOf('${name}') must be a whole number from 0, got ${String(layer)}.`);
    return layer;
  });
  const deepest = layers.reduce((a, b) => Math.max(a, b), 0);
  const groups = new Map<string, ParamGroup>();
  parameters.forEach(([name, parameter], i) => {
    const decays = !rules.some((rule) => rule(name, parameter));
    const layer = layers[i] as number;
    const label = `${layerDecay === undefined ? '' : `layer ${layer}, `}${decays ? 'decay' : 'no decay'}`;
    let group = groups.get(label);
    if (group === undefined) {
      const decay = decays ? weightDecay : 0;
      const rate = lr === undefined ? undefined : lr * (layerDecay ?? 1) ** (deepest - layer);
      group = {
        name: label,
        params: [],
        ...(decay === undefined ? {} : { weightDecay: decay }),
        ...(rate === undefined ? {} : { lr: rate }),
      };
      groups.set(label, group);
    }
    group.params.push(parameter);
  });
  return [...groups.values()];
}

export interface SplitForMuonOptions {
  /** Whether convolutions count as matrices, which `MuonWithAdamW` takes and `Muon` does not. Default false. */
  readonly convolutions?: boolean;
}

/**
 * Splits a model for Muon: `matrices` of hidden layers for Muon, `others` (biases, norms, embeddings, convolutions, the last layer)
 * for AdamW. `keepFromMuon` says which matrices stay with AdamW; by default those whose name has `embed`, and the last one, which
 * gives the classes.
 */
export function splitForMuon(
  model: ModelParameters,
  keepFromMuon?: ParameterRule,
  options: SplitForMuonOptions = {},
): { readonly matrices: Tensor[]; readonly others: Tensor[] } {
  const parameters = trainable(model);
  const fits = ({ ndim }: Tensor): boolean => (options.convolutions ? ndim >= 2 : ndim === 2);
  const last = parameters.findLast(([, parameter]) => fits(parameter))?.[1];
  const keep = keepFromMuon ?? ((name, parameter) => /embed/i.test(name) || parameter === last);
  const matrices: Tensor[] = [];
  const others: Tensor[] = [];
  for (const [name, parameter] of parameters)
    (fits(parameter) && !keep(name, parameter) ? matrices : others).push(parameter);
  return { matrices, others };
}
