/** Size, components and orientation of a JPEG from its headers, without decoding. */

export interface JpegHeader {
  /** As stored, before the orientation is applied. */
  readonly width: number;
  readonly height: number;
  /** 1: grey, 3: colour, 4: CMYK. */
  readonly components: number;
  /** EXIF orientation, 1…8; 1 where there is none. */
  readonly orientation: number;
}

/** Reads the markers up to the frame header. @returns null when there is none within `bytes` */
export function readJpegHeader(bytes: Uint8Array): JpegHeader | null {
  let orientation = 1;
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    if (length < 2 || marker === 0xd9 || marker === 0xda) return null;
    // SOF0 … SOF15 without DHT, JPG and DAC, which share their range.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      if (at + 10 > bytes.length) return null;
      const height = ((bytes[at + 5] as number) << 8) | (bytes[at + 6] as number);
      const width = ((bytes[at + 7] as number) << 8) | (bytes[at + 8] as number);
      return { width, height, components: bytes[at + 9] as number, orientation };
    }
    if (marker === 0xe1 && orientation === 1) orientation = exifOrientation(bytes.subarray(at + 4, at + 2 + length));
    at += 2 + length;
  }
  return null;
}

/** The orientation tag (0x0112) of the first directory of an EXIF segment; 1 where it is missing or nonsense. */
function exifOrientation(segment: Uint8Array): number {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.length);
  if (segment.length < 14 || view.getUint32(0) !== 0x45786966) return 1;
  const order = view.getUint16(6);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  const directory = 6 + view.getUint32(10, little);
  if (directory + 2 > segment.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > segment.length) return 1;
    if (view.getUint16(entry, little) !== 0x0112) continue;
    const value = view.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
