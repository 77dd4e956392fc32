/** Muon. */

import { ones } from '../torch/create.js';
import { ArgumentError } from '../torch/errors.js';
import type { Handle } from '../torch/native.js';
import { Tensor } from '../torch/tensor.js';
import type { Bucket } from './bucket.js';
import { foreach } from './engine.js';
import { type CommonOptions, Optimizer, type ParameterGroup, type Parameters } from './optimizer.js';
import { requireBoolean, requireInteger, requireNumber } from './options.js';

export interface MuonOptions extends CommonOptions {
  /** Share of the momentum that is kept. Default 0.95. */
  momentum: number;
  /** Default true. */
  nesterov: boolean;
  /** Coefficients of the Newton–Schulz polynomial. Default [3.4445, -4.775, 2.0315]. */
  nsCoefficients: readonly [number, number, number];
  /** Default 1e-7. */
  eps: number;
  /** Newton–Schulz iterations. Default 5. */
  nsSteps: number;
  /**
   * How the rate is fitted to a matrix of `rows × columns`: `original` multiplies it with √max(1, rows / columns), `match_rms_adamw`
   * with 0.2 · √max(rows, columns), which makes steps as large as AdamW's. null (the default) is `original`.
   */
  adjustLrFn: 'original' | 'match_rms_adamw' | null;
  /**
   * What the iteration computes in. Undefined (the default) is bfloat16, as in PyTorch. Processors without instructions for it (AVX2 and older) take 50 to
   * 90 times as long for such products as for float32's; the steps are alike (`fasterProductDtype()` measures it).
   */
  nsDtype: 'bfloat16' | 'float32' | undefined;
}

/** @internal */
export const muonDefaults: MuonOptions = {
  lr: 1e-3,
  weightDecay: 0.1,
  momentum: 0.95,
  nesterov: true,
  nsCoefficients: [3.4445, -4.775, 2.0315],
  eps: 1e-7,
  nsSteps: 5,
  adjustLrFn: null,
  nsDtype: undefined,
  maximize: false,
};

const names = ['momentumBuffer'] as const;

/**
 * For the weight matrices of hidden layers: the momentum is replaced by the nearest matrix whose singular values are all about 1, so
 * that a step moves every direction of the layer's input and output, not just the dominant ones. Train biases, norms, embeddings
 * and the last layer with AdamW beside it (`splitForMuon` sorts them). One number of state per weight.
 *
 * The iteration runs in bfloat16 as in PyTorch, whose numbers depend on the matrix product of the machine: they agree to about 1e-2
 * between machines, and exactly with PyTorch on one machine. `nsDtype: 'float32'` is for machines where that is slow.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Muon.html; https://kellerjordan.github.io/posts/muon/
 */
export class Muon extends Optimizer<MuonOptions> {
  override readonly countsSteps = false;
  override readonly pythonOptions = {};

  /** @throws ArgumentError for a parameter that is no matrix */
  constructor(parameters: Parameters<MuonOptions>, options: Partial<MuonOptions> = {}) {
    super(parameters, muonDefaults, options);
  }

  override stateNames(): readonly string[] {
    return names;
  }

  protected override checkParameter(parameter: Tensor, where: string): void {
    if (parameter.ndim !== 2)
      throw new ArgumentError(
        `${where} has shape [${parameter.shape.join(', ')}]; Muon trains matrices only: give it the two-dimensional weights and the rest to AdamW (splitForMuon does it).`,
      );
  }

  protected override checkOptions(options: Readonly<MuonOptions>): void {
    super.checkOptions(options);
    checkMuonOptions(this.name, options);
  }

  protected override phaseOf(): number {
    return 0;
  }

  protected override update(bucket: Bucket, group: ParameterGroup<MuonOptions>): void {
    muonUpdate(bucket, group);
  }
}

/** @internal */
export function checkMuonOptions(owner: string, options: Readonly<MuonOptions>): void {
  requireNumber(owner, 'momentum', options.momentum, { atLeast: 0 });
  requireBoolean(owner, 'nesterov', options.nesterov);
  requireNumber(owner, 'eps', options.eps, { atLeast: 0 });
  if (requireInteger(owner, 'nsSteps', options.nsSteps, 0) >= 100)
    throw new ArgumentError(`${owner}: nsSteps must be below 100 (5 is usual), got ${options.nsSteps}.`);
  const { nsCoefficients, adjustLrFn, nsDtype } = options;
  if (!Array.isArray(nsCoefficients) || nsCoefficients.length !== 3)
    throw new ArgumentError(`${owner}: nsCoefficients must be three numbers, got ${String(nsCoefficients)}.`);
  for (const each of nsCoefficients) requireNumber(owner, 'each of nsCoefficients', each);
  if (adjustLrFn !== null && adjustLrFn !== 'original' && adjustLrFn !== 'match_rms_adamw')
    throw new ArgumentError(
      `${owner}: adjustLrFn must be 'original' or 'match_rms_adamw', got '${String(adjustLrFn)}'.`,
    );
  if (nsDtype !== undefined && nsDtype !== 'bfloat16' && nsDtype !== 'float32')
    throw new ArgumentError(`${owner}: nsDtype must be 'bfloat16' or 'float32', got '${String(nsDtype)}'.`);
}

/** Side of the matrices whose product is timed, and how much longer bfloat16 may take: it is about as fast, or tens of times as slow. */
const timed = { side: 256, factor: 3 } as const;

/**
 * In what matrices are multiplied fast on a device, as Muon's `nsDtype`, measured on CPUs, in a tenth of a second at most. CUDA always has bfloat16,
 * other accelerators are not relied on to have it. `slower` is how many times as long bfloat16 takes as float32, where it was measured.
 */
export function fasterProductDtype(device: string): { dtype: 'bfloat16' | 'float32'; slower?: number } {
  if (device.startsWith('cuda')) return { dtype: 'bfloat16' };
  if (device !== 'cpu') return { dtype: 'float32' };
  const time = (dtype: 'bfloat16' | 'float32'): number => {
    // Numbers that are no random ones: the random state is the run's.
    const matrix = ones([timed.side, timed.side], { dtype });
    const once = (): number => {
      const begin = performance.now();
      matrix.matmul(matrix);
      return performance.now() - begin;
    };
    once();
    return Math.min(once(), once(), once());
  };
  const slower = time('bfloat16') / time('float32');
  return { dtype: slower > timed.factor ? 'float32' : 'bfloat16', slower };
}

/** Muon's update of one bucket. Weights of more than two dimensions count as matrices [outputs, everything else]. @internal */
export function muonUpdate(bucket: Bucket, group: Readonly<MuonOptions>): void {
  const { lr, momentum, weightDecay } = group;
  bucket.countStep();
  const gradients = bucket.prepareGradients(group.maximize, 0);
  const buffers = bucket.state('momentumBuffer');
  foreach.lerp_(buffers, gradients, 1 - momentum);
  let directions: readonly Handle[] = buffers;
  if (group.nesterov) {
    directions = foreach.copyOf(gradients);
    foreach.lerp_(directions, buffers, momentum);
  }
  foreach.scale_(bucket.parameters, 1 - lr * weightDecay);
  for (const [i, slot] of bucket.slots.entries()) {
    const direction = new Tensor(foreach.alias(directions[i] as Handle));
    const matrix = direction.ndim === 2 ? direction : direction.flatten(1);
    const [rows, columns] = matrix.shape as [number, number];
    const update = orthogonalize(matrix, group);
    const alpha = -lr * fitToShape(rows, columns, group.adjustLrFn);
    slot.parameter.detach().add_(direction.ndim === 2 ? update : update.reshape(direction.shape), { alpha });
  }
}

function fitToShape(rows: number, columns: number, rule: MuonOptions['adjustLrFn']): number {
  return rule === 'match_rms_adamw' ? 0.2 * Math.sqrt(Math.max(rows, columns)) : Math.sqrt(Math.max(1, rows / columns));
}

/** The nearest matrix with singular values about 1 (between 0.5 and 1.5), by a polynomial iteration. */
function orthogonalize(
  matrix: Tensor,
  { nsCoefficients, nsSteps, eps, nsDtype = 'bfloat16' }: Readonly<MuonOptions>,
): Tensor {
  const [a, b, c] = nsCoefficients;
  const [rows, columns] = matrix.shape as [number, number];
  // As `.bfloat16()` and the transpose in PyTorch, so that the products take the same path through the matrix library.
  let x = matrix.to({ dtype: nsDtype, copy: true });
  if (rows > columns) x = x.T;
  x.div_(x.norm().clamp({ min: eps }));
  for (let i = 0; i < nsSteps; i++) {
    const gram = x.matmul(x.T);
    const polynomial = gram.addmm(gram, gram, { beta: b, alpha: c });
    x = x.addmm(polynomial, x, { beta: a });
  }
  return rows > columns ? x.T : x;
}
