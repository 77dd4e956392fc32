/**
 * The notebook, part three: "Making it work, in practice". The text's network, data, device and training loop, cell by cell, with the
 * validation loop that the text leaves out.
 *
 *   node --import tsx examples/notebook/part3.ts [--data ./flowers] [--download] [--epochs 100] [--out notebook-part3] [--pictures 640]
 *
 * `--data` holds Oxford Flowers-102 (`--download` gets it, 345 MB). Where it is absent the loop runs on as many flowers as `--pictures` says,
 * drawn for the purpose.
 * Weights and TensorBoard's events go to `--out`.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import {
  type Batch,
  ConvNet,
  DataLoader,
  drawFlowers,
  F,
  flowers102,
  imageFolder,
  type nn,
  optim,
  type PictureDataset,
  SummaryWriter,
  subset,
  torch,
} from 'praxis';

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

// ── let's load our data ────────────────────────────────────────────────────────────────────────────────────────────────
/** `torchvision.transforms.Resize(size)`: all pixels are decoded, the shape is not kept. */
export const resize = (height: number, width: number) => ({ height, width, fit: 'squash', decode: 'exact' }) as const;

/** `torchvision.transforms.ToTensor()`: numbers from 0 to 1, channel by channel. Normalising them is left out here, as in the text. */
export const toTensor = (batch: Batch): Batch => ({
  ...batch,
  input: batch.input.to('float32').div(255).contiguous(),
});

interface Datasets {
  readonly train: PictureDataset;
  readonly valid: PictureDataset;
}

async function loadFlowers(
  root: string,
  options: { download: boolean; out: string; pictures: number },
): Promise<Datasets> {
  try {
    const part = (name: 'train' | 'validation' | 'test') =>
      flowers102(root, { part: name, download: options.download });
    const [train, valid, test] = await Promise.all([part('train'), part('validation'), part('test')]);
    console.log(`Flowers-102: ${train.length} to train with, ${valid.length} to validate; ${test.length} stay closed.`);
    return { train, valid };
  } catch (error) {
    // A cut download or a wrong checksum is for the person to know.
    if (options.download || !(error instanceof Error) || !/which is not there/.test(error.message)) throw error;
  }
  console.log(`${root} does not hold Oxford Flowers-102 (--download gets it), so drawn flowers take its place.`);
  const folder = path.join(options.out, 'drawn-flowers');
  await drawFlowers(folder, { pictures: options.pictures, species: 8, size: 160 });
  const flowers = await imageFolder(folder);
  // The order is class by class: every fifth gives each class its share.
  const every = Array.from({ length: flowers.length }, (_, i) => i);
  const train = subset(
    flowers,
    every.filter((i) => i % 5 !== 0),
  );
  const valid = subset(
    flowers,
    every.filter((i) => i % 5 === 0),
  );
  console.log(
    `Drawn flowers: ${train.length} to train with, ${valid.length} to validate, ${flowers.classes.length} kinds.`,
  );
  return { train, valid };
}

// ── a device ───────────────────────────────────────────────────────────────────────────────────────────────────────────
export function getDevice(): 'cuda' | 'mps' | 'cpu' {
  if (torch.cuda.isAvailable()) {
    console.log('CUDA backend available.');
    return 'cuda';
  }
  if (torch.mps.isAvailable()) {
    console.log('Arm mac GPU available, using GPU.');
    return 'mps'; // for Arm Macs
  }
  console.log('GPU not available, using CPU');
  return 'cpu';
}

// ── the loop ───────────────────────────────────────────────────────────────────────────────────────────────────────────
/**
 * The text's `torch.optim.AdamW(net.parameters(), lr=0.005)`. Left to itself Praxis takes the engine's fused step, which is quicker and
 * rounds otherwise: at this learning rate the losses of the two part in the third digit after some steps. Without it they are Python's.
 */
export const makeOptimizer = (net: nn.Module, lr = 0.005): optim.AdamW =>
  new optim.AdamW(net.parameters(), { lr, implementation: 'foreach' });

/** Batches, as often as they are asked for: a `DataLoader`, or an array. */
type Batches = AsyncIterable<Pick<Batch, 'input' | 'target'>> | Iterable<Pick<Batch, 'input' | 'target'>>;

export interface LoopOptions {
  readonly trainLoader: Batches;
  readonly validLoader: Batches;
  readonly epochs: number;
  readonly device: string;
  /** Gets the loss of each step. */
  readonly onStep?: (loss: number) => void;
  readonly writer?: SummaryWriter;
  /** Folder for the weights. */
  readonly out?: string;
}

export async function train(net: nn.Module, optimizer: optim.Optimizer, options: LoopOptions): Promise<void> {
  const { trainLoader, validLoader, epochs, device, writer, out } = options;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const epochLoss: number[] = [];
    const trainAccuracy: boolean[] = [];
    net.train();
    for await (const { input, target } of trainLoader) {
      const [data, label] = [input.to(device), target.to(device)];
      const output = net.forward(data);
      const loss = F.crossEntropy(output, label);

      trainAccuracy.push(...(output.argmax(1).eq(label).toArray() as boolean[]));

      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();

      epochLoss.push(loss.item());
      options.onStep?.(loss.item());
    }

    // The loop that "would normally" be added: the same measures where nothing is learnt.
    const validLoss: number[] = [];
    const validAccuracy: boolean[] = [];
    net.eval();
    for await (const { input, target } of validLoader)
      torch.noGrad(() => {
        const [data, label] = [input.to(device), target.to(device)];
        const output = net.forward(data);
        // One per picture: the last batch is smaller than the others.
        validLoss.push(...(F.crossEntropy(output, label, { reduction: 'none' }).toArray() as number[]));
        validAccuracy.push(...(output.argmax(1).eq(label).toArray() as boolean[]));
      });

    const scalars = {
      'loss/train': mean(epochLoss),
      'loss/valid': mean(validLoss),
      'accuracy/train': mean(trainAccuracy.map(Number)),
      'accuracy/valid': mean(validAccuracy.map(Number)),
    };
    for (const [tag, value] of Object.entries(scalars)) writer?.addScalar(tag, value, epoch);
    const text = Object.entries(scalars).map(([tag, value]) => `${tag} ${value.toFixed(4)}`);
    console.log(`epoch ${epoch}: ${text.join(', ')}`);

    // early stopping
    if (epoch % 10 === 0 && out !== undefined)
      // save weights instead of model since saving the model also pickles the model architecture,
      // which can be OK but is not necessary.
      await torch.save(net.stateDict(), path.join(out, `model_${epoch}.pth`));
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: './flowers' },
      download: { type: 'boolean', default: false },
      epochs: { type: 'string', default: '100' },
      out: { type: 'string', default: 'notebook-part3' },
      pictures: { type: 'string', default: '640' },
    },
  });
  const { data, download, out } = values;
  const numEpochs = Number(values.epochs);
  if (!Number.isInteger(numEpochs) || numEpochs < 1)
    throw new RangeError(`--epochs must be a whole number above 0, got ${values.epochs}.`);
  mkdirSync(out, { recursive: true });

  const { train: trainDataset, valid: validDataset } = await loadFlowers(data, {
    download,
    out,
    pictures: Number(values.pictures),
  });
  torch.manualSeed(0);
  const net = new ConvNet({ channels: 32, blocks: 4 });
  const optimizer = makeOptimizer(net);

  const device = getDevice();
  console.log(net.to(device));

  const form = resize(128, 128);
  // The text's eight workers are one per processor here.
  const trainLoader = new DataLoader({
    dataset: trainDataset,
    batchSize: 256,
    shuffle: true,
    form,
    transform: toTensor,
  });
  const validLoader = new DataLoader({ dataset: validDataset, batchSize: 256, form, transform: toTensor });
  const writer = new SummaryWriter(path.join(out, 'events'));
  await train(net, optimizer, { trainLoader, validLoader, epochs: numEpochs, device, writer, out });
  await Promise.all([writer.close(), trainLoader.close(), validLoader.close()]);
  console.log(`The weights of every tenth epoch are in ${out}; tensorboard --logdir ${out} draws the curves.`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
