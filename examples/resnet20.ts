/**
 * The ResNet-20 of the original paper (He et al. 2015, https://arxiv.org/abs/1512.03385, section 4.2), with weights that others trained in PyTorch.
 *
 *   node --import tsx examples/resnet20.ts WEIGHTS.th FOLDER     FOLDER/<class>/*.jpg, 32 × 32
 *
 * Prints how many pictures it names right. Classes are the folders, sorted by name.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { F, nn, type Tensor, torch } from 'praxis';
import sharp from 'sharp';

/** Two 3 × 3 convolutions beside a shortcut. Where the size changes the shortcut takes every second pixel and fills new channels with zeros (option A). */
class BasicBlock extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;

  constructor(
    inputs: number,
    private readonly outputs: number,
    private readonly stride: number,
  ) {
    super();
    this.conv1 = new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outputs);
    this.conv2 = new nn.Conv2d(outputs, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outputs);
  }

  override forward(x: Tensor): Tensor {
    const out = this.bn2.forward(this.conv2.forward(F.relu(this.bn1.forward(this.conv1.forward(x)))));
    return F.relu(out.add(this.shortcut(x)));
  }

  private shortcut(x: Tensor): Tensor {
    if (this.stride === 1) return x;
    const fill = this.outputs / 4;
    return F.pad(x.at(':', ':', '::2', '::2'), [0, 0, 0, 0, fill, fill]);
  }
}

/** 20 layers: a convolution, three groups of three blocks with 16, 32 and 64 channels, a linear layer. */
export class ResNet20 extends nn.Module {
  conv1 = new nn.Conv2d(3, 16, 3, { padding: 1, bias: false });
  bn1 = new nn.BatchNorm2d(16);
  layer1 = new nn.Sequential(new BasicBlock(16, 16, 1), new BasicBlock(16, 16, 1), new BasicBlock(16, 16, 1));
  layer2 = new nn.Sequential(new BasicBlock(16, 32, 2), new BasicBlock(32, 32, 1), new BasicBlock(32, 32, 1));
  layer3 = new nn.Sequential(new BasicBlock(32, 64, 2), new BasicBlock(64, 64, 1), new BasicBlock(64, 64, 1));
  linear = new nn.Linear(64, 10);

  override forward(x: Tensor): Tensor {
    const first = F.relu(this.bn1.forward(this.conv1.forward(x)));
    const features = this.layer3.forward(this.layer2.forward(this.layer1.forward(first)));
    return this.linear.forward(features.mean([2, 3]));
  }
}

/** The network with the weights of a checkpoint whose state dict was saved from `nn.DataParallel`, as `module.…`. */
export async function loadResNet20(file: string): Promise<ResNet20> {
  const checkpoint = (await torch.load(file)) as { state_dict: Record<string, Tensor> };
  const weights = Object.fromEntries(
    Object.entries(checkpoint.state_dict).map(([name, tensor]) => [name.replace(/^module\./, ''), tensor]),
  );
  const net = new ResNet20();
  net.loadStateDict(weights);
  return net.eval();
}

const mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1);
const deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1);

/** Pictures of one size as a normalised batch [n, 3, height, width]. */
export async function readPictures(files: readonly string[]): Promise<Tensor> {
  const pictures: Tensor[] = [];
  for (const file of files) {
    const { data, info } = await sharp(file)
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    pictures.push(torch.tensor(new Uint8Array(data)).view(info.height, info.width, 3).permute(2, 0, 1));
  }
  return torch.stack(pictures).to('float32').div(255).sub(mean).div(deviation);
}

/** How many pictures of `folder/<class>/*` the network names right. */
export async function countRight(net: ResNet20, folder: string): Promise<{ right: number; total: number }> {
  const classes = readdirSync(folder).sort();
  let right = 0;
  let total = 0;
  for (const [label, name] of classes.entries()) {
    const files = readdirSync(path.join(folder, name)).sort();
    const batch = await readPictures(files.map((file) => path.join(folder, name, file)));
    right += torch.noGrad(() => net.forward(batch).argmax(1).eq(label).sum().item());
    total += files.length;
  }
  return { right, total };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [weights, folder] = process.argv.slice(2);
  if (weights === undefined || folder === undefined) {
    console.error('Usage: node --import tsx examples/resnet20.ts WEIGHTS.th FOLDER');
    process.exit(2);
  }
  const { right, total } = await countRight(await loadResNet20(weights), folder);
  console.log(`${right} of ${total} right (${((100 * right) / total).toFixed(2)} %)`);
}
