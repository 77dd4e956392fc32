/**
 * Initialisation of weights: PyTorch's `torch.nn.init`, with its numbers, bit for bit for the same seed.
 * Each function changes the tensor in place without recording gradients and gives it back.
 * Source: https://docs.pytorch.org/docs/stable/nn.init.html
 */
import { ArgumentError, type Generator, Tensor, torch } from '../torch/index.js';

/** Where random numbers come from. */
export interface GeneratorOption {
  /** Default: the default generator, which `torch.manualSeed` seeds. */
  readonly generator?: Generator;
}

/** Functions whose gain is known. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'convTranspose1d'
  | 'convTranspose2d'
  | 'convTranspose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leakyRelu'
  | 'selu';

/** Which way the spread is kept: `fanIn` that of the activations going forward, `fanOut` that of the gradients going back. */
export type FanMode = 'fanIn' | 'fanOut';

const linearNames = new Set([
  'linear',
  'conv1d',
  'conv2d',
  'conv3d',
  'convTranspose1d',
  'convTranspose2d',
  'convTranspose3d',
  'sigmoid',
]);

/**
 * How much larger weights must be to make up for what a non-linearity takes away from the spread.
 * Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain
 * @param param the negative slope of `leakyRelu`, default 0.01
 */
export function calculateGain(nonlinearity: Nonlinearity, param?: number): number {
  if (linearNames.has(nonlinearity)) return 1;
  switch (nonlinearity) {
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.sqrt(2);
    case 'leakyRelu': {
      const slope = param ?? 0.01;
      if (typeof slope !== 'number' || Number.isNaN(slope))
        throw new ArgumentError(`calculateGain(): the negative slope must be a number, got ${String(slope)}.`);
      return Math.sqrt(2 / (1 + slope ** 2));
    }
    case 'selu':
      return 3 / 4;
    default:
      throw new ArgumentError(
        `calculateGain(): no gain is known for '${String(nonlinearity)}'; use ${[...linearNames].join(', ')}, tanh, relu, leakyRelu or selu.`,
      );
  }
}

function requireTensor(value: unknown, name: string): asserts value is Tensor {
  if (!(value instanceof Tensor))
    throw new ArgumentError(
      `${name}(): the first argument must be a Tensor, got ${value === null ? 'null' : typeof value}.`,
    );
}

function requireNumber(value: number, what: string, name: string): void {
  if (typeof value !== 'number' || Number.isNaN(value))
    throw new ArgumentError(`${name}(): ${what} must be a number, got ${String(value)}.`);
}

const shapeText = (tensor: Tensor): string => `[${tensor.shape.join(', ')}]`;

function requireDimensions(tensor: Tensor, least: number, most: number, name: string): void {
  const count = tensor.ndim;
  if (count >= least && count <= most) return;
  const wanted = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  throw new ArgumentError(`${name}(): the tensor must have ${wanted} dimensions, got shape ${shapeText(tensor)}.`);
}

/** Changes `tensor` without recording it. */
function fill(tensor: Tensor, name: string, change: () => void): Tensor {
  requireTensor(tensor, name);
  torch.noGrad(change);
  return tensor;
}

const stream = (options: GeneratorOption): { generator?: Generator } =>
  options.generator === undefined ? {} : { generator: options.generator };

const isMeta = (tensor: Tensor): boolean => tensor.device === 'meta';

/** Fills with zeros. Right for biases; as weights, zeros stop the gradient (see docs/initialisation.md). */
export function zeros_(tensor: Tensor): Tensor {
  return fill(tensor, 'zeros_', () => void tensor.zero_());
}

/** Fills with ones. */
export function ones_(tensor: Tensor): Tensor {
  return fill(tensor, 'ones_', () => void tensor.fill_({ float: 1 }));
}

/** Fills with one value. As weights, a constant makes all units of a layer the same for good. */
export function constant_(tensor: Tensor, value: number): Tensor {
  requireNumber(value, 'the value', 'constant_');
  return fill(tensor, 'constant_', () => void tensor.fill_(value));
}

export interface UniformOptions extends GeneratorOption {
  /** Lower bound, default 0. */
  readonly a?: number;
  /** Upper bound, default 1. */
  readonly b?: number;
}

/** Fills from the uniform distribution over [a, b). */
export function uniform_(tensor: Tensor, options: UniformOptions = {}): Tensor {
  const { a = 0, b = 1 } = options;
  requireNumber(a, 'a', 'uniform_');
  requireNumber(b, 'b', 'uniform_');
  return fill(tensor, 'uniform_', () => void tensor.uniform_(a, b, stream(options)));
}

export interface NormalOptions extends GeneratorOption {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation, default 1. */
  readonly std?: number;
}

/** Fills from the normal distribution. */
export function normal_(tensor: Tensor, options: NormalOptions = {}): Tensor {
  const { mean = 0, std = 1 } = options;
  requireNumber(mean, 'mean', 'normal_');
  requireNumber(std, 'std', 'normal_');
  return fill(tensor, 'normal_', () => void tensor.normal_(mean, std, stream(options)));
}

/** Numbers that entries into a layer and exits from it have: the second dimension and the first, times the receptive field. */
export function calculateFanInAndFanOut(tensor: Tensor): { fanIn: number; fanOut: number } {
  requireTensor(tensor, 'calculateFanInAndFanOut');
  const [rows, columns, ...field] = tensor.shape;
  if (rows === undefined || columns === undefined)
    throw new ArgumentError(
      `Fan-in and fan-out need a tensor of at least 2 dimensions, got shape ${shapeText(tensor)}; for a bias use nn.init.zeros_.`,
    );
  const receptiveField = field.reduce((product, size) => product * size, 1);
  return { fanIn: columns * receptiveField, fanOut: rows * receptiveField };
}

export interface XavierOptions extends GeneratorOption {
  /** Factor on the spread, default 1; see `calculateGain`. */
  readonly gain?: number;
}

/** Both directions get half a say: variance 2 / (fan-in + fan-out). */
function xavierDeviation(tensor: Tensor, gain: number, name: string): number {
  requireNumber(gain, 'gain', name);
  const { fanIn, fanOut } = calculateFanInAndFanOut(tensor);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/**
 * Xavier initialisation, uniform over ±gain·√(6 / (fan-in + fan-out)).
 * Source: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks".
 */
export function xavierUniform_(tensor: Tensor, options: XavierOptions = {}): Tensor {
  const bound = Math.sqrt(3) * xavierDeviation(tensor, options.gain ?? 1, 'xavierUniform_');
  return fill(tensor, 'xavierUniform_', () => void tensor.uniform_(-bound, bound, stream(options)));
}

/** Xavier initialisation, normal with deviation gain·√(2 / (fan-in + fan-out)). Source: Glorot & Bengio 2010. */
export function xavierNormal_(tensor: Tensor, options: XavierOptions = {}): Tensor {
  const std = xavierDeviation(tensor, options.gain ?? 1, 'xavierNormal_');
  return fill(tensor, 'xavierNormal_', () => void tensor.normal_(0, std, stream(options)));
}

export interface KaimingOptions extends GeneratorOption {
  /** Negative slope of the rectifier that follows; counts for `leakyRelu` only. Default 0. */
  readonly a?: number;
  /** Keep the spread of the activations (`fanIn`, default) or of the gradients (`fanOut`): one or the other. */
  readonly mode?: FanMode;
  /** What follows the layer, default `leakyRelu`, which with a = 0 is `relu`. */
  readonly nonlinearity?: Nonlinearity;
}

function kaimingDeviation(tensor: Tensor, options: KaimingOptions): number {
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' } = options;
  if (mode !== 'fanIn' && mode !== 'fanOut')
    throw new ArgumentError(`Kaiming initialisation: mode must be 'fanIn' or 'fanOut', got '${String(mode)}'.`);
  return calculateGain(nonlinearity, a) / Math.sqrt(calculateFanInAndFanOut(tensor)[mode]);
}

/**
 * Kaiming initialisation, uniform over ±gain·√(3 / fan). Does nothing to a tensor without elements.
 * The fans are those of a weight as layers hold it, [out, in, …]; for `x @ w` with w of [in, out] pass `w.t()`.
 * Source: He et al. 2015, "Delving deep into rectifiers".
 */
export function kaimingUniform_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  requireTensor(tensor, 'kaimingUniform_');
  if (tensor.numel() === 0) return tensor;
  const bound = Math.sqrt(3) * kaimingDeviation(tensor, options);
  return fill(tensor, 'kaimingUniform_', () => void tensor.uniform_(-bound, bound, stream(options)));
}

/** Kaiming initialisation, normal with deviation gain / √fan. Does nothing to a tensor without elements. Source: He et al. 2015. */
export function kaimingNormal_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  requireTensor(tensor, 'kaimingNormal_');
  if (tensor.numel() === 0) return tensor;
  const std = kaimingDeviation(tensor, options);
  return fill(tensor, 'kaimingNormal_', () => void tensor.normal_(0, std, stream(options)));
}

export interface OrthogonalOptions extends GeneratorOption {
  /** Factor on the orthogonal matrix, default 1. */
  readonly gain?: number;
}

/**
 * Rows (or columns, whichever are fewer) orthogonal to each other; dimensions after the first count as one.
 * Source: Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks".
 */
export function orthogonal_(tensor: Tensor, options: OrthogonalOptions = {}): Tensor {
  requireTensor(tensor, 'orthogonal_');
  requireDimensions(tensor, 2, Number.POSITIVE_INFINITY, 'orthogonal_');
  const { gain = 1 } = options;
  requireNumber(gain, 'gain', 'orthogonal_');
  if (tensor.numel() === 0 || isMeta(tensor)) return tensor;
  const rows = tensor.size(0);
  const columns = tensor.numel() / rows;
  return fill(tensor, 'orthogonal_', () => {
    const flat = tensor.newEmpty([rows, columns]).normal_(0, 1, stream(options));
    if (rows < columns) flat.t_();
    const { Q, R } = torch.linalg.qr(flat);
    // The signs make Q uniform over the orthogonal matrices (Mezzadri 2007, arXiv:math-ph/0609050).
    Q.mul_(R.diagonal().sign());
    if (rows < columns) Q.t_();
    tensor.copy_(Q.reshape(tensor.shape)).mul_(gain);
  });
}

/** The identity matrix, as far as the shape allows: a Linear layer that passes its input on. */
export function eye_(tensor: Tensor): Tensor {
  requireTensor(tensor, 'eye_');
  requireDimensions(tensor, 2, 2, 'eye_');
  return fill(tensor, 'eye_', () => {
    tensor.zero_();
    tensor.diagonal().fill_(1);
  });
}

/** `eye_` by the name of what it makes. */
export const identity_ = eye_;

export interface DiracOptions {
  /** Groups of the convolution, default 1; each passes on its own channels. */
  readonly groups?: number;
}

/** A convolution that passes its channels on: 1 in the middle of the kernel from channel i to channel i. 3 to 5 dimensions. */
export function dirac_(tensor: Tensor, options: DiracOptions = {}): Tensor {
  requireTensor(tensor, 'dirac_');
  requireDimensions(tensor, 3, 5, 'dirac_');
  const { groups = 1 } = options;
  const [out, inPerGroup, ...kernel] = tensor.shape as [number, number, ...number[]];
  if (!Number.isInteger(groups) || groups < 1 || out % groups !== 0)
    throw new ArgumentError(`dirac_(): ${out} output channels cannot be split into ${groups} groups.`);
  if (isMeta(tensor)) return tensor;
  const outPerGroup = out / groups;
  return fill(tensor, 'dirac_', () => {
    tensor.zero_();
    let middle = tensor;
    for (const size of kernel) middle = middle.select(2, Math.floor(size / 2));
    for (let group = 0; group < groups; group++)
      middle
        .narrow(0, group * outPerGroup, outPerGroup)
        .narrow(1, 0, inPerGroup)
        .diagonal()
        .fill_(1);
  });
}

export interface SparseOptions extends GeneratorOption {
  /** Deviation of the weights that are not zero, default 0.01. */
  readonly std?: number;
}

/**
 * Normal weights with a share of each column set to zero. As in PyTorch, which rows become zero comes from the default
 * generator even when `generator` is given. Source: Martens 2010, "Deep learning via Hessian-free optimization".
 * @param sparsity share of each column that becomes zero, 0 to 1
 */
export function sparse_(tensor: Tensor, sparsity: number, options: SparseOptions = {}): Tensor {
  requireTensor(tensor, 'sparse_');
  requireDimensions(tensor, 2, 2, 'sparse_');
  if (!(sparsity >= 0 && sparsity <= 1))
    throw new ArgumentError(`sparse_(): the sparsity must be between 0 and 1, got ${sparsity}.`);
  const [rows, columns] = tensor.shape as [number, number];
  const zeros = Math.ceil(sparsity * rows);
  return fill(tensor, 'sparse_', () => {
    tensor.normal_(0, options.std ?? 0.01, stream(options));
    for (let column = 0; column < columns; column++) {
      const chosen = torch.randperm(rows, { device: tensor.device }).narrow(0, 0, zeros);
      tensor.select(1, column).indexFill_(0, chosen, 0);
    }
  });
}

export { type TruncatedNormalOptions, truncNormal_ } from './init-truncated.js';
