/** How pictures enter a residual network, and the same way in for pictures that are several times as large. */
import { ArgumentError } from '../torch/errors.js';
import { requireWhole } from './options.js';

/** A convolution of this size and stride, then max pooling (3 × 3, stride 2) if wanted. */
export interface ResNetStem {
  readonly kernel: number;
  readonly stride: number;
  /** Border, default kernel / 2 rounded down. */
  readonly padding?: number;
  readonly pool: boolean;
  /** Two more 3 × 3 convolutions after it, the first two of the three with half of the channels ("ResNet-C", He et al. 2018). Default false. */
  readonly deep?: boolean;
}

/**
 * Stems by name: `imagenet` shrinks by 4, `quarter` too and cheaply, `cifar` keeps the size, `half` shrinks by 2, `patch4` by 4 without overlap,
 * `deep` by 4 with three convolutions (https://arxiv.org/abs/1812.01187).
 */
export const resNetStems = {
  imagenet: { kernel: 7, stride: 2, pool: true },
  cifar: { kernel: 3, stride: 1, pool: false },
  half: { kernel: 3, stride: 2, pool: false },
  quarter: { kernel: 3, stride: 2, pool: true },
  patch4: { kernel: 4, stride: 4, padding: 0, pool: false },
  deep: { kernel: 3, stride: 2, pool: true, deep: true },
} as const satisfies Record<string, ResNetStem>;

/** A stem by its name, or one's own. */
export type StemChoice = keyof typeof resNetStems | ResNetStem;

/** What a choice means, the border with it. @throws ArgumentError for a name that there is not, or numbers that make no convolution */
export function stemOf(owner: string, choice: StemChoice): Required<ResNetStem> {
  const stem: ResNetStem | undefined = typeof choice === 'object' ? choice : resNetStems[choice];
  if (stem === undefined || stem === null)
    throw new ArgumentError(
      `${owner}: there is no stem '${String(choice)}': choose ${Object.keys(resNetStems).join(', ')}.`,
    );
  const { kernel, stride, padding = Math.floor(kernel / 2), pool, deep = false } = stem;
  requireWhole(owner, 'stem.kernel', kernel);
  requireWhole(owner, 'stem.stride', stride);
  requireWhole(owner, 'stem.padding', padding, 0);
  return { kernel, stride, padding, pool, deep };
}

/**
 * The stem for pictures `scale` times as large: kernel, stride and border grow alike, and what comes after it sees the pictures as large as
 * before. With weights spread over the larger kernel (`enlargeKernel`) it is the old stem after averaging `scale × scale` pixels.
 */
export function scaledStem(stem: StemChoice, scale: number): ResNetStem {
  requireWhole('scaledStem', 'scale', scale);
  const { kernel, stride, padding, pool, deep } = stemOf('scaledStem', stem);
  return { kernel: scale * kernel, stride: scale * stride, padding: scale * padding, pool, ...(deep ? { deep } : {}) };
}
