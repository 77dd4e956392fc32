/** What a frozen body says of pictures: the input of its head, computed once and kept. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { defaultCacheFolder } from '../../data/cache/folder.js';
import type { DataLoader } from '../../data/loader/index.js';
import { datasetFingerprint } from '../../data/split/index.js';
import { headOf } from '../../models/index.js';
import { Tensor, torch } from '../../torch/index.js';
import { turn } from '../../torch/turn.js';
import { type Classifier, logitsOf, type Machine, placeInput } from '../compute.js';

/** Features of samples, and their classes. */
export interface Features {
  /** float32 [samples, features]. */
  readonly features: Tensor;
  /** int64 [samples]. */
  readonly target: Tensor;
}

/**
 * The input of a classifier's head for everything a loader gives, in eval mode: [samples, features]. Of a head that is a 1 × 1 convolution
 * the mean over the picture.
 */
export async function extractFeatures(
  model: Classifier,
  loader: DataLoader,
  machine: Machine,
  onBatch?: (done: number, all: number) => void,
): Promise<Features> {
  const { module } = headOf(model);
  let seen: Tensor | undefined;
  const hook = module.registerForwardPreHook((_, [input]) => {
    seen = input as Tensor;
  });
  const features: Tensor[] = [];
  const target: Tensor[] = [];
  const modes = model.modules().map((part) => ({ part, training: part.training }));
  model.eval();
  loader.setEpoch(0);
  try {
    let done = 0;
    for await (const batch of loader) {
      const [rows, classes] = torch.scope(() =>
        torch.noGrad(() => {
          logitsOf(model, placeInput(batch.input, machine), machine);
          const flat = (seen as Tensor).ndim === 4 ? (seen as Tensor).mean([2, 3]) : (seen as Tensor).flatten(1);
          return [flat.float().cpu().contiguous(), batch.target.cpu()] as const;
        }),
      );
      features.push(rows);
      target.push(classes);
      done += 1;
      onBatch?.(done, loader.length);
      await turn();
    }
  } finally {
    hook.remove();
    for (const { part, training } of modes) part.training = training;
  }
  return { features: torch.cat(features), target: torch.cat(target) };
}

/** Where the features of these weights for these pictures are kept; everything that they depend on is in the name. */
export async function featuresFile(loader: DataLoader, identity: unknown): Promise<string> {
  const fingerprint = await datasetFingerprint(loader.dataset);
  const key = createHash('sha256')
    .update(JSON.stringify([1, identity, fingerprint.all, loader.dataset.length]))
    .digest('hex')
    .slice(0, 24);
  return path.join(defaultCacheFolder(), 'features', `${key}.safetensors`);
}

/** Features from the cache, or computed and put there. A file that cannot be read is made again. */
export async function cachedFeatures(
  file: string,
  compute: () => Promise<Features>,
): Promise<{ readonly features: Features; readonly cached: boolean }> {
  if (existsSync(file))
    try {
      const { features, target } = (await torch.load(file)) as Record<string, Tensor>;
      if (features instanceof Tensor && target instanceof Tensor)
        return { features: { features, target }, cached: true };
    } catch {
      // Cut short, or of another time.
    }
  const made = await compute();
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await torch.save({ features: made.features, target: made.target }, file);
  } catch {
    // A cache that cannot be written costs time and nothing else.
  }
  return { features: made, cached: false };
}
