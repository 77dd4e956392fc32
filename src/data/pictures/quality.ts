/**
 * What a small picture tells about the quality of the large one: how dark, bright, blurred, empty and colourless it is.
 * The measures follow CleanVision (issue_managers/image_property.py), so that its thresholds can be discussed; where they differ is said.
 */

/** Measured on a picture whose longer side is `qualitySide` pixels at most. */
export interface PictureQuality {
  /** Brightness below which 5 % of the pixels lie, 0…1: close to 1 in a picture that is too bright. */
  readonly darkest: number;
  /** Brightness below which 99 % of the pixels lie, 0…1: small in a picture that is too dark. */
  readonly lightest: number;
  /** Entropy of the grey levels in bits, 0…8. */
  readonly entropy: number;
  /** Deviation of the grey levels, 0…1. */
  readonly contrast: number;
  /** Deviation of the edges (3 × 3 Laplacian) over the deviation of the grey levels: small in a blurred picture, whatever its contrast. */
  readonly sharpness: number;
  /** Largest difference between the channels in 99 % of the pixels, 0…1: 0 is grey. */
  readonly colour: number;
  /** Mean per channel, 0…1. */
  readonly mean: readonly [number, number, number];
  /** Mean of the squares per channel, 0…1. */
  readonly squares: readonly [number, number, number];
}

/** Longer side of the picture that quality is measured on, as in CleanVision's measure of blur. */
export const qualitySide = 64;

/** Where a share of the counted values lies. */
function percentile(counts: Uint32Array, total: number, share: number): number {
  let sum = 0;
  for (let value = 0; value < counts.length; value++) {
    sum += counts[value] as number;
    if (sum >= share * total) return value / (counts.length - 1);
  }
  return 1;
}

const bright = new Uint32Array(256);
const greys = new Uint32Array(256);
const spreads = new Uint32Array(256);

/** @param data RGB, interleaved @param grey receives the luma of each pixel */
export function pictureQuality(data: Uint8Array, width: number, height: number, grey: Float32Array): PictureQuality {
  const count = width * height;
  bright.fill(0);
  greys.fill(0);
  spreads.fill(0);
  let sum = 0;
  let squares = 0;
  const sums = [0, 0, 0, 0, 0, 0];
  for (let p = 0, at = 0; p < count; p++, at += 3) {
    const r = data[at] as number;
    const g = data[at + 1] as number;
    const b = data[at + 2] as number;
    sums[0] = (sums[0] as number) + r;
    sums[1] = (sums[1] as number) + g;
    sums[2] = (sums[2] as number) + b;
    sums[3] = (sums[3] as number) + r * r;
    sums[4] = (sums[4] as number) + g * g;
    sums[5] = (sums[5] as number) + b * b;
    const luma = 0.299 * r + 0.587 * g + 0.114 * b;
    grey[p] = luma;
    sum += luma;
    squares += luma * luma;
    const level = Math.round(luma);
    greys[level] = (greys[level] as number) + 1;
    // Perceived brightness, as CleanVision takes it (Finley, "HSP color model").
    const perceived = Math.round(Math.sqrt(0.241 * r * r + 0.691 * g * g + 0.068 * b * b));
    bright[perceived] = (bright[perceived] as number) + 1;
    const spread = Math.max(r, g, b) - Math.min(r, g, b);
    spreads[spread] = (spreads[spread] as number) + 1;
  }
  let entropy = 0;
  for (let level = 0; level < 256; level++) {
    const share = (greys[level] as number) / count;
    if (share > 0) entropy -= share * Math.log2(share);
  }
  const contrast = Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
  // The border has no neighbours; Pillow's FIND_EDGES, which CleanVision uses, copies it, and so takes every border for an edge.
  let edges = 0;
  let edgeSquares = 0;
  let inner = 0;
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const p = y * width + x;
      const above = p - width;
      const below = p + width;
      const edge =
        9 * (grey[p] as number) -
        ((grey[above - 1] as number) + (grey[above] as number) + (grey[above + 1] as number)) -
        ((grey[p - 1] as number) + (grey[p] as number) + (grey[p + 1] as number)) -
        ((grey[below - 1] as number) + (grey[below] as number) + (grey[below + 1] as number));
      edges += edge;
      edgeSquares += edge * edge;
      inner++;
    }
  const edgeDeviation = inner === 0 ? 0 : Math.sqrt(Math.max(0, edgeSquares / inner - (edges / inner) ** 2));
  const share = (i: number, scale: number): number => (sums[i] as number) / count / scale;
  return {
    darkest: percentile(bright, count, 0.05),
    lightest: percentile(bright, count, 0.99),
    entropy,
    contrast: contrast / 255,
    sharpness: contrast < 1e-3 ? 0 : edgeDeviation / contrast,
    colour: percentile(spreads, count, 0.99),
    mean: [share(0, 255), share(1, 255), share(2, 255)],
    squares: [share(3, 65025), share(4, 65025), share(5, 65025)],
  };
}
