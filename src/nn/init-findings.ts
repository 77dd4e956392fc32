/** The rules of the check of an initialisation: from what was measured to what is wrong, why it matters and what to do. */
import type { LayerMeasure } from './init-measure.js';
import { short } from './init-probe.js';

/** What a finding is about. */
export type FindingCode =
  | 'notFinite'
  | 'zeroLayer'
  | 'zeroFinalLayer'
  | 'symmetricUnits'
  | 'vanishingActivations'
  | 'explodingActivations'
  | 'vanishingGradients'
  | 'explodingGradients'
  | 'noGradient'
  | 'firstLossTooHigh'
  | 'firstLossTooLow';

/** One thing to know about an initialisation. */
export interface Finding {
  readonly code: FindingCode;
  /** `error`: training cannot work, or hardly. `warning`: it will suffer. `note`: nothing is wrong, but it is good to know. */
  readonly severity: 'error' | 'warning' | 'note';
  /** Names of the layers it is about. */
  readonly layers: readonly string[];
  /** What is wrong, in one sentence. */
  readonly message: string;
  /** The numbers that show it. */
  readonly evidence: string;
  /** What to do. */
  readonly remedy: string;
}

export interface OptimiserKind {
  readonly name: string | null;
  /** Null when it is not known. */
  readonly adaptive: boolean | null;
}

/** Everything the rules look at. */
export interface Evidence {
  readonly layers: readonly LayerMeasure[];
  /** The layer that computes the output. */
  readonly finalName: string | null;
  readonly optimiser: OptimiserKind;
  /** Spread of the input; NaN for token numbers. */
  readonly input: { readonly activation: number; readonly signal: number };
  /** How the output varies from sample to sample (with a final layer of zeros filled in). */
  readonly outputSignal: number;
  /** Whether norm layers or gates start at zero, so that their branches have no gradient yet. */
  readonly gates: boolean;
  readonly hasTarget: boolean;
  readonly firstLoss: number;
  readonly crossEntropy: number;
  readonly classes: number | null;
}

/**
 * Limits beyond which something is called a fault. They are wide: PyTorch's default initialisation loses a factor of about 0.4 per
 * layer with ReLU, which ten layers survive.
 */
const limits = {
  /** Signal or gradient left, as a share of what went in. */
  vanished: 1e-4,
  /** Spread of activations as a multiple of the input's. */
  exploded: 100,
  /** Gradient at the first layer as a multiple of the largest behind it. */
  explodedGradient: 1e4,
  /** Cross-entropy above that of knowing nothing; logits of deviation 1, as after `initFromData`, cost about 0.5. */
  excessLoss: 2.2,
  /** Share of a layer's units that are copies. */
  copies: 0.25,
};

const names = (layers: readonly LayerMeasure[]): string[] => layers.map((layer) => layer.name);

/** `'a'`, `'a' and 'b'`, `'a', 'b' and 3 more`. */
function list(layers: readonly LayerMeasure[]): string {
  const quoted = layers.map((layer) => `'${layer.name}'`);
  if (quoted.length > 3) return `${quoted.slice(0, 2).join(', ')} and ${quoted.length - 2} more layers`;
  return quoted.length < 2 ? (quoted[0] ?? '') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
}

function notFinite({ layers, firstLoss, hasTarget }: Evidence): Finding[] {
  const first = layers.find((layer) => layer.reached && !Number.isFinite(layer.activation));
  if (first === undefined && !(hasTarget && !Number.isFinite(firstLoss))) return [];
  return [
    {
      code: 'notFinite',
      severity: 'error',
      layers: first === undefined ? [] : [first.name],
      message:
        first === undefined
          ? 'The first loss is not a finite number.'
          : `The outputs of '${first.name}' are not finite numbers.`,
      evidence:
        first === undefined ? `Loss ${firstLoss}.` : 'Infinity or NaN among its outputs, with the sample as it is.',
      remedy:
        'Look for NaN in the batch and in the weights, and for weights that are far too large: nn.init.kaimingNormal_ or nn.initFromData.',
    },
  ];
}

/** Zeros that hold a residual branch shut are fine: the sum beside it lets signal and gradient pass. */
function passesBeside(layer: LayerMeasure, { layers, outputSignal }: Evidence): boolean {
  const first = layers.find((x) => x.reached);
  return layer !== first && layer.weightGradient > 0 && (first?.weightGradient ?? 0) > 0 && outputSignal > 0;
}

function zeroLayers(evidence: Evidence): Finding[] {
  const { layers, finalName } = evidence;
  const zero = layers.filter((layer) => layer.zero && layer.name !== finalName && !passesBeside(layer, evidence));
  if (zero.length === 0) return [];
  return [
    {
      code: 'zeroLayer',
      severity: 'error',
      layers: names(zero),
      message: `The weights of ${list(zero)} are all zero: no signal goes through and no gradient comes back, so what lies before cannot learn.`,
      evidence: `Gradient of the weights: ${layers
        .map((x) => `'${x.name}' ${short(x.weightGradient)}`)
        .slice(0, 6)
        .join(', ')}.`,
      remedy:
        "Start from random weights: nn.init.kaimingUniform_(layer.weight, { nonlinearity: 'relu' }); zeros are for biases.",
    },
  ];
}

function zeroFinal({ layers, finalName, optimiser }: Evidence): Finding[] {
  const last = layers.find((layer) => layer.name === finalName);
  if (last === undefined || !last.zero || optimiser.adaptive === false) return [];
  const common = {
    code: 'zeroFinalLayer' as const,
    layers: [last.name],
    evidence: `All weights of '${last.name}' are 0, so the layers before it get no gradient in the first step and a tiny one in the next.`,
  };
  if (optimiser.adaptive === null)
    return [
      {
        ...common,
        severity: 'note',
        message: `The final layer '${last.name}' starts at zero: fine with SGD, harmful with Adam and its like.`,
        remedy: 'Say which optimiser will train it: nn.init.check(model, batch, { optimiser }).',
      },
    ];
  return [
    {
      ...common,
      severity: 'warning',
      message: `The final layer '${last.name}' starts at zero and ${optimiser.name} divides gradients by their size: tiny, noisy gradients become full steps in every layer before it.`,
      remedy: `Give it small random weights, nn.init.normal_(layer.weight, { std: 0.01 }) or PyTorch's default, or train with SGD, where zeros are fine.`,
    },
  ];
}

function symmetry({ layers }: Evidence): Finding[] {
  const copied = layers.filter((x) => x.symmetricUnits >= 2 && x.symmetricUnits >= limits.copies * x.units);
  if (copied.length === 0) return [];
  const forGood = copied.filter((layer) => layer.symmetricGradients);
  const first = forGood[0] ?? (copied[0] as LayerMeasure);
  return [
    {
      code: 'symmetricUnits',
      severity: 'error',
      layers: names(copied),
      message:
        forGood.length > 0
          ? `The units of ${list(copied)} are copies of each other and get the same gradient: they stay one unit for good, however many there are.`
          : `The units of ${list(copied)} start as copies of each other.`,
      evidence: `'${first.name}': ${first.symmetricUnits} of ${first.units} units have the same weights as another${first.symmetricGradients ? ', and the same gradient' : ''}.`,
      remedy: 'Break the symmetry with random weights: nn.init.kaimingNormal_(layer.weight); constants are for biases.',
    },
  ];
}

function activations(evidence: Evidence): Finding[] {
  const { input, finalName } = evidence;
  const layers = evidence.layers.filter((layer) => Number.isFinite(layer.activation));
  const first = layers[0];
  if (first === undefined) return [];
  const found: Finding[] = [];
  const reference = input.signal > 0 ? input.signal : first.signal;
  const weak = layers.filter((x) => x.name !== finalName && !x.zero && x.signal < limits.vanished * reference);
  // A quiet branch beside a residual stream, or in front of a norm layer, is no fault: what counts is what comes out.
  const lost = evidence.outputSignal < 10 * limits.vanished * reference;
  if (lost && weak.length > 0) {
    const least = weak.at(-1) as LayerMeasure;
    found.push({
      code: 'vanishingActivations',
      severity: 'error',
      layers: names(weak),
      message: `The signal vanishes on the way: from ${list(weak.slice(0, 1))} on, the outputs are about the same for every sample.`,
      evidence: `Spread over the samples: ${short(reference)} at the input, ${short(least.signal)} at '${least.name}'.`,
      remedy:
        'Larger weights: nn.init.kaimingNormal_ with the right nonlinearity, or nn.initFromData(model, batch); in deep nets norm layers or residual connections.',
    });
  }
  const scale = Math.max(input.activation > 0 ? input.activation : first.activation, Number.MIN_VALUE);
  const strong = layers.filter((layer) => layer.activation > limits.exploded * scale);
  if (strong.length > 0) {
    const most = strong.reduce((a, b) => (b.activation > a.activation ? b : a));
    found.push({
      code: 'explodingActivations',
      severity: 'error',
      layers: names(strong),
      message: `The activations explode on the way: from ${list(strong.slice(0, 1))} on they are more than ${limits.exploded} times the input.`,
      evidence: `Spread: ${short(scale)} at the input, ${short(most.activation)} at '${most.name}'.`,
      remedy:
        'Smaller weights: nn.init.kaimingNormal_ with the right nonlinearity, or nn.initFromData(model, batch); in deep nets norm layers.',
    });
  }
  return found;
}

function gradients({ layers, gates }: Evidence): Finding[] {
  const found: Finding[] = [];
  const open = gates || layers.some((layer) => layer.zero);
  const dead = open ? [] : layers.filter((layer) => layer.weightGradient === 0);
  if (dead.length > 0)
    found.push({
      code: 'noGradient',
      severity: 'error',
      layers: names(dead),
      message: `No gradient reaches the weights of ${list(dead)}: with this sample they cannot learn.`,
      evidence: `The gradient of every weight of '${dead[0]?.name}' is exactly 0.`,
      remedy:
        'Most often every unit behind it is off: look for large negative biases in front of a ReLU, saturated sigmoids, or outputs that the loss does not use.',
    });
  const flowing = layers.filter((layer) => layer.gradient > 0 && Number.isFinite(layer.gradient));
  const [first, ...rest] = flowing;
  if (first === undefined || rest.length === 0) return found;
  const largest = rest.reduce((a, b) => (b.gradient > a.gradient ? b : a));
  const share = first.gradient / largest.gradient;
  if (share < limits.vanished)
    found.push({
      code: 'vanishingGradients',
      severity: 'error',
      layers: [first.name],
      message: `The gradient vanishes on the way back: '${first.name}' gets next to nothing of it.`,
      evidence: `Length per sample: ${short(largest.gradient)} at '${largest.name}', ${short(first.gradient)} at '${first.name}'.`,
      remedy:
        "Weights that keep the gradient's spread, nn.init.kaimingNormal_(w, { mode: 'fanOut' }); ReLU in place of sigmoid; residual connections.",
    });
  if (share > limits.explodedGradient)
    found.push({
      code: 'explodingGradients',
      severity: 'error',
      layers: [first.name],
      message: `The gradient explodes on the way back to '${first.name}'.`,
      evidence: `Length per sample: ${short(largest.gradient)} at '${largest.name}', ${short(first.gradient)} at '${first.name}'.`,
      remedy: "Smaller weights, nn.init.kaimingNormal_(w, { mode: 'fanOut' }); residual connections; clipping by norm.",
    });
  return found;
}

function firstLoss({ crossEntropy, classes, finalName }: Evidence): Finding[] {
  if (classes === null || !Number.isFinite(crossEntropy)) return [];
  const chance = Math.log(classes);
  const evidence = `Cross-entropy ${short(crossEntropy)}; ln(${classes}) = ${short(chance)}.`;
  const layers = finalName === null ? [] : [finalName];
  if (crossEntropy > chance + Math.max(limits.excessLoss, 0.5 * chance))
    return [
      {
        code: 'firstLossTooHigh',
        severity: 'warning',
        layers,
        message:
          'The first loss is far above that of knowing nothing: the model is sure of wrong answers before it has seen any.',
        evidence,
        remedy:
          'Smaller weights in the final layer, e.g. nn.init.normal_(layer.weight, { std: 0.01 }); check that the inputs are normalised.',
      },
    ];
  if (classes > 1 && crossEntropy < 0.5 * chance)
    return [
      {
        code: 'firstLossTooLow',
        severity: 'warning',
        layers,
        message: 'The first loss is far below that of knowing nothing: an untrained model cannot know.',
        evidence,
        remedy:
          'If the weights are trained, ignore this; otherwise look for labels that leak into the inputs, or a sample with one class only.',
      },
    ];
  return [];
}

/** All findings, the gravest causes first. What only follows from another fault is not named again. */
export function findFaults(evidence: Evidence): Finding[] {
  const broken = notFinite(evidence);
  if (broken.length > 0) return [...broken, ...symmetry(evidence)];
  const zeros = zeroLayers(evidence);
  const flow = zeros.length > 0 ? [] : [...activations(evidence), ...gradients(evidence)];
  return [...zeros, ...zeroFinal(evidence), ...symmetry(evidence), ...flow, ...firstLoss(evidence)];
}
