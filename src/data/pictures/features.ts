/**
 * A few hundred bytes that tell colours, layout and texture of a picture, to find what is unlike its class and how well classes can be told
 * apart before anything is trained. No network: colour layout, a colour histogram, and histograms of gradient directions.
 * Source of the last: Dalal and Triggs, "Histograms of oriented gradients for human detection" (CVPR 2005), with signless gradients.
 */

const layoutSide = 6;
const levels = 4;
const cells = 3;
const directions = 8;
const layoutLength = 3 * layoutSide * layoutSide;
const histogramLength = levels ** 3;
const gradientLength = cells * cells * directions;
/** Bytes per picture. */
export const featureLength = layoutLength + histogramLength + gradientLength;

/** Where each group of features begins and ends. */
export const featureGroups = {
  layout: [0, layoutLength],
  colours: [layoutLength, layoutLength + histogramLength],
  texture: [layoutLength + histogramLength, featureLength],
} as const;

const layout = new Float64Array(layoutLength);
const layoutCounts = new Uint32Array(layoutSide * layoutSide);
const histogram = new Float64Array(histogramLength);
const gradients = new Float64Array(gradientLength);

const steep = Math.tan((3 * Math.PI) / 8);
const flat = Math.tan(Math.PI / 8);

/** In which of the eight parts of half a turn a gradient lies, without regard to its sign: what `atan2` would say, in a tenth of the time. */
function directionOf(dx: number, dy: number): number {
  const x = dy < 0 || (dy === 0 && dx < 0) ? -dx : dx;
  const y = Math.abs(dy);
  if (x > 0) return y < x ? (y < flat * x ? 0 : 1) : y < steep * x ? 2 : 3;
  // The far quarter, seen from its other side: the edges belong to the part after them.
  const away = -x;
  return y > away ? (y > steep * away ? 4 : 5) : y > flat * away ? 6 : 7;
}

/**
 * @param data RGB, interleaved
 * @param grey luma of each pixel
 * @param out receives `featureLength` bytes
 */
export function pictureFeatures(
  data: Uint8Array,
  grey: Float32Array,
  width: number,
  height: number,
  out: Uint8Array,
): void {
  layout.fill(0);
  layoutCounts.fill(0);
  histogram.fill(0);
  gradients.fill(0);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * layoutSide) / height) * layoutSide;
    const cellRow = Math.floor((y * cells) / height) * cells;
    for (let x = 0; x < width; x++) {
      const p = y * width + x;
      const r = data[3 * p] as number;
      const g = data[3 * p + 1] as number;
      const b = data[3 * p + 2] as number;
      const cell = row + Math.floor((x * layoutSide) / width);
      layout[3 * cell] = (layout[3 * cell] as number) + r;
      layout[3 * cell + 1] = (layout[3 * cell + 1] as number) + g;
      layout[3 * cell + 2] = (layout[3 * cell + 2] as number) + b;
      layoutCounts[cell] = (layoutCounts[cell] as number) + 1;
      const colour = ((r >> 6) * levels + (g >> 6)) * levels + (b >> 6);
      histogram[colour] = (histogram[colour] as number) + 1;
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1) continue;
      const dx = (grey[p + 1] as number) - (grey[p - 1] as number);
      const dy = (grey[p + width] as number) - (grey[p - width] as number);
      const strength = Math.sqrt(dx * dx + dy * dy);
      if (strength < 1) continue;
      const direction = directionOf(dx, dy);
      const at = (cellRow + Math.floor((x * cells) / width)) * directions + direction;
      gradients[at] = (gradients[at] as number) + strength;
    }
  }
  // A picture smaller than the layout leaves cells without pixels: they take the mean of their neighbour to the left.
  for (let cell = 0; cell < layoutCounts.length; cell++)
    for (let channel = 0; channel < 3; channel++) {
      const count = layoutCounts[cell] as number;
      const at = 3 * cell + channel;
      out[at] = count > 0 ? (layout[at] as number) / count : cell > 0 ? (out[at - 3] as number) : 0;
    }
  // Square roots, so that small shares count (Hellinger's distance).
  for (let i = 0; i < histogramLength; i++)
    out[layoutLength + i] = 255 * Math.sqrt((histogram[i] as number) / (width * height));
  let norm = 0;
  for (let i = 0; i < gradientLength; i++) norm += gradients[i] as number;
  for (let i = 0; i < gradientLength; i++)
    out[layoutLength + histogramLength + i] = norm > 0 ? 255 * Math.sqrt((gradients[i] as number) / norm) : 0;
}
