/** MD5 of files, by which the makers of data sets say that a copy is whole. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** In hexadecimal. */
export async function md5Of(file: string): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
