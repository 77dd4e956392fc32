/** The seed text's training as Praxis runs it: its ConvNet, AdamW, one `Stepper` on a machine's choices. */
import { ConvNet } from '../src/models/index.js';
import { AdamW, type CommonOptions, type Optimizer } from '../src/optim/index.js';
import { type Tensor, torch } from '../src/torch/index.js';
import { type Machine, placeModel, Stepper } from '../src/train/compute.js';

/** As the text has it; a smaller one to try the benchmark itself. */
export const batchSize = Number(process.env.PRAXIS_BENCH_BATCH ?? 256);
export const classes = 102;

/** A batch of noise, already in memory. */
export function courseBatch(): { input: Tensor; target: Tensor } {
  torch.manualSeed(0);
  return { input: torch.rand(batchSize, 3, 128, 128), target: torch.randint(0, classes, [batchSize]) };
}

export class Course {
  readonly model: ConvNet;
  readonly optimizer: Optimizer<CommonOptions>;
  readonly stepper: Stepper;

  constructor(machine: Machine) {
    torch.manualSeed(0);
    this.model = new ConvNet({ channels: 32, classes });
    placeModel(this.model, machine);
    this.optimizer = new AdamW(this.model.parameters(), { lr: 0.005 }) as unknown as Optimizer<CommonOptions>;
    this.stepper = new Stepper(this.model, this.optimizer, machine);
  }
}
