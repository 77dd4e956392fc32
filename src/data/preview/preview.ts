/** A picture of what enters the network: each sample as it is and as augmentation and normalisation leave it, decoded back. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Tensor, torch } from '../../torch/index.js';
import { DataError } from '../errors.js';
import { DataLoader } from '../loader/index.js';
import sharp from '../pictures/libvips.js';
import { permutation, streams } from '../random.js';
import { subset } from '../sources/index.js';
import type { Batch, BatchTransform, ChannelStatistics, PictureDataset, PictureForm } from '../types.js';
import { drawSheet, type SheetPicture, type SheetRow } from './sheet.js';

export interface PreviewOptions {
  /** The training part. */
  readonly dataset: PictureDataset;
  /** What the training loader is given. */
  readonly transform: BatchTransform;
  /** What the transform normalises with, if it does; the sheet shows pictures with that taken back. */
  readonly statistics?: ChannelStatistics;
  /** How many samples; default 8. */
  readonly count?: number;
  /** The run's seed: with it the sheet shows what that run trains on. Default 0. */
  readonly seed?: number;
  /** First of the epochs that are shown; default 0. */
  readonly epoch?: number;
  /** How many epochs, side by side; default 3. */
  readonly epochs?: number;
  readonly form?: Partial<PictureForm>;
  /** Said below the title, e.g. `describeAugmentation(spec)`. */
  readonly description?: string;
  /** File to write, .png, .jpg, .webp or .svg; without, nothing is written. */
  readonly out?: string;
}

/** Planes in 0…255 as PNG, enlarged without smoothing so that every pixel can be seen. */
async function png(picture: Tensor, width: number, height: number): Promise<Buffer> {
  const [channels, rows, columns] = picture.shape as [1 | 3, number, number];
  const bytes = torch.scope(() => picture.permute([1, 2, 0]).contiguous().toTypedArray()) as Uint8Array;
  return sharp(bytes, { raw: { width: columns, height: rows, channels } })
    .resize(width, height, { kernel: 'nearest', fit: 'fill' })
    .png({ compressionLevel: 6 })
    .toBuffer();
}

/** What a batch looks like: normalisation taken back, as uint8. */
function decoded(input: Tensor, statistics: ChannelStatistics | undefined): Tensor {
  return torch.scope(() => {
    const cpu = input.to('cpu');
    if (cpu.dtype === 'uint8') return cpu.clone();
    const column = (list: readonly number[]): Tensor => torch.tensor(list as number[]).view([1, -1, 1, 1]);
    const plain = cpu.to('float32');
    const back = statistics === undefined ? plain : plain.mul(column(statistics.std)).add(column(statistics.mean));
    return back.mul(255).round().clamp(0, 255).to('uint8');
  });
}

/** `72 % tulip`, `+ 28 % rose`; nothing where the label is what it was. */
function mixture(target: Tensor, row: number, classes: readonly string[]): string[] {
  if (target.ndim !== 2) return [];
  const shares = target.select(0, row).to('cpu').toArray() as number[];
  const some = shares.flatMap((share, i) => (share > 0.005 ? [{ share, name: classes[i] ?? String(i) }] : []));
  if (some.length < 2) return [];
  some.sort((a, b) => b.share - a.share);
  return some.map(({ share, name }, i) => `${i === 0 ? '' : '+ '}${Math.round(100 * share)} % ${name}`);
}

/** One epoch as the loader gives it. */
interface Look {
  readonly batch: Batch;
  readonly original: Tensor;
}

/** The samples through the loader itself, so that what is shown is what is trained on. */
async function look(options: PreviewOptions, chosen: PictureDataset, epoch: number): Promise<Look> {
  let original: Tensor | undefined;
  const loader = new DataLoader({
    dataset: chosen,
    batchSize: chosen.length,
    workers: 0,
    cache: false,
    seed: options.seed ?? 0,
    ...(options.form === undefined ? {} : { form: options.form }),
    transform: (batch, context) => {
      original = batch.input.clone();
      return options.transform(batch, context);
    },
  });
  try {
    loader.setEpoch(epoch);
    // The loader's buffers are used again; the sheet is drawn after it is closed.
    for await (const { input, target, index } of loader)
      return {
        batch: { input: input.clone(), target: target.clone(), index: index.clone() },
        original: original as Tensor,
      };
  } finally {
    await loader.close();
  }
  throw new DataError(`previewAugmentation: none of the pictures of ${options.dataset.name} could be read.`);
}

function integer(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new DataError(`previewAugmentation: ${name} must be an integer from ${least} to ${most}, got ${value}.`);
  return value;
}

/** About how large a picture stands on the sheet; small ones are enlarged by whole factors. */
function shownSize([height, width]: readonly [number, number]): { width: number; height: number } {
  const larger = Math.max(height, width);
  const factor = larger >= 160 ? 160 / larger : Math.max(1, Math.floor(160 / larger));
  return { width: Math.round(width * factor), height: Math.round(height * factor) };
}

const formats = { '.png': 'png', '.jpg': 'jpeg', '.jpeg': 'jpeg', '.webp': 'webp', '.svg': 'svg' } as const;

/**
 * Draws random samples beside what becomes of them in a few epochs, with class, file name and, where labels were mixed, in which shares.
 * Mixing partners are drawn within a batch: here the batch is the sheet.
 * @returns the sheet as PNG, or in the format of `out`
 * @throws DataError when no picture can be read, or `out` has a format that is not known
 */
export async function previewAugmentation(options: PreviewOptions): Promise<Buffer> {
  const { dataset, statistics, out, description } = options;
  const extension = out === undefined ? '.png' : path.extname(out).toLowerCase();
  const format = formats[extension as keyof typeof formats];
  if (format === undefined)
    throw new DataError(`previewAugmentation: ${out} must end in ${Object.keys(formats).join(', ')}.`);
  const count = Math.min(dataset.length, integer('count', options.count ?? 8, 1, 200));
  const epochs = integer('epochs', options.epochs ?? 3, 1, 12);
  const first = integer('epoch', options.epoch ?? 0, 0, 2 ** 31);
  const seed = options.seed ?? 0;
  const chosen = subset(dataset, permutation(dataset.length, seed, 0, streams.preview).subarray(0, count));
  const looks: Look[] = [];
  for (let i = 0; i < epochs; i++) looks.push(await look(options, chosen, first + i));

  const [{ batch, original }] = looks as [Look, ...Look[]];
  const [, , height, width] = batch.input.shape as [number, number, number, number];
  const picture = shownSize([height, width]);
  const shown = looks.map((one) => decoded(one.batch.input, statistics));
  const positions = batch.index.toArray() as (number | bigint)[];
  const rows: SheetRow[] = [];
  for (const [row, position] of positions.entries()) {
    const place = Number(position);
    const labels = chosen.labels(place).map((label) => chosen.classes[label] ?? String(label));
    const pictures: SheetPicture[] = [
      { png: await png(original.select(0, row), picture.width, picture.height), notes: [] },
    ];
    for (const [i, one] of looks.entries()) {
      pictures.push({
        png: await png((shown[i] as Tensor).select(0, row), picture.width, picture.height),
        notes: chosen.multiLabel ? [] : mixture(one.batch.target, row, chosen.classes),
      });
    }
    rows.push({ title: labels.join(', ') || 'no label', detail: chosen.sampleName(place), pictures });
  }
  const svg = drawSheet({
    title: 'What enters the network',
    lines: [
      ...(description === undefined ? [] : [description]),
      `${dataset.name}, ${height} × ${width}, seed ${seed}${statistics === undefined ? '' : '; normalisation taken back'}`,
    ],
    heads: ['original', ...looks.map((_, i) => `epoch ${first + i}`)],
    rows,
    picture,
  });
  const buffer =
    format === 'svg'
      ? Buffer.from(svg)
      : await sharp(Buffer.from(svg), { unlimited: true })
          .flatten({ background: '#ffffff' })
          .toFormat(format, { quality: 85 })
          .toBuffer();
  if (out !== undefined) await writeFile(out, buffer);
  return buffer;
}
