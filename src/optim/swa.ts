/**
 * Stochastic weight averaging: the plain mean of weights from several moments of a training, and the statistics of batch normalisation that
 * go with it. Source: Izmailov et al. 2018, https://arxiv.org/abs/1803.05407;
 * https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
 */
import * as nn from '../nn/index.js';
import { ArgumentError, type Tensor, torch } from '../torch/index.js';

export interface AveragedModelOptions {
  /** Average floating-point buffers too, instead of copying the newest. Default false, as in PyTorch. */
  readonly useBuffers?: boolean;
}

/**
 * A copy of a network whose weights are the mean of all that `updateParameters` was given. Running statistics of batch normalisation do
 * not fit averaged weights: let `updateBn` measure them again before the copy is used.
 *
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.AveragedModel.html
 */
export class AveragedModel<Inputs extends readonly unknown[] = [Tensor], Output = Tensor> extends nn.Module<
  Inputs,
  Output
> {
  static override readonly stateNames = { nAveraged: 'n_averaged' };
  readonly module: nn.Module<Inputs, Output>;
  /** How many were averaged (int64). */
  readonly nAveraged: nn.Buffer;
  readonly useBuffers: boolean;

  constructor(model: nn.Module<Inputs, Output>, { useBuffers = false }: AveragedModelOptions = {}) {
    super();
    this.nAveraged = new nn.Buffer(torch.zeros([], { dtype: 'int64' }));
    this.module = model.deepCopy();
    this.useBuffers = useBuffers;
  }

  /** Takes the weights of a network like the one it was made of into the mean. */
  updateParameters(model: nn.Module<Inputs, Output>): void {
    torch.noGrad(() => {
      const before = Number(this.nAveraged.item());
      const own = this.module.stateDict();
      const given = model.stateDict();
      const averaged = new Set(this.module.namedParameters().map(([name]) => name));
      for (const [name, tensor] of Object.entries(own)) {
        const other = given[name];
        if (other === undefined || other.shape.join() !== tensor.shape.join())
          throw new ArgumentError(
            `AveragedModel: ${name} is ${other === undefined ? 'missing' : `of shape [${other.shape.join(', ')}], expected [${tensor.shape.join(', ')}]`}; give the network it was made of, at another moment.`,
          );
        const mean = before > 0 && (averaged.has(name) || (this.useBuffers && tensor.isFloatingPoint()));
        if (mean)
          tensor.add_(
            other
              .to({ device: tensor.device })
              .sub(tensor)
              .div(before + 1),
          );
        else tensor.copy_(other);
      }
      this.nAveraged.add_(1);
    });
  }

  override forward(...inputs: Inputs): Output {
    return this.module.call(...inputs);
  }
}

export interface UpdateBnOptions {
  /** Where batches are sent first; by default they are taken as they are. */
  readonly device?: string;
  /** How a batch goes through the network. Default `model.call(input)`. */
  readonly forward?: (input: Tensor) => unknown;
  /** Called after each batch; true ends it early, with what was seen so far. */
  readonly onBatch?: (batches: number) => boolean | undefined;
}

const norms = [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d];
type Norm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d;

/**
 * Measures the running statistics of all batch normalisation anew: the mean over the batches of one pass, the network in train mode, without
 * gradients. Does nothing where there is none. Modes and momenta are afterwards as before.
 * @param loader batches: tensors, or objects with an `input`
 * Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.update_bn.html
 */
export async function updateBn(
  loader: Iterable<Tensor | { readonly input: Tensor }> | AsyncIterable<Tensor | { readonly input: Tensor }>,
  model: nn.Module,
  options: UpdateBnOptions = {},
): Promise<void> {
  const layers = model
    .modules()
    .filter((module): module is Norm => norms.some((kind) => module instanceof kind))
    .filter((layer) => layer.trackRunningStats);
  if (layers.length === 0) return;
  const momenta = layers.map((layer) => layer.momentum);
  const modes = model.modules().map((module) => ({ module, training: module.training }));
  const { device, forward = (input: Tensor) => model.call(input), onBatch } = options;
  model.train();
  for (const layer of layers) {
    layer.resetRunningStats();
    // The mean over all batches, not a moving one.
    layer.momentum = null;
  }
  try {
    let batches = 0;
    for await (const batch of loader) {
      const input = 'input' in batch ? (batch as { readonly input: Tensor }).input : (batch as Tensor);
      torch.scope(() => torch.noGrad(() => void forward(device === undefined ? input : input.to({ device }))));
      batches += 1;
      if (onBatch?.(batches) === true) break;
    }
    if (batches === 0) throw new ArgumentError('updateBn: the loader gave no batch to measure.');
  } finally {
    layers.forEach((layer, i) => {
      layer.momentum = momenta[i] as number | null;
    });
    for (const { module, training } of modes) module.training = training;
  }
}
