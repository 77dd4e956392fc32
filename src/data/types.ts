/** What the parts of `data/` agree on: data sets, where a picture lies, batches, and what may be done to a batch. */
import type { Tensor } from '../torch/index.js';

/** Where one picture lies. Plain data: it travels to worker threads. */
export type PictureLocation =
  /** An encoded picture (JPEG, PNG, …) that fills a file. */
  | { readonly kind: 'file'; readonly path: string }
  /** Bare pixels inside a file (CIFAR, MNIST): uint8, `planes` = channel by channel, `pixels` = interleaved. */
  | {
      readonly kind: 'raw';
      readonly path: string;
      readonly offset: number;
      readonly height: number;
      readonly width: number;
      readonly channels: 1 | 3;
      readonly layout: 'planes' | 'pixels';
      /** The file is gzip-compressed as a whole; `offset` counts in the unpacked bytes. */
      readonly gzip?: boolean;
    };

/** The form in which pictures leave the decoder and lie in the cache: uint8, height × width × channels, interleaved. */
export interface PictureForm {
  readonly height: number;
  readonly width: number;
  /** 3: sRGB; 1: luma. */
  readonly channels: 1 | 3;
  /** `squash` changes the aspect ratio (as `torchvision.transforms.Resize((h, w))`), `crop` fills and cuts the middle, `pad` fits and pads black. */
  readonly fit: 'squash' | 'crop' | 'pad';
  /** `fast` lets JPEG decode at 1/2, 1/4 or 1/8 where that still leaves one and a half times the size asked for; `exact` decodes all pixels. */
  readonly decode: 'fast' | 'exact';
}

/** The parts of a split. */
export const parts = ['train', 'validation', 'test'] as const;
export type Part = (typeof parts)[number];

/** Something a source found and did not take as a sample: a stray file, an unknown extension, an unreadable folder. */
export interface Skipped {
  /** Relative to the root. */
  readonly path: string;
  readonly reason: string;
}

interface DatasetBase {
  /** Short, for run names and titles: `flowers`. */
  readonly name: string;
  /** Absolute path of the folder or file the samples come from. */
  readonly root: string;
  /** Number of samples; indices run from 0. The order is stable: same data, same order, on every machine. */
  readonly length: number;
  /** Class names; a label is an index into them. */
  readonly classes: readonly string[];
  /** Whether a sample may have any number of labels. */
  readonly multiLabel: boolean;
  /** What was found and not taken. */
  readonly skipped: readonly Skipped[];
  /** A split that comes with the data (official, or folders named train/valid/test): indices. */
  readonly officialParts?: Readonly<Record<Part, readonly number[]>>;
  /** Name of a sample, stable across machines: the path relative to the root with `/`, or `file#row`. @throws DataError for a sealed one */
  sampleName(index: number): string;
  /** Label of a sample that has one. @throws DataError when the sample is sealed or the data set is multi-label */
  target(index: number): number;
  /** Labels of a sample, ascending. @throws DataError when the sample is sealed */
  labels(index: number): readonly number[];
  /** What must stay on one side of a split, where the source knows it (a column of a manifest). */
  group?(index: number): string | undefined;
}

/** Pictures that are decoded when they are needed. */
export interface PictureDataset extends DatasetBase {
  readonly kind: 'pictures';
  location(index: number): PictureLocation;
}

/** Rows of a table: numeric and categorical columns. */
export interface TableDataset extends DatasetBase {
  readonly kind: 'table';
  readonly columns: readonly TableColumn[];
  /** The cell as read: a number, a category's text, or null where it is missing. */
  cell(index: number, column: number): number | string | null;
}

export interface TableColumn {
  readonly name: string;
  readonly type: 'numeric' | 'categorical';
}

/** Lines of text with labels. */
export interface TextDataset extends DatasetBase {
  readonly kind: 'text';
  text(index: number): string;
}

/** Tensors in memory, one sample per row of `input` (any shape [N, …]) — what tables and texts become once they are normalised. */
export interface TensorDataset extends DatasetBase {
  readonly kind: 'tensors';
  readonly input: Tensor;
}

export type Dataset = PictureDataset | TableDataset | TextDataset | TensorDataset;

/** What a loader yields. */
export interface Batch {
  /** Pictures: uint8 [N, C, H, W] in channels-last memory until a transform makes floats of them. Tensors: rows of `input`. */
  input: Tensor;
  /** int64 [N]; float [N, classes] for multi-label data and after mixing. */
  target: Tensor;
  /** int64 [N]: positions in the data set the loader was given. */
  index: Tensor;
}

/** What a transform may know of the batch it is given; with the batch it decides the result completely. */
export interface BatchContext {
  readonly seed: number;
  /** Counts from 0. */
  readonly epoch: number;
  /** The keys of the samples for `sampleRandom`: one per row, the same whatever the batch size or number of workers. */
  readonly samples: readonly number[];
  /** Number of classes, for transforms that mix labels. */
  readonly classes: number;
}

/** Done to whole batches with tensor operations, on the batch's device; never in place on what it was given. */
export type BatchTransform = (batch: Batch, context: BatchContext) => Batch;

/** Mean and deviation per channel, in units of 0…1. */
export interface ChannelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** How far through its data a loader is; restoring it continues with the very next batch. */
export interface LoaderState {
  readonly epoch: number;
  /** Batches of this epoch already handed out. */
  readonly step: number;
  readonly seed: number;
  readonly batchSize: number;
  /** Fingerprint of the data set's names, so that a state is not restored over other data. */
  readonly dataset: string;
}
