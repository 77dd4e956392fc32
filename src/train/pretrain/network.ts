/** SimCLR as a classifier: which other view of the batch is of the same picture? */
import * as nn from '../../nn/index.js';
import { type Tensor, torch } from '../../torch/index.js';
import type { Classifier } from '../compute.js';
import type { ContrastivePlan } from './plan.js';

const F = nn.functional;

/**
 * A network and a projection on top of it. The views of a batch [2 n, …], the second half those of the first, give logits [2 n, 2 n]:
 * how alike each is to each other. Cross-entropy with the partners is NT-Xent, so whatever trains a classifier trains this.
 *
 * The network's own last layer is the first of the projection's two; its features are what lies before it, as in the paper.
 * Source: Chen et al. 2020, https://arxiv.org/abs/2002.05709
 */
export class ContrastiveNet extends nn.Module {
  readonly body: Classifier;
  readonly projection: nn.Sequential;
  readonly temperature: number;

  constructor(body: Classifier, hidden: number, { temperature, projection }: ContrastivePlan) {
    super();
    this.body = body;
    this.projection = new nn.Sequential(new nn.ReLU(), new nn.Linear(hidden, projection));
    this.temperature = temperature;
  }

  override forward(x: Tensor): Tensor {
    const views = this.projection.forward(this.body.call(x)) as Tensor;
    const [device = 'cpu'] = views.device.split(':');
    // Cosines near 1 differ in the third digit, which half precision has not got.
    return torch.autocast({ device, enabled: false }, () =>
      F.ntXentLogits(views.float(), { temperature: this.temperature }),
    );
  }
}
