/**
 * Data-dependent initialisation: pass sample data through the network and tune the weights of each layer until its outputs have
 * about the same spread. Formulas such as Kaiming's assume what follows a layer; this measures it.
 *
 * Sources: Mishkin & Matas 2015, "All you need is a good init" (arXiv:1511.06422): layer by layer, divide the weights by the deviation
 * of the outputs. Krähenbühl et al. 2015, "Data-dependent initializations of convolutional neural networks" (arXiv:1511.06856).
 * Both repeat forward passes for each layer. Here one pass does it for all: each layer's output is put right as it comes by, so the
 * next layer already sees what it will see later.
 */
import { ArgumentError, Tensor, torch } from '../torch/index.js';
import {
  firstTensor,
  inputsOf,
  requireModel,
  type SampleBatch,
  short,
  spread,
  table,
  type WeightedLayer,
  watching,
  weightedLayers,
  wide,
  withFirstTensor,
  withoutTrace,
} from './init-probe.js';
import { biasOver, type LayerSites, project, type Site, scaleSite, scalingFor, sitesOf } from './init-sites.js';
import type { AnyModule } from './module.js';

export interface InitFromDataOptions {
  /** The standard deviation that the outputs of each layer get. Default 1. */
  readonly target?: number;
  /** Names of layers, or of modules that hold them, to leave as they are: a pretrained trunk, a final layer that starts small. */
  readonly except?: readonly string[];
  /** How the sample goes through the model. Default: its elements are the arguments of `forward`. */
  readonly run?: (inputs: readonly unknown[]) => unknown;
}

/** What happened to one layer. */
export interface LayerSpread {
  /** Dotted name in the model; the projections of attention have theirs in parentheses. */
  readonly name: string;
  /** Class of the layer, e.g. `Conv2d`. */
  readonly kind: string;
  /** Shape of its weights. */
  readonly shape: readonly number[];
  /** Standard deviation of its outputs with the weights as they were; NaN when the sample does not reach it. */
  readonly before: number;
  /** The same with the weights as they are now. */
  readonly after: number;
  /** What its weights were multiplied by. */
  readonly scale: number;
  /** What else there is to say, e.g. why it was left as it is. */
  readonly note: string | null;
}

/** Spread of every layer before and after. Prints as a table. */
export class InitFromDataReport {
  constructor(
    readonly layers: readonly LayerSpread[],
    /** The deviation that was asked for. */
    readonly target: number,
    /** Forward passes that it took, for all layers together. */
    readonly forwardPasses: number,
  ) {}

  /** The largest distance of a tuned layer's spread from the target, as a share of it. */
  get worst(): number {
    const off = this.layers
      .filter((x) => x.scale !== 1 && x.note === null)
      .map((x) => Math.abs(x.after / this.target - 1));
    return Math.max(0, ...off);
  }

  toString(): string {
    const number = (x: number, text: string): string => (Number.isNaN(x) ? '—' : text);
    const rows = this.layers.map((x) => [
      x.name,
      x.kind,
      number(x.before, short(x.before)),
      number(x.after, x.after.toFixed(3)),
      x.scale === 1 ? '—' : `× ${short(x.scale)}`,
      x.note ?? '',
    ]);
    return `${table([['layer', 'kind', 'before', 'after', 'weights', ''], ...rows])}\n${this.forwardPasses} forward passes`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** A layer that is off the target by more than this after tuning does not follow its weights. */
const tolerance = 0.05;

/** One run of the tool: what it knows of each site. */
class Tuning {
  private readonly scales = new Map<Site, number>();
  private readonly notes = new Map<Site, string>();
  private readonly originals = new Map<Tensor, Tensor>();
  passes = 0;

  constructor(
    private readonly groups: readonly LayerSites[],
    private readonly target: number,
    private readonly run: () => unknown,
  ) {}

  scaleOf = (site: Site): number => this.scales.get(site) ?? 1;
  noteOf = (site: Site): string | null => this.notes.get(site) ?? null;

  note(site: Site, text: string): void {
    this.notes.set(site, text);
  }

  /** One pass over the sample. Gives the spread of each site the first time it is reached; with `tune`, after putting it right. */
  pass(tune: boolean): Map<Site, number> {
    this.passes++;
    const seen = new Map<Site, number>();
    const byModule = new Map(this.groups.map((group) => [group.layer.module, group]));
    const visit = (site: Site, outputs: Tensor): Tensor | null => {
      if (seen.has(site)) {
        if (tune && !this.notes.has(site)) this.note(site, 'used several times; tuned for the first');
        return null;
      }
      const deviation = spread(outputs);
      if (!Number.isFinite(deviation))
        throw new ArgumentError(
          `initFromData(): the outputs of '${site.name}' are not finite (deviation ${deviation}); the weights are as before. Look for NaN or Inf in the batch and in the weights before it.`,
        );
      seen.set(site, deviation);
      return tune && !this.notes.has(site) ? this.tune(site, outputs) : null;
    };
    const after = (layer: WeightedLayer, output: unknown): unknown => {
      const site = byModule.get(layer.module)?.output;
      const tensor = firstTensor(output);
      if (site === null || site === undefined || tensor === null) return undefined;
      const tuned = visit(site, tensor);
      return tuned === null ? undefined : withFirstTensor(output, tuned.to(tensor.dtype));
    };
    const before = (layer: WeightedLayer, inputs: readonly unknown[]): void => {
      for (const { site, argument } of byModule.get(layer.module)?.inputs ?? []) {
        const input = inputs[argument] ?? inputs[0];
        if (input instanceof Tensor) visit(site, project(site, input));
      }
    };
    const layers = this.groups.map((group) => group.layer);
    torch.noGrad(() => watching(layers, (layer, _, output) => after(layer, output), this.run, before));
    return seen;
  }

  /** Scales the weights of a site; gives what its outputs become. */
  private tune(site: Site, given: Tensor): Tensor | null {
    const outputs = wide(given);
    const bias = biasOver(site);
    const scaling = scalingFor(outputs, bias, this.target);
    if (scaling === null) {
      this.note(site, 'left as it is: its outputs do not vary with its inputs (weights of zero?)');
      return null;
    }
    const { factor, withBias } = scaling;
    this.remember(site);
    scaleSite(site, factor, withBias);
    this.scales.set(site, this.scaleOf(site) * factor);
    const scaled = outputs.mul(factor);
    // The part that is bias was scaled above, but the layer adds it as it is.
    return withBias || bias === null ? scaled : scaled.add(bias.mul(1 - factor));
  }

  private remember(site: Site): void {
    for (const tensor of [site.weights, site.bias])
      if (tensor !== null && !this.originals.has(tensor)) this.originals.set(tensor, tensor.detach().clone());
  }

  /** Puts back the weights of one site, or of all. */
  restore(only?: Site): void {
    torch.noGrad(() => {
      for (const [tensor, content] of this.originals)
        if (only === undefined || tensor === only.weights || tensor === only.bias) tensor.detach().copy_(content);
    });
    if (only !== undefined) this.scales.delete(only);
  }

  /** Tunes, measures, and sets aside layers that do not follow their weights; they are few, so this ends after a round or two. */
  tuneAll(): { before: Map<Site, number>; after: Map<Site, number> } {
    const before = this.pass(false);
    for (let round = 0; ; round++) {
      this.pass(true);
      const after = this.pass(false);
      const off = [...after].filter(([site, x]) => !this.notes.has(site) && Math.abs(x / this.target - 1) > tolerance);
      const [first] = off;
      if (first === undefined) return { before, after };
      // Those behind a layer that went wrong were tuned for inputs that it does not give: only the first is to blame.
      if (round >= 1) {
        this.restore(first[0]);
        this.note(first[0], 'left as it is: its outputs do not follow the size of its weights');
      }
      if (round > this.groups.length) return { before, after };
    }
  }
}

/** Layers that are not to be tuned, and why. */
function excuse(site: Site, except: readonly string[], owners: Map<Tensor, Site>): string | null {
  if (
    except.some((name) => site.name === name || site.name.startsWith(`${name}.`) || site.name.startsWith(`${name} (`))
  )
    return 'left as it is: excepted';
  if (!site.weight.requiresGrad) return 'left as it is: frozen';
  const owner = owners.get(site.weight);
  return owner === undefined || owner.weights.shape.join() !== site.weight.shape.join()
    ? null
    : `shares its weights with '${owner.name}'`;
}

/**
 * Tunes the weights of every layer until the deviation of its outputs over a sample of data is `target`. Biases, norm layers and
 * embeddings of positions stay as they are. Works through convolutions, residual blocks and attention (query, key, value and output
 * projection each). Three forward passes for the whole network: measure, tune, measure.
 *
 * Norm layers use the sample's statistics meanwhile, dropout passes everything through. Afterwards modes, hooks, buffers (running
 * statistics) and random state are exactly as before, and so are the weights when something fails.
 *
 * @param model its weights are changed in place
 * @param batch an input, or an array with all the inputs of `forward`; a usual batch of 32 or more samples
 * @returns spread per layer before and after; prints as a table
 * @throws ArgumentError when the sample does not run or gives outputs that are not finite; names the layer
 */
export function initFromData(
  model: AnyModule,
  batch: SampleBatch,
  options: InitFromDataOptions = {},
): InitFromDataReport {
  requireModel(model, 'initFromData');
  const { target = 1, except = [] } = options;
  if (!(target > 0 && Number.isFinite(target)))
    throw new ArgumentError(`initFromData(): the target must be a positive number, got ${target}.`);
  const inputs = inputsOf(batch, 'initFromData');
  const layers = weightedLayers(model);
  if (layers.length === 0) throw new ArgumentError('initFromData(): the model has no layer with weights to tune.');
  const known = model.namedModules().map(([name]) => name);
  const unknown = except.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new ArgumentError(
      `initFromData(): the model has no module '${unknown}' to except; it has ${known.filter(Boolean).join(', ')}.`,
    );

  const groups = sitesOf(layers);
  const run = options.run ?? ((values: readonly unknown[]) => model.forward(...values));
  const tuning = new Tuning(groups, target, () => run(inputs));
  const sites = groups.flatMap((group) => [
    ...group.inputs.map((x) => x.site),
    ...(group.output ? [group.output] : []),
  ]);
  const owners = new Map<Tensor, Site>();
  for (const site of sites) {
    const reason = excuse(site, except, owners);
    if (reason !== null) tuning.note(site, reason);
    if (!owners.has(site.weight)) owners.set(site.weight, site);
  }

  const { before, after } = withoutTrace(model, () => {
    try {
      return tuning.tuneAll();
    } catch (error) {
      tuning.restore();
      throw error;
    }
  });

  const describe = (site: Site): LayerSpread => ({
    name: site.name,
    kind: site.kind,
    shape: site.weights.shape,
    before: before.get(site) ?? Number.NaN,
    after: after.get(site) ?? Number.NaN,
    scale: tuning.scaleOf(site),
    note: before.has(site) ? tuning.noteOf(site) : 'not reached by the sample',
  });
  const report = groups.flatMap((group): LayerSpread[] => {
    if (group.note !== null) {
      const { name, module, weights } = group.layer;
      const shape = weights[0]?.value.shape ?? [];
      const nothing = { before: Number.NaN, after: Number.NaN, scale: 1 };
      return [{ name, kind: module.constructor.name, shape, ...nothing, note: group.note }];
    }
    return [...group.inputs.map((x) => x.site), ...(group.output ? [group.output] : [])].map(describe);
  });
  return new InitFromDataReport(report, target, tuning.passes);
}
