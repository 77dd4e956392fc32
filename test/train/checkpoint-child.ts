/** The training of the checkpoint tests, in a process of its own: `checkpoint-child.ts FOLDER FROM TO [loop]`. */
import { createHash } from 'node:crypto';
import * as nn from '../../src/nn/index.js';
import { AdamW, ExponentialMovingAverage } from '../../src/optim/index.js';
import { type Tensor, torch } from '../../src/torch/index.js';
import { CheckpointKeeper, loadLast, restoreState, takeState } from '../../src/train/checkpoint.js';

class Net extends nn.Module {
  network = new nn.Sequential(
    new nn.Conv2d(3, 8, 3),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Flatten(),
    new nn.Linear(8 * 36, 5),
  );
  override forward(x: Tensor): Tensor {
    return this.network.call(x) as Tensor;
  }
}

const [folder, from, to, loop] = process.argv.slice(2) as [string, string, string, string | undefined];
torch.manualSeed(0);
const model = new Net();
const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
const average = new ExponentialMovingAverage(model.parameters(), { decay: 0.9, buffers: model.buffers() });
const trained = { model, optimizer, average };
const keeper = new CheckpointKeeper(folder, { best: 2 });
let step = 0;
if (Number(from) !== 0 || loop) {
  const last = await loadLast(folder).catch((error: Error) => {
    if (!/holds no checkpoint/.test(error.message)) throw error;
    return undefined;
  });
  if (last !== undefined) {
    restoreState(trained, last.state);
    step = last.state.step;
  }
}
while (step < Number(to)) {
  // Batches and dropout draw from the same generator, whose state is in the checkpoint.
  const loss = (model.call(torch.randn([16, 3, 8, 8])) as Tensor).square().mean();
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  average.update();
  step++;
  if (loop || step === Number(to))
    await keeper.save(takeState(trained, { step, epoch: 0, score: Math.sin(step), metrics: { loss: loss.item() } }));
  if (loop && step % 5 === 0) process.stdout.write(`${step}\n`);
}
const hash = createHash('sha256');
const add = (tensor: Tensor) =>
  hash.update(new Uint8Array((tensor.detach().contiguous().toTypedArray() as Float32Array).buffer));
for (const tensor of Object.values(model.stateDict())) add(tensor);
for (const tensor of average.averages) add(tensor);
for (const tensor of Object.values(optimizer.state().tensors)) add(tensor);
add(torch.rand([4]));
console.log(hash.digest('hex'));
