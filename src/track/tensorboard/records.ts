/** TFRecord framing: length, masked CRC-32C of the length, data, masked CRC-32C of the data. */

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

/** CRC-32C (Castagnoli). Node's own `zlib.crc32` is another polynomial. */
export function crc32c(data: Uint8Array): number {
  let value = 0xffffffff;
  for (let i = 0; i < data.length; i++) value = (table[(value ^ (data[i] as number)) & 255] as number) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** TensorFlow rotates and shifts checksums, so that a checksum of data that holds checksums stays a good one. */
export function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** A record ready to be appended. */
export function frame(data: Uint8Array): Buffer {
  const record = Buffer.alloc(data.byteLength + 16);
  record.writeBigUInt64LE(BigInt(data.byteLength));
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(data, 12);
  record.writeUInt32LE(maskedCrc(data), 12 + data.byteLength);
  return record;
}

/** The records of a file's bytes. A torn last record, as a kill leaves it, ends them. @throws RangeError for a wrong checksum */
export function* unframe(file: Buffer): Generator<Buffer> {
  for (let at = 0; at + 12 <= file.length; ) {
    if (file.readUInt32LE(at + 8) !== maskedCrc(file.subarray(at, at + 8)))
      throw new RangeError(`the length of the record at ${at} has a wrong checksum`);
    const length = Number(file.readBigUInt64LE(at));
    if (at + length + 16 > file.length) return;
    const data = file.subarray(at + 12, at + 12 + length);
    if (file.readUInt32LE(at + 12 + length) !== maskedCrc(data))
      throw new RangeError(`the record at ${at} has a wrong checksum`);
    yield data;
    at += length + 16;
  }
}
