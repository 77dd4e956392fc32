/** Small nets of every kind for the tests of initialisation. */
import * as F from '../../src/nn/functional.js';
import * as nn from '../../src/nn/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';

/** Linear layers with an activation between them. */
export function mlp(sizes: readonly number[], activation: () => nn.Module = () => new nn.ReLU()): nn.Sequential {
  const layers: nn.Module[] = [];
  for (let i = 0; i + 1 < sizes.length; i++) {
    if (i > 0) layers.push(activation());
    layers.push(new nn.Linear(sizes[i]!, sizes[i + 1]!));
  }
  return new nn.Sequential(...layers);
}

/** `count` hidden layers of one width. */
export const deepSizes = (input: number, width: number, count: number, classes: number): number[] => [
  input,
  ...Array<number>(count).fill(width),
  classes,
];

/** Calls `set` with every linear and convolutional layer except the last. */
export function eachHidden(model: nn.AnyModule, set: (layer: nn.Linear) => void): void {
  const layers = weighted(model);
  for (const layer of layers.slice(0, -1)) set(layer);
}

export const weighted = (model: nn.AnyModule): nn.Linear[] =>
  model.modules().filter((x) => x instanceof nn.Linear || x instanceof nn.Conv2d) as unknown as nn.Linear[];

/** Kaiming's weights and no bias in all hidden layers. */
export function kaiming<Model extends nn.AnyModule>(model: Model): Model {
  eachHidden(model, ({ weight, bias }) => {
    nn.init.kaimingNormal_(weight, { nonlinearity: 'relu' });
    if (bias !== null) nn.init.zeros_(bias);
  });
  return model;
}

/** The text's block: two convolutions with group norm, and a way around them. */
export class Block extends nn.Module {
  c1: nn.Conv2d;
  n1: nn.GroupNorm;
  c2: nn.Conv2d;
  n2: nn.GroupNorm;
  skip: nn.Module;

  constructor(inChannels: number, outChannels: number, stride: number) {
    super();
    this.c1 = new nn.Conv2d(inChannels, outChannels, 3, { stride, padding: 1 });
    this.n1 = new nn.GroupNorm(1, outChannels);
    this.c2 = new nn.Conv2d(outChannels, outChannels, 3, { padding: 1 });
    this.n2 = new nn.GroupNorm(1, outChannels);
    this.skip = inChannels === outChannels ? new nn.Identity() : new nn.Conv2d(inChannels, outChannels, 1, { stride });
  }

  override forward(input: Tensor): Tensor {
    const x = this.n1.forward(this.c1.forward(input)).relu();
    return this.n2.forward(this.c2.forward(x)).relu().add(this.skip.forward(input));
  }
}

/** The text's ConvNet, smaller. */
export class ConvNet extends nn.Module {
  network: nn.Sequential;

  constructor(blocks: number, channels = 8, classes = 10) {
    super();
    const layers: nn.Module[] = [new nn.Conv2d(3, channels, 5, { stride: 2, padding: 2 })];
    let width = channels;
    for (let i = 0; i < blocks; i++) {
      layers.push(new Block(width, i < 3 ? width * 2 : width, i < 3 ? 2 : 1));
      if (i < 3) width *= 2;
    }
    layers.push(new nn.Conv2d(width, classes, 1));
    this.network = new nn.Sequential(...layers);
  }

  override forward(input: Tensor): Tensor {
    return this.network.forward(input).mean([-1]).mean([-1]);
  }
}

/** A block of a ResNet: batch norm, and the input added before the last activation. */
class Residual extends nn.Module {
  c1: nn.Conv2d;
  n1: nn.BatchNorm2d;
  c2: nn.Conv2d;
  n2: nn.BatchNorm2d;

  constructor(width: number, closed: boolean) {
    super();
    this.c1 = new nn.Conv2d(width, width, 3, { padding: 1, bias: false });
    this.n1 = new nn.BatchNorm2d(width);
    this.c2 = new nn.Conv2d(width, width, 3, { padding: 1, bias: false });
    this.n2 = new nn.BatchNorm2d(width);
    if (closed) nn.init.zeros_(this.n2.weight as Tensor);
  }

  override forward(input: Tensor): Tensor {
    const x = this.n1.forward(this.c1.forward(input)).relu();
    return this.n2.forward(this.c2.forward(x)).add(input).relu();
  }
}

export class ResNet extends nn.Module {
  stem: nn.Conv2d;
  blocks: nn.Sequential;
  dropout: nn.Dropout;
  head: nn.Linear;

  /** @param closed start the last norm of each block at zero, as is usual for deep ones */
  constructor(blocks: number, closed = false, width = 12, classes = 10) {
    super();
    this.stem = new nn.Conv2d(3, width, 3, { stride: 2, padding: 1 });
    this.blocks = new nn.Sequential(...Array.from({ length: blocks }, () => new Residual(width, closed)));
    this.dropout = new nn.Dropout(0.5);
    this.head = new nn.Linear(width, classes);
  }

  override forward(input: Tensor): Tensor {
    const x = this.blocks.forward(this.stem.forward(input)).mean([2, 3]);
    return this.head.forward(this.dropout.forward(x));
  }
}

/** Attention and a small MLP, each beside the stream. */
class Encoder extends nn.Module {
  n1: nn.LayerNorm;
  attention: nn.MultiheadAttention;
  n2: nn.LayerNorm;
  up: nn.Linear;
  down: nn.Linear;

  constructor(size: number, heads: number) {
    super();
    this.n1 = new nn.LayerNorm(size);
    this.attention = new nn.MultiheadAttention(size, heads, { batchFirst: true, dropout: 0.1 });
    this.n2 = new nn.LayerNorm(size);
    this.up = new nn.Linear(size, 2 * size);
    this.down = new nn.Linear(2 * size, size);
  }

  override forward(input: Tensor): Tensor {
    const x = this.n1.forward(input);
    const [attended] = this.attention.forward(x, x, x);
    const middle = input.add(attended);
    return middle.add(this.down.forward(F.gelu(this.up.forward(this.n2.forward(middle)))));
  }
}

/** A Vision Transformer for images of 32 × 32. */
export class ViT extends nn.Module {
  patches: nn.Conv2d;
  classToken: nn.Parameter;
  positions: nn.Parameter;
  encoders: nn.Sequential;
  norm: nn.LayerNorm;
  head: nn.Linear;

  constructor(depth: number, size = 32, classes = 10) {
    super();
    this.patches = new nn.Conv2d(3, size, 8, { stride: 8 });
    this.classToken = new nn.Parameter(torch.zeros(1, 1, size));
    this.positions = new nn.Parameter(nn.init.truncNormal_(torch.empty(1, 17, size), { std: 0.02 }));
    this.encoders = new nn.Sequential(...Array.from({ length: depth }, () => new Encoder(size, 4)));
    this.norm = new nn.LayerNorm(size);
    this.head = new nn.Linear(size, classes);
  }

  override forward(input: Tensor): Tensor {
    const patches = this.patches.forward(input).flatten(2).transpose(1, 2);
    const tokens = torch.cat([this.classToken.expand([input.size(0), -1, -1]), patches], 1).add(this.positions);
    return this.head.forward(this.norm.forward(this.encoders.forward(tokens)).select(1, 0));
  }
}
