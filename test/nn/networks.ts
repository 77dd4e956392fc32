/** Networks for the tests of nn: the seed text's ConvNet, and one with everything that a state dict can hold. */
import { nn, type Tensor, torch } from '../../src/index.js';

/** The network of the seed text, "Making it work, in practice". */
export { ConvNet } from '../../src/models/index.js';

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
