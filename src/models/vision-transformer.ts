/** The Vision Transformer. Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929; keys and first weights as in timm. */
import * as nn from '../nn/index.js';
import { refuseUnknown } from '../optim/options.js';
import { ArgumentError, type Tensor, torch } from '../torch/index.js';
import { dropPath, dropPathRates, initLikeTimm, Mlp } from './branches.js';
import { requireRate, requireWhole, requireWholes } from './options.js';

/** Cuts a picture into squares and makes one token of each: [n, channels, height, width] → [n, tokens, width of a token]. */
export class PatchEmbed extends nn.Module {
  proj: nn.Conv2d;
  /** How many tokens. */
  readonly tokens: number;

  constructor(
    private readonly size: readonly [number, number],
    patch: number,
    inputChannels: number,
    width: number,
  ) {
    super();
    this.tokens = Math.floor(size[0] / patch) * Math.floor(size[1] / patch);
    this.proj = new nn.Conv2d(inputChannels, width, patch, { stride: patch });
  }

  override forward(x: Tensor): Tensor {
    const [height, width] = this.size;
    if (x.dim() !== 4 || x.size(2) !== height || x.size(3) !== width)
      throw new ArgumentError(
        `This Vision Transformer is made for [n, ${this.proj.inChannels}, ${height}, ${width}], got [${x.shape.join(', ')}]: resize the pictures, or make it with their size.`,
      );
    return this.proj.forward(x).flatten(2).transpose(1, 2);
  }
}

/** Self-attention with several heads: [n, tokens, width] → the same. */
export class Attention extends nn.Module {
  static override readonly stateNames = { projDrop: 'proj_drop' };
  qkv: nn.Linear;
  proj: nn.Linear;
  projDrop: nn.Dropout;

  constructor(
    width: number,
    readonly heads: number,
    private readonly dropout: number,
  ) {
    super();
    this.qkv = new nn.Linear(width, 3 * width);
    this.proj = new nn.Linear(width, width);
    this.projDrop = new nn.Dropout(dropout);
  }

  override forward(x: Tensor): Tensor {
    const [batch = 0, tokens = 0, width = 0] = x.shape;
    const all = this.qkv
      .forward(x)
      .reshape(batch, tokens, 3, this.heads, width / this.heads)
      .permute(2, 0, 3, 1, 4);
    const [query, key, value] = all.unbind(0) as [Tensor, Tensor, Tensor];
    const dropoutP = this.training ? this.dropout : 0;
    const mixed = nn.functional.scaledDotProductAttention(query, key, value, { dropoutP });
    return this.projDrop.forward(this.proj.forward(mixed.transpose(1, 2).reshape(batch, tokens, width)));
  }
}

/** Attention, then an MLP, each beside a shortcut and with the normalisation before it. */
export class Block extends nn.Module {
  static override readonly stateNames = { dropPath1: 'drop_path1', dropPath2: 'drop_path2' };
  norm1: nn.LayerNorm;
  attn: Attention;
  dropPath1: nn.Module;
  norm2: nn.LayerNorm;
  mlp: Mlp;
  dropPath2: nn.Module;

  constructor(width: number, heads: number, rates: { readonly dropout: number; readonly dropPath: number }) {
    super();
    this.norm1 = new nn.LayerNorm(width, { eps: 1e-6 });
    this.attn = new Attention(width, heads, rates.dropout);
    this.dropPath1 = dropPath(rates.dropPath);
    this.norm2 = new nn.LayerNorm(width, { eps: 1e-6 });
    this.mlp = new Mlp(width, { dropout: rates.dropout });
    this.dropPath2 = dropPath(rates.dropPath);
  }

  override forward(x: Tensor): Tensor {
    const attended = x.add(this.dropPath1.forward(this.attn.forward(this.norm1.forward(x))));
    return attended.add(this.dropPath2.forward(this.mlp.forward(this.norm2.forward(attended))));
  }
}

export interface VisionTransformerOptions {
  /** Height and width of the pictures, default [224, 224]. */
  readonly size?: readonly [number, number];
  /** Height and width of a patch, default 16. */
  readonly patch?: number;
  /** Length of a token, default 192. */
  readonly width?: number;
  /** Blocks, default 12. */
  readonly depth?: number;
  /** Heads of attention, default one per 64 of the width. */
  readonly heads?: number;
  /** Classes, default 1000. */
  readonly classes?: number;
  /** Channels of the pictures, default 3. */
  readonly inputChannels?: number;
  /** Dropout before the last layer, default 0. */
  readonly dropout?: number;
  /** Dropout inside the blocks, default 0. */
  readonly blockDropout?: number;
  /** Share of branches left out in the last block, growing from 0 in the first; default 0. */
  readonly dropPath?: number;
}

/**
 * A Vision Transformer: [n, inputChannels, height, width] → logits [n, classes]. Keys and first weights are timm's:
 * `new VisionTransformer()` is `vit_tiny_patch16_224`, `{ width: 384 }` is `vit_small_patch16_224`.
 */
export class VisionTransformer extends nn.Module {
  static override readonly stateNames = {
    patchEmbed: 'patch_embed',
    clsToken: 'cls_token',
    posEmbed: 'pos_embed',
    headDrop: 'head_drop',
  };
  clsToken: nn.Parameter;
  posEmbed: nn.Parameter;
  patchEmbed: PatchEmbed;
  blocks: nn.Sequential;
  norm: nn.LayerNorm;
  headDrop: nn.Dropout;
  head: nn.Module;

  constructor(options: VisionTransformerOptions = {}) {
    super();
    const { size = [224, 224], patch = 16, width = 192, depth = 12, classes = 1000, inputChannels = 3 } = options;
    const { dropout = 0, blockDropout = 0, dropPath: lastDropPath = 0 } = options;
    const heads = options.heads ?? Math.max(1, Math.round(width / 64));
    const title = 'VisionTransformer';
    refuseUnknown(title, options, known);
    for (const [name, value] of Object.entries({ patch, width, depth, heads, classes, inputChannels }))
      requireWhole(title, name, value);
    requireWholes(title, 'size', size, 2);
    for (const [name, value] of Object.entries({ dropout, blockDropout, dropPath: lastDropPath }))
      requireRate(title, name, value);
    if (width % heads !== 0)
      throw new ArgumentError(`${title}: a width of ${width} cannot be split into ${heads} heads of equal length.`);
    if (size.some((length) => length % patch !== 0))
      throw new ArgumentError(
        `${title}: pictures of ${size.join(' × ')} cannot be cut into patches of ${patch} × ${patch}; give a patch that divides both.`,
      );
    this.patchEmbed = new PatchEmbed(size, patch, inputChannels, width);
    this.clsToken = new nn.Parameter(torch.zeros(1, 1, width));
    this.posEmbed = new nn.Parameter(torch.zeros(1, this.patchEmbed.tokens + 1, width));
    const rates = dropPathRates(lastDropPath, depth);
    this.blocks = new nn.Sequential(
      ...rates.map((share) => new Block(width, heads, { dropout: blockDropout, dropPath: share })),
    );
    this.norm = new nn.LayerNorm(width, { eps: 1e-6 });
    this.headDrop = new nn.Dropout(dropout);
    this.head = new nn.Linear(width, classes);
    nn.init.truncNormal_(this.posEmbed, { std: 0.02, method: 'inverse' });
    nn.init.normal_(this.clsToken, { std: 1e-6 });
    initLikeTimm(this, 'linear');
  }

  override forward(x: Tensor): Tensor {
    const patches = this.patchEmbed.forward(x);
    const tokens = torch.cat([this.clsToken.expand(patches.size(0), -1, -1), patches], 1).add(this.posEmbed);
    const first = this.norm.forward(this.blocks.forward(tokens)).at(':', 0);
    return this.head.forward(this.headDrop.forward(first));
  }
}

const known: readonly (keyof VisionTransformerOptions)[] = [
  'size',
  'patch',
  'width',
  'depth',
  'heads',
  'classes',
  'inputChannels',
  'dropout',
  'blockDropout',
  'dropPath',
];
