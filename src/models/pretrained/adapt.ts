/** Fits weights to other pictures and other classes than they were trained for. */
import { functional as F } from '../../nn/index.js';
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';
import type { Weights } from './keys.js';
import type { Recognised } from './recognise.js';

/**
 * Position embeddings [1, tokens, width], the class token's first, for another number of tokens: interpolated as a picture is, bicubic and
 * smoothed. Source: timm's `resample_abs_pos_embed`.
 */
export function resizePositions(
  positions: Tensor,
  from: readonly [number, number],
  to: readonly [number, number],
): Tensor {
  if (from[0] === to[0] && from[1] === to[1]) return positions;
  return torch.noGrad(() => {
    const width = positions.shape[2] as number;
    const prefix = positions.narrow(1, 0, 1).float();
    const patches = positions.narrow(1, 1, from[0] * from[1]).float();
    const picture = patches.reshape(1, from[0], from[1], width).permute(0, 3, 1, 2);
    const resized = F.interpolate(picture, { size: [...to], mode: 'bicubic', antialias: true });
    return torch.cat([prefix, resized.permute(0, 2, 3, 1).reshape(1, to[0] * to[1], width)], 1);
  });
}

/**
 * The first convolution's weight [outputs, inputs, height, width] for another number of channels: summed over the colours for grey, else
 * repeated and scaled so that the sum stays. Source: timm's `adapt_input_conv`.
 */
export function adaptChannels(weight: Tensor, channels: number): Tensor {
  const inputs = weight.shape[1] as number;
  if (inputs === channels) return weight;
  return torch.noGrad(() => {
    if (channels === 1) return weight.float().sum(1, true);
    const repeats = Math.ceil(channels / inputs);
    return weight
      .float()
      .repeat(1, repeats, 1, 1)
      .narrow(1, 0, channels)
      .mul(inputs / channels);
  });
}

/**
 * A convolution's weight [outputs, inputs, height, width] for pictures `scale` times as large: each number is spread over `scale × scale`, so that
 * on a picture that was enlarged by repeating its pixels the (strided) convolution gives what it gave on the picture itself.
 */
export function enlargeKernel(weight: Tensor, scale: number): Tensor {
  return torch.noGrad(() =>
    weight
      .float()
      .repeatInterleave(scale, 2)
      .repeatInterleave(scale, 3)
      .div(scale * scale),
  );
}

export interface AdaptTo {
  readonly classes: number;
  readonly channels: number;
  /** Height and width of the pictures; of what is adapted, only position embeddings depend on it. */
  readonly size: readonly [number, number];
  /** Side of the model's first kernel, where it may be a multiple of the weights'. */
  readonly kernel?: number;
  /** Leave the head out: its classes are others. */
  readonly newHead: boolean;
}

/** The weights for what is wanted, and what was done to them, in sentences. */
export function adaptWeights(
  weights: Weights,
  found: Recognised,
  to: AdaptTo,
): { readonly weights: Weights; readonly notes: readonly string[] } {
  const adapted = { ...weights };
  const notes: string[] = [];
  if (found.channels !== to.channels) {
    adapted[found.first] = adaptChannels(weights[found.first] as Tensor, to.channels);
    notes.push(
      to.channels === 1
        ? 'the first convolution was summed over its colours, for grey pictures'
        : `the first convolution was spread over ${to.channels} channels`,
    );
  }
  const kernel = (weights[found.first] as Tensor).shape[2] ?? 0;
  const scale = (to.kernel ?? kernel) / kernel;
  if (scale > 1 && Number.isInteger(scale)) {
    adapted[found.first] = enlargeKernel(adapted[found.first] as Tensor, scale);
    notes.push(
      `the first convolution was enlarged ${scale} times, and its stride, so that all others see pictures of ${to.size.join(' × ')} as large as the weights saw theirs`,
    );
  }
  if (found.grid !== undefined) {
    const patch = (weights[found.first] as Tensor).shape[2] as number;
    const grid = [Math.floor(to.size[0] / patch), Math.floor(to.size[1] / patch)] as const;
    const tokens = (weights.pos_embed as Tensor).shape[1] as number;
    const [height, width] = found.grid;
    if (height * width + 1 !== tokens)
      throw new ArgumentError(
        `These weights have ${tokens} position embeddings, which is not one for the class and a square of others; such Vision Transformers are not built here.`,
      );
    if (grid[0] !== height || grid[1] !== width) {
      adapted.pos_embed = resizePositions(weights.pos_embed as Tensor, found.grid, grid);
      notes.push(`position embeddings were interpolated from ${height} × ${width} to ${grid.join(' × ')}`);
    }
  }
  if (to.newHead) {
    for (const name of Object.keys(adapted)) if (name.startsWith(found.head)) delete adapted[name];
    notes.push(`a new head for ${to.classes} classes`);
  }
  return { weights: adapted, notes };
}
