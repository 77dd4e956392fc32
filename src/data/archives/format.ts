/** Tells archives apart by their first bytes: extensions lie. */
import { open } from 'node:fs/promises';
import { DataError } from '../errors.js';

export type ArchiveFormat = 'zip' | 'tar' | 'tar.gz';

/** Archives that Praxis names but does not read. */
const others: readonly [name: string, start: readonly number[]][] = [
  ['a 7z archive', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['a RAR archive', [0x52, 0x61, 0x72, 0x21]],
  ['packed with xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['packed with bzip2', [0x42, 0x5a, 0x68]],
  ['packed with zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];

/** Whether 512 bytes are a tar header: its checksum is the sum of all bytes with its own field read as spaces. */
function isTarHeader(head: Buffer): boolean {
  if (head.length < 512) return false;
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : (head[i] as number);
  const stated = Number.parseInt(
    head
      .toString('latin1', 148, 156)
      .replace(/[\0 ]+$/, '')
      .trim(),
    8,
  );
  return stated === sum;
}

/** @throws DataError when the file cannot be read or is no archive that Praxis reads */
export async function formatOf(archive: string): Promise<ArchiveFormat> {
  const head = Buffer.alloc(512);
  let length: number;
  try {
    const handle = await open(archive, 'r');
    try {
      length = (await handle.read(head, 0, 512, 0)).bytesRead;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new DataError(`${archive} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  if (length === 0) throw new DataError(`${archive} is empty.`);
  const start = head.subarray(0, length);
  if (start[0] === 0x50 && start[1] === 0x4b && [3, 5, 7].includes(start[2] ?? 0)) return 'zip';
  if (start[0] === 0x1f && start[1] === 0x8b) return 'tar.gz';
  if (isTarHeader(start)) return 'tar';
  for (const [name, bytes] of others) {
    if (bytes.every((byte, i) => start[i] === byte)) {
      throw new DataError(`${archive} is ${name}, which Praxis does not read; unpack it yourself and give the folder.`);
    }
  }
  throw new DataError(`${archive} is no zip or tar archive, or its beginning is damaged.`);
}
