/** `samples.jpg`: training pictures as the network gets them, after every change that is made to them. */
import sharp from '../../data/pictures/libvips.js';
import { type Tensor, torch } from '../../torch/index.js';
import { type RunFolder, writeFileAtomic } from '../../track/index.js';
import { pixelsOf } from '../../track/tensorboard/values.js';
import type { TrainPlan } from '../plan.js';

export const samplesFile = 'samples.jpg';
const most = 24;

/** Pictures [N, C, H, W] as they were before they were normalised, 0 to 1. */
export function unnormalised(input: Tensor, plan: TrainPlan): Tensor {
  const { statistics } = plan.data;
  const plain = input.detach().cpu().float();
  if (statistics === undefined) return plain;
  const shape = [1, statistics.mean.length, 1, 1];
  return plain
    .mul(torch.tensor([...statistics.std]).view(shape))
    .add(torch.tensor([...statistics.mean]).view(shape))
    .clamp(0, 1);
}

/** Draws the first pictures of a batch into the run folder; other data have none. */
export async function keepSamples(run: RunFolder, input: Tensor, plan: TrainPlan): Promise<void> {
  if (plan.data.form === undefined || input.ndim !== 4) return;
  const { data, width, height, channels } = torch.scope(() =>
    torch.noGrad(() =>
      pixelsOf(unnormalised(input.narrow(0, 0, Math.min(most, input.size(0))), plan).contiguous(), 'NCHW', 'samples'),
    ),
  );
  const jpeg = await sharp(data, { raw: { width, height, channels } })
    .jpeg({ quality: 88, chromaSubsampling: '4:4:4' })
    .toBuffer();
  await writeFileAtomic(run.file(samplesFile), jpeg);
}
