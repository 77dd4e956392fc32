/**
 * The learning-rate range test on a small network, as text and as a picture.
 *
 *   node --import tsx examples/range-test.ts [PICTURE.svg]
 */
import { writeFile } from 'node:fs/promises';
import { F, nn, optim, torch } from 'praxis';

torch.manualSeed(0);
const classes = 5;
const centres = torch.randn(classes, 20);
const batches = Array.from({ length: 40 }, () => {
  const target = torch.randint(classes, [64]);
  return { input: centres.indexSelect(0, target).add(torch.randn(64, 20).mul(1.5)), target };
});

const net = new nn.Sequential(new nn.Linear(20, 64), new nn.ReLU(), new nn.Linear(64, classes));
const found = await optim.lrFind({
  model: net,
  optimizer: new optim.AdamW(net.parameters()),
  batches,
  loss: ({ input, target }) => F.crossEntropy(net.forward(input), target),
});
console.log(found);

const picture = process.argv[2];
if (picture !== undefined) {
  await writeFile(picture, await found.svg());
  console.log(`Picture: ${picture}`);
}
