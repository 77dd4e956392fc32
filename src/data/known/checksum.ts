/** Checksums of files, by which the makers of data sets and of weights say that a copy is whole. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** In hexadecimal. */
export const md5Of = (file: string): Promise<string> => digestOfFile('md5', file);
/** In hexadecimal. */
export const sha256Of = (file: string): Promise<string> => digestOfFile('sha256', file);

async function digestOfFile(algorithm: 'md5' | 'sha256', file: string): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
