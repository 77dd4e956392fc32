/** Which settings of a training a pre-training has no use for; apart, so that the command line need not load the engine. */
import type { SettingName } from '../config/schema.js';

export const unusedSettings = [
  ...([
    'pretrained',
    'resizeStem',
    'headEpochs',
    'layerRates',
    'layerDecay',
    'batchNorm',
    'normalisation',
    'headStart',
  ] as const),
  ...([
    'augment',
    'crops',
    'flips',
    'mixup',
    'cutmix',
    'labelSmoothing',
    'ema',
    'patience',
    'averageBest',
    'calibrate',
    'keep',
  ] as const),
  ...(['accumulate', 'validateEvery', 'splitFile', 'dropout', 'progressive', 'testSize'] as const),
] as const satisfies readonly SettingName[];
export type UnusedSetting = (typeof unusedSettings)[number];
