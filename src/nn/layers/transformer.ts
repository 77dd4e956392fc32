/** Transformer layers. Source: https://docs.pytorch.org/docs/stable/nn.html#transformer-layers; Vaswani et al. 2017. */
import { ArgumentError, type Tensor, torch } from '../../torch/index.js';
import { ModuleList } from '../containers.js';
import { gelu, relu } from '../functional-activations.js';
import { Module } from '../module.js';
import { MultiheadAttention } from './attention.js';
import { Dropout } from './dropout.js';
import type { FactoryOptions } from './factory.js';
import { Linear } from './linear.js';
import { LayerNorm } from './normalisation.js';

type Activation = (input: Tensor) => Tensor;

export interface TransformerLayerOptions extends FactoryOptions {
  /** Features between the two linear maps, default 2048. */
  readonly dimFeedforward?: number;
  /** Default 0.1. */
  readonly dropout?: number;
  /** `relu` (default), `gelu`, or a function. */
  readonly activation?: 'relu' | 'gelu' | Activation;
  /** Default 1e-5. */
  readonly layerNormEps?: number;
  /** Tensors are [batch, length, features] instead of [length, batch, features]. */
  readonly batchFirst?: boolean;
  /** Normalise before each branch instead of after the sum. */
  readonly normFirst?: boolean;
  /** Learn biases, default true. */
  readonly bias?: boolean;
}

const activations: Readonly<Record<string, Activation>> = {
  relu: (x: Tensor) => relu(x),
  gelu: (x: Tensor) => gelu(x),
};

function activationOf(activation: TransformerLayerOptions['activation'], title: string): Activation {
  if (typeof activation === 'function') return activation;
  const found = activations[activation ?? 'relu'];
  if (found === undefined)
    throw new ArgumentError(`${title}: activation must be 'relu', 'gelu' or a function, got '${String(activation)}'.`);
  return found;
}

/** Options of a pass through an encoder layer. */
export interface EncoderLayerForwardOptions {
  /** True where a position must not look at another, or numbers added to the scores: [length, length]. */
  readonly srcMask?: Tensor | null;
  /** True where a position is only padding: [batch, length]. */
  readonly srcKeyPaddingMask?: Tensor | null;
  /** Says that `srcMask` is the causal one. */
  readonly isCausal?: boolean;
}

/** Self-attention and two linear maps, each with a residual connection and a LayerNorm. */
export class TransformerEncoderLayer extends Module<[src: Tensor, options?: EncoderLayerForwardOptions]> {
  static override readonly stateNames = { selfAttn: 'self_attn' };

  readonly selfAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly normFirst: boolean;
  readonly activation: Activation;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super();
    const { dimFeedforward = 2048, dropout = 0.1, layerNormEps: eps = 1e-5, batchFirst = false } = options;
    const { bias = true, device, dtype } = options;
    const factory = { bias, device, dtype };
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, ...factory });
    this.linear1 = new Linear(dModel, dimFeedforward, factory);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, factory);
    this.norm1 = new LayerNorm(dModel, { eps, ...factory });
    this.norm2 = new LayerNorm(dModel, { eps, ...factory });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.normFirst = options.normFirst ?? false;
    this.activation = activationOf(options.activation, 'TransformerEncoderLayer');
  }

  override forward(src: Tensor, options: EncoderLayerForwardOptions = {}): Tensor {
    if (this.normFirst) {
      const x = src.add(this.attend(this.norm1.forward(src), options));
      return x.add(this.feedForward(this.norm2.forward(x)));
    }
    const x = this.norm1.forward(src.add(this.attend(src, options)));
    return this.norm2.forward(x.add(this.feedForward(x)));
  }

  private attend(x: Tensor, options: EncoderLayerForwardOptions): Tensor {
    const { srcMask: attnMask, srcKeyPaddingMask: keyPaddingMask, isCausal } = options;
    const [output] = this.selfAttn.forward(x, x, x, { attnMask, keyPaddingMask, isCausal, needWeights: false });
    return this.dropout1.forward(output);
  }

  private feedForward(x: Tensor): Tensor {
    const inner = this.dropout.forward(this.activation(this.linear1.forward(x)));
    return this.dropout2.forward(this.linear2.forward(inner));
  }
}

/** The mask of a causal transformer: [size, size], −∞ above the diagonal, 0 elsewhere. */
export function generateSquareSubsequentMask(size: number, options: FactoryOptions = {}): Tensor {
  const { device, dtype } = options;
  return torch.full([size, size], Number.NEGATIVE_INFINITY, { device, dtype }).triu(1);
}

/** Whether a mask is the causal one; asked once per pass, for the fused operator needs no mask then. */
function isCausalMask(mask: Tensor | null, like: Tensor): boolean {
  if (mask === null || mask.ndim !== 2 || mask.size(0) !== mask.size(1)) return false;
  const { device } = mask;
  const causal = generateSquareSubsequentMask(mask.size(0), { device, dtype: like.dtype });
  const given = mask.dtype === 'bool' ? torch.zerosLike(causal).maskedFill_(mask, Number.NEGATIVE_INFINITY) : mask;
  return given.to(like.dtype).equal(causal);
}

export interface EncoderForwardOptions {
  readonly mask?: Tensor | null;
  readonly srcKeyPaddingMask?: Tensor | null;
  /** Whether `mask` is the causal one; found out when not said. */
  readonly isCausal?: boolean;
}

/** Copies of an encoder layer, one after the other, and a normalisation at the end if given. */
export class TransformerEncoder extends Module<[src: Tensor, options?: EncoderForwardOptions]> {
  readonly layers: ModuleList<TransformerEncoderLayer>;
  readonly norm: Module | null;

  constructor(
    encoderLayer: TransformerEncoderLayer,
    numLayers: number,
    options: { readonly norm?: Module | null } = {},
  ) {
    super();
    this.layers = new ModuleList(Array.from({ length: numLayers }, () => encoderLayer.deepCopy()));
    this.norm = options.norm ?? null;
  }

  override forward(src: Tensor, options: EncoderForwardOptions = {}): Tensor {
    const { mask = null, srcKeyPaddingMask = null } = options;
    const isCausal = options.isCausal ?? isCausalMask(mask, src);
    let x = src;
    for (const layer of this.layers) x = layer.forward(x, { srcMask: mask, srcKeyPaddingMask, isCausal });
    return this.norm === null ? x : this.norm.forward(x);
  }
}

export interface DecoderLayerForwardOptions {
  readonly tgtMask?: Tensor | null;
  readonly memoryMask?: Tensor | null;
  readonly tgtKeyPaddingMask?: Tensor | null;
  readonly memoryKeyPaddingMask?: Tensor | null;
  readonly tgtIsCausal?: boolean;
  readonly memoryIsCausal?: boolean;
}

/** Self-attention, attention to an encoder's output, and two linear maps. */
export class TransformerDecoderLayer extends Module<
  [tgt: Tensor, memory: Tensor, options?: DecoderLayerForwardOptions]
> {
  static override readonly stateNames = { selfAttn: 'self_attn', multiheadAttn: 'multihead_attn' };

  readonly selfAttn: MultiheadAttention;
  readonly multiheadAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly dropout3: Dropout;
  readonly normFirst: boolean;
  readonly activation: Activation;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super();
    const { dimFeedforward = 2048, dropout = 0.1, layerNormEps: eps = 1e-5, batchFirst = false } = options;
    const { bias = true, device, dtype } = options;
    const factory = { bias, device, dtype };
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, ...factory });
    this.multiheadAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, ...factory });
    this.linear1 = new Linear(dModel, dimFeedforward, factory);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, factory);
    this.norm1 = new LayerNorm(dModel, { eps, ...factory });
    this.norm2 = new LayerNorm(dModel, { eps, ...factory });
    this.norm3 = new LayerNorm(dModel, { eps, ...factory });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.dropout3 = new Dropout(dropout);
    this.normFirst = options.normFirst ?? false;
    this.activation = activationOf(options.activation, 'TransformerDecoderLayer');
  }

  override forward(tgt: Tensor, memory: Tensor, options: DecoderLayerForwardOptions = {}): Tensor {
    const itself = (x: Tensor): Tensor => {
      const { tgtMask: attnMask, tgtKeyPaddingMask: keyPaddingMask, tgtIsCausal: isCausal } = options;
      const masks = { attnMask, keyPaddingMask, isCausal, needWeights: false };
      return this.dropout1.forward(this.selfAttn.forward(x, x, x, masks)[0]);
    };
    const remember = (x: Tensor): Tensor => {
      const { memoryMask: attnMask, memoryKeyPaddingMask: keyPaddingMask, memoryIsCausal: isCausal } = options;
      const masks = { attnMask, keyPaddingMask, isCausal, needWeights: false };
      return this.dropout2.forward(this.multiheadAttn.forward(x, memory, memory, masks)[0]);
    };
    const feedForward = (x: Tensor): Tensor => {
      const inner = this.dropout.forward(this.activation(this.linear1.forward(x)));
      return this.dropout3.forward(this.linear2.forward(inner));
    };
    let x = tgt;
    if (this.normFirst) {
      x = x.add(itself(this.norm1.forward(x)));
      x = x.add(remember(this.norm2.forward(x)));
      return x.add(feedForward(this.norm3.forward(x)));
    }
    x = this.norm1.forward(x.add(itself(x)));
    x = this.norm2.forward(x.add(remember(x)));
    return this.norm3.forward(x.add(feedForward(x)));
  }
}

/** Copies of a decoder layer, one after the other, and a normalisation at the end if given. */
export class TransformerDecoder extends Module<[tgt: Tensor, memory: Tensor, options?: DecoderLayerForwardOptions]> {
  readonly layers: ModuleList<TransformerDecoderLayer>;
  readonly norm: Module | null;

  constructor(
    decoderLayer: TransformerDecoderLayer,
    numLayers: number,
    options: { readonly norm?: Module | null } = {},
  ) {
    super();
    this.layers = new ModuleList(Array.from({ length: numLayers }, () => decoderLayer.deepCopy()));
    this.norm = options.norm ?? null;
  }

  override forward(tgt: Tensor, memory: Tensor, options: DecoderLayerForwardOptions = {}): Tensor {
    const tgtIsCausal = options.tgtIsCausal ?? isCausalMask(options.tgtMask ?? null, tgt);
    let x = tgt;
    for (const layer of this.layers) x = layer.forward(x, memory, { ...options, tgtIsCausal });
    return this.norm === null ? x : this.norm.forward(x);
  }
}
