/** What may be logged, as numbers in memory. Nothing here loads the engine: a tensor is what has a shape and gives a typed array. */

/** A tensor, as far as logging needs one. */
export interface TensorLike {
  readonly shape: readonly number[];
  toTypedArray(): { readonly length: number; readonly [index: number]: number | bigint };
  readonly dtype: string;
}

export type Numbers = readonly number[] | Float32Array | Float64Array | Int32Array | Uint8Array | TensorLike;

const isTensor = (value: unknown): value is TensorLike =>
  typeof value === 'object' && value !== null && typeof (value as TensorLike).toTypedArray === 'function';

/** All numbers of a value, flat. @throws TypeError */
export function flat(value: Numbers, what: string): ArrayLike<number> {
  if (isTensor(value)) {
    if (value.dtype.startsWith('complex')) throw new TypeError(`${what}: complex tensors cannot be logged.`);
    const data = value.toTypedArray();
    return typeof data[0] === 'bigint'
      ? Float64Array.from(data as ArrayLike<bigint>, Number)
      : (data as ArrayLike<number>);
  }
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return value as ArrayLike<number>;
  throw new TypeError(`${what}: expected a tensor or numbers, got ${value === null ? 'null' : typeof value}.`);
}

/** One number. @throws TypeError */
export function single(value: number | TensorLike, what: string): number {
  if (typeof value === 'number') return value;
  if (!isTensor(value))
    throw new TypeError(`${what}: expected a number, got ${value === null ? 'null' : typeof value}.`);
  const data = flat(value, what);
  if (data.length !== 1)
    throw new TypeError(`${what}: expected one number, got a tensor of shape [${value.shape.join(', ')}].`);
  return data[0] as number;
}

export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sumSquares: number;
  readonly bucketLimit: readonly number[];
  readonly bucket: readonly number[];
  /** NaN and infinities, which are in no bucket. */
  readonly notFinite: number;
}

/** PyTorch's and TensorFlow's buckets: from 1e-12 to 1e20, each a tenth wider than the last, on both sides of 0. */
const growing: number[] = [];
for (let limit = 1e-12; limit < 1e20; limit *= 1.1) growing.push(limit);
const limits = Float64Array.from([...growing.map((x) => -x).reverse(), 0, ...growing]);
const logGrowth = Math.log(1.1);

/** Index of the bucket [limits[i], limits[i + 1]) that holds a value; the last one is closed. −1 beyond the ends. */
function bucketOf(value: number): number {
  const last = limits.length - 1;
  if (value < (limits[0] as number) || value > (limits[last] as number)) return -1;
  const size = Math.abs(value);
  const zero = growing.length;
  // Near the place by a logarithm, then exactly by comparing.
  let i = zero;
  if (size > 0) {
    const k = Math.floor(Math.log(size / 1e-12) / logGrowth);
    i = value > 0 ? zero + 1 + k : zero - 2 - k;
  }
  i = Math.min(Math.max(i, 0), last - 1);
  while (i > 0 && value < (limits[i] as number)) i--;
  while (i < last - 1 && value >= (limits[i + 1] as number)) i++;
  return i;
}

/** Counts values as `torch.utils.tensorboard` does with its default buckets. */
export function histogramOf(values: ArrayLike<number>): Histogram | null {
  const counts = new Float64Array(limits.length - 1);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let [sum, sumSquares, notFinite] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    if (!Number.isFinite(value)) {
      notFinite++;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    sumSquares += value * value;
    const bucket = bucketOf(value);
    if (bucket >= 0) counts[bucket] = (counts[bucket] as number) + 1;
  }
  const num = values.length - notFinite;
  if (num === 0) return null;
  const first = counts.findIndex((count) => count > 0);
  if (first < 0) return null;
  const last = counts.findLastIndex((count) => count > 0);
  // Only right limits are kept: an empty bucket on the left keeps the leftmost.
  return {
    min,
    max,
    num,
    sum,
    sumSquares,
    bucketLimit: [...limits.subarray(first, last + 2)],
    bucket: first > 0 ? [...counts.subarray(first - 1, last + 1)] : [0, ...counts.subarray(0, last + 1)],
    notFinite,
  };
}

/** Pixels for an encoder. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
}

/** How dimensions are laid out: a letter each of N, C, H and W. */
export type ImageFormat = 'CHW' | 'HWC' | 'HW' | 'WH' | 'NCHW' | 'NHWC';

/** At most so many pictures stand in a row of a grid, as in PyTorch. */
const perRow = 8;

/** An image, or a grid of several, as `torch.utils.tensorboard` makes them: uint8 as they are, other types times 255, cut to 0…255. */
export function pixelsOf(image: TensorLike, format: ImageFormat, what: string): Pixels {
  const { shape } = image;
  if (shape.length !== format.length)
    throw new TypeError(`${what}: a tensor of shape [${shape.join(', ')}] is not ${format}; pass { format }.`);
  const sizeOf = (letter: string) => (format.includes(letter) ? (shape[format.indexOf(letter)] as number) : 1);
  const strideOf = (letter: string) =>
    format.includes(letter) ? shape.slice(format.indexOf(letter) + 1).reduce((a, b) => a * b, 1) : 0;
  const [count, channels, height, width] = [sizeOf('N'), sizeOf('C'), sizeOf('H'), sizeOf('W')];
  if (![1, 3, 4].includes(channels) || count === 0 || height === 0 || width === 0)
    throw new TypeError(
      `${what}: an image has 1, 3 or 4 channels and some pixels; [${shape.join(', ')}] as ${format} has not.`,
    );
  const values = flat(image, what);
  const scale = image.dtype === 'uint8' ? 1 : 255;
  const columns = Math.min(count, perRow);
  const rows = Math.ceil(count / columns);
  const out = channels === 4 ? 4 : 3;
  const data = new Uint8Array(rows * height * columns * width * out);
  const [sn, sc, sh, sw] = [strideOf('N'), strideOf('C'), strideOf('H'), strideOf('W')];
  for (let n = 0; n < count; n++) {
    const top = Math.floor(n / columns) * height;
    const left = (n % columns) * width;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const to = ((top + y) * columns * width + left + x) * out;
        const from = n * sn + y * sh + x * sw;
        for (let c = 0; c < out; c++) {
          const value = Math.fround(Math.fround(values[from + (channels === 1 ? 0 : c * sc)] as number) * scale);
          // Cut off, not rounded, as NumPy's conversion does.
          data[to + c] = Math.min(255, Math.max(0, value || 0));
        }
      }
  }
  return { data, width: columns * width, height: rows * height, channels: out };
}
