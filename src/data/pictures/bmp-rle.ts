/** The run-length encodings of BMP. */

/**
 * Colour indices of RLE8 (`bits` 8) or RLE4 (4), row after row as stored. Pixels that the runs leave out have index 0.
 * @returns 'truncated' where the data end before the picture does
 */
export function readRunLengths(
  bytes: Uint8Array,
  width: number,
  height: number,
  bits: number,
): Uint8Array | 'truncated' {
  const out = new Uint8Array(width * height);
  let x = 0;
  let y = 0;
  let at = 0;
  const put = (index: number): void => {
    // Runs beyond the row's end are cut, as everybody does.
    if (x < width && y < height) out[y * width + x] = index;
    x++;
  };
  while (y < height) {
    if (at + 2 > bytes.length) return y === height - 1 && x >= width ? out : 'truncated';
    const count = bytes[at++] as number;
    const value = bytes[at++] as number;
    if (count > 0) {
      for (let i = 0; i < count; i++) put(bits === 8 ? value : i % 2 === 0 ? value >> 4 : value & 15);
    } else if (value === 0) {
      x = 0;
      y++;
    } else if (value === 1) {
      return out;
    } else if (value === 2) {
      if (at + 2 > bytes.length) return 'truncated';
      x += bytes[at++] as number;
      y += bytes[at++] as number;
    } else {
      const size = bits === 8 ? value : Math.ceil(value / 2);
      if (at + size > bytes.length) return 'truncated';
      for (let i = 0; i < value; i++) {
        const byte = bytes[at + (bits === 8 ? i : i >> 1)] as number;
        put(bits === 8 ? byte : i % 2 === 0 ? byte >> 4 : byte & 15);
      }
      at += size + (size % 2);
    }
  }
  return out;
}
