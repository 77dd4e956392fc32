/** Networks for the tests of nn: the seed text's ConvNet, and one with everything that a state dict can hold. */
import { nn, type Tensor, torch } from '../../src/index.js';

class CNNBlock extends nn.Module {
  c1: nn.Conv2d;
  n1: nn.GroupNorm;
  c2: nn.Conv2d;
  n2: nn.GroupNorm;
  relu = new nn.ReLU();
  skip: nn.Module;

  constructor(inChannels: number, outChannels: number, stride: number) {
    super();
    this.c1 = new nn.Conv2d(inChannels, outChannels, 3, { stride, padding: 1 });
    this.n1 = new nn.GroupNorm(1, outChannels);
    this.c2 = new nn.Conv2d(outChannels, outChannels, 3, { padding: 1 });
    this.n2 = new nn.GroupNorm(1, outChannels);
    this.skip = inChannels === outChannels ? new nn.Identity() : new nn.Conv2d(inChannels, outChannels, 1, { stride });
  }

  override forward(x: Tensor): Tensor {
    const inner = this.relu.forward(this.n1.forward(this.c1.forward(x)));
    return this.relu.forward(this.n2.forward(this.c2.forward(inner))).add(this.skip.forward(x));
  }
}

/** The network of the seed text, "Making it work, in practice". */
export class ConvNet extends nn.Module {
  static readonly CNNBlock = CNNBlock;
  network: nn.Sequential;

  constructor(options: { channels?: number; blocks?: number; classes?: number } = {}) {
    super();
    const { channels = 64, blocks = 4, classes = 102 } = options;
    const layers: nn.Module[] = [new nn.Conv2d(3, channels, 11, { stride: 2, padding: 5 })];
    let width = channels;
    for (let i = 0; i < blocks; i++) {
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

/** Parameters and buffers of every kind, shared ones among them. */
export class Assorted extends nn.Module {
  scale = new nn.Parameter(torch.rand([3]));
  table = new nn.Buffer(torch.arange(4));
  unsaved = new nn.Buffer(torch.ones([2]), { persistent: false });
  conv = new nn.Conv2d(3, 4, 3);
  norm = new nn.BatchNorm2d(4);
  shared = this.conv;
  lstm = new nn.LSTM(4, 3, { bidirectional: true });
  attention = new nn.MultiheadAttention(6, 2);
  list = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2)]);
  named = new nn.ModuleDict({ first: new nn.Embedding(3, 2) });
  weights = new nn.ParameterList([torch.rand([2]), torch.rand([1])]);

  override forward(x: Tensor): Tensor {
    return this.norm.forward(this.conv.forward(x.mul(this.scale.view([3, 1, 1]))));
  }
}

/** `Assorted` in Python. */
export const assortedInPython = `
class Assorted(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.rand(3))
        self.register_buffer("table", torch.arange(4))
        self.register_buffer("unsaved", torch.ones(2), persistent=False)
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.shared = self.conv
        self.lstm = nn.LSTM(4, 3, bidirectional=True)
        self.attention = nn.MultiheadAttention(6, 2)
        self.list = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
        self.named = nn.ModuleDict({"first": nn.Embedding(3, 2)})
        self.weights = nn.ParameterList([nn.Parameter(torch.rand(2)), nn.Parameter(torch.rand(1))])
`;
