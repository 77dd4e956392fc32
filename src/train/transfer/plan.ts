/** What a fine-tuning does besides a training: stands in the plan of a run, and so in `run.json`. */

/** How the rates of the layers differ: fastai's three groups, timm's factor from layer to layer, or not at all. */
export const layerRateNames = ['discriminative', 'layer-decay', 'same'] as const;
export type LayerRates = (typeof layerRateNames)[number];

export interface TransferPlan {
  /** Where the weights came from: a known name, an address, a file, or the folder of a run. */
  readonly source: string;
  /** The file that was read, and its SHA-256: a run that is killed before its first checkpoint reads it again. */
  readonly file: string;
  readonly sha256: string;
  /** Whether the head is new; else the classes are the same as before. */
  readonly newHead: boolean;
  /** File in the run folder with the weights of the linear probe, which a new head begins with; drawn at random without it. */
  readonly head?: string;
  /** Epochs in which only the head learns and the body is frozen. */
  readonly headEpochs: number;
  readonly layerRates: LayerRates;
  /** Factor of the rate from one group of layers to the one before it. */
  readonly layerDecay: number;
  /** Running statistics of the body's batch normalisation once it learns: `keep` those of the weights, or `learn` those of the new pictures. */
  readonly batchNorm: 'keep' | 'learn';
}
