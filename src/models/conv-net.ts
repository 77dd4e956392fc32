/** The seed text's convolutional network, layer for layer. */
import * as nn from '../nn/index.js';
import { refuseUnknown } from '../optim/options.js';
import type { Tensor } from '../torch/index.js';
import { requireWhole } from './options.js';

/** Two 3 × 3 convolutions with normalisation beside a shortcut; `stride` shrinks height and width. */
export class CNNBlock extends nn.Module {
  c1: nn.Conv2d;
  n1: nn.GroupNorm;
  c2: nn.Conv2d;
  n2: nn.GroupNorm;
  // The seed's code names two, relu1 and relu2; what it prints shows one, `(relu)`, used twice. The print is what can be
  // checked character for character, and neither holds weights: keys and numbers are the same either way.
  relu = new nn.ReLU();
  skip: nn.Module;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.c1 = new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1 });
    this.n1 = new nn.GroupNorm(1, outputs);
    this.c2 = new nn.Conv2d(outputs, outputs, 3, { stride: 1, padding: 1 });
    this.n2 = new nn.GroupNorm(1, outputs);
    this.skip = inputs === outputs ? new nn.Identity() : new nn.Conv2d(inputs, outputs, 1, { stride });
  }

  override forward(x0: Tensor): Tensor {
    const x = this.relu.forward(this.n1.forward(this.c1.forward(x0)));
    return this.relu.forward(this.n2.forward(this.c2.forward(x))).add(this.skip.forward(x0));
  }
}

export interface ConvNetOptions {
  /** Channels of the first layer, default 64; each block doubles them. */
  readonly channels?: number;
  /** Blocks, each halving height and width; default 4. */
  readonly blocks?: number;
  /** Classes, default 102 (Oxford Flowers). */
  readonly classes?: number;
  /** Channels of the pictures, default 3. */
  readonly inputChannels?: number;
}

/**
 * The seed text's ConvNet: an 11 × 11 convolution, blocks that double the channels, a 1 × 1 convolution to the classes, and the mean
 * over the picture. [n, inputChannels, height, width] → logits [n, classes]; any height and width.
 *
 * `new ConvNet({ channels: 32 })` has the keys, the print and, from the same seed, the weights of the text's `ConvNet(channels_l0=32)`.
 */
export class ConvNet extends nn.Module {
  network: nn.Sequential;

  constructor(options: ConvNetOptions = {}) {
    super();
    const { channels = 64, blocks = 4, classes = 102, inputChannels = 3 } = options;
    refuseUnknown('ConvNet', options, known);
    for (const [name, value] of Object.entries({ channels, classes, inputChannels }))
      requireWhole('ConvNet', name, value);
    requireWhole('ConvNet', 'blocks', blocks, 0);
    const layers: nn.Module[] = [new nn.Conv2d(inputChannels, channels, 11, { stride: 2, padding: 5 })];
    let width = channels;
    for (let block = 0; block < blocks; block++) {
      layers.push(new CNNBlock(width, 2 * width, 2));
      width *= 2;
    }
    layers.push(new nn.Conv2d(width, classes, 1));
    this.network = new nn.Sequential(...layers);
  }

  override forward(x: Tensor): Tensor {
    return this.network.forward(x).mean(-1).mean(-1);
  }
}

const known: readonly (keyof ConvNetOptions)[] = ['channels', 'blocks', 'classes', 'inputChannels'];
