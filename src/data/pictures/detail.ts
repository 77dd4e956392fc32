/**
 * How much detail pictures hold. Photographs have detail down to the last pixel: the power of their rows and columns falls with the square of
 * the frequency, no faster. Where it breaks off, the picture was enlarged, or blurred, and a smaller one would show as much. Source of the law:
 * Field, "Relations between the statistics of natural images and the response properties of cortical cells" (JOSA A 1987).
 */

/** Bands of frequency, from that of the whole picture to that of single pixels. */
export const detailBands = 16;
/** Rows, and columns, of a picture that are looked at. */
const lines = 32;
/** Weighed with the square of its frequency, a band with detail has this share of the power of the strongest in the lowest quarter. Measured: docs/look.md. */
const least = 0.1;
/** Deviation in grey levels below which a picture says nothing. */
const flat = 2;

const bases = new Map<number, Float32Array>();

/** Cosines of the DCT-II, `side × side`. */
function basis(side: number): Float32Array {
  let found = bases.get(side);
  if (found === undefined) {
    found = new Float32Array(side * side);
    for (let k = 0; k < side; k++)
      for (let x = 0; x < side; x++) found[k * side + x] = Math.cos((Math.PI * (x + 0.5) * k) / side);
    bases.set(side, found);
  }
  return found;
}

/**
 * Power of the rows and columns of a square grey picture by frequency band; the bands sum to 1.
 * @param grey side × side bytes, at least 16 a side
 * @returns null where the picture shows next to nothing
 */
export function detailSpectrum(grey: Uint8Array, side: number): Float64Array | null {
  const cosines = basis(side);
  const bands = new Float64Array(detailBands);
  const line = new Float32Array(side);
  let sum = 0;
  let squares = 0;
  for (const value of grey) {
    sum += value;
    squares += value * value;
  }
  const count = side * side;
  if (squares / count - (sum / count) ** 2 < flat * flat) return null;
  const taken = Math.min(lines, side);
  for (let i = 0; i < taken; i++) {
    const at = Math.floor(((i + 0.5) * side) / taken);
    for (const upright of [false, true]) {
      for (let x = 0; x < side; x++) line[x] = grey[upright ? x * side + at : at * side + x] as number;
      for (let k = 1; k < side; k++) {
        let value = 0;
        for (let x = 0; x < side; x++) value += (cosines[k * side + x] as number) * (line[x] as number);
        const band = Math.floor((k * detailBands) / side);
        bands[band] = (bands[band] as number) + value * value;
      }
    }
  }
  const total = bands.reduce((a, b) => a + b, 0);
  return total > 0 ? bands.map((power) => power / total) : null;
}

/**
 * Up to what share of their pixels a side pictures hold detail: 1 for photographs as they are, 0.25 for pictures that were enlarged four times.
 * In sixteenths. Pictures whose pixels were doubled without smoothing them count as detailed.
 * @param spectra of some pictures of one origin; the more, the steadier
 */
export function detailShare(spectra: readonly Float64Array[]): number {
  // Of the pictures' shares the median: one that is all noise does not speak for the others.
  const weighed = spectra.map((spectrum) => {
    const steady = spectrum.map((power, band) => power * (band + 0.5) ** 2);
    const low = Math.max(...steady.subarray(0, detailBands / 4));
    return steady.map((power) => power / low);
  });
  const median = (band: number): number => {
    const sorted = weighed.map((bands) => bands[band] as number).sort((a, b) => a - b);
    return sorted[sorted.length >> 1] as number;
  };
  let last = detailBands - 1;
  while (last > 0 && median(last) < least) last--;
  return (last + 1) / detailBands;
}
