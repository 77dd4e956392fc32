/** Archives made byte by byte, so that they can be as wrong as anybody could make them. */
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';

export interface TarPart {
  name: string;
  content?: Buffer | string;
  /** `0` file, `1` hard link, `2` symbolic link, `3` device, `5` folder, `6` pipe, `x` extended header. */
  type?: string;
  link?: string;
  /** What the header claims; the true size by default. */
  size?: number;
  brokenSum?: boolean;
}

/** One tar entry: header, content, padding. */
export function tarPart({ name, content = '', type = '0', link = '', size, brokenSum = false }: TarPart): Buffer {
  const body = Buffer.from(content);
  const head = Buffer.alloc(512);
  head.write(name, 0, 100, 'utf8');
  head.write('0000644\0', 100);
  head.write('0000000\0', 108);
  head.write('0000000\0', 116);
  head.write(`${(size ?? body.length).toString(8).padStart(11, '0')}\0`, 124);
  head.write('00000000000\0', 136);
  head.write('        ', 148);
  head.write(type, 156);
  head.write(link, 157, 100, 'utf8');
  head.write('ustar\x0000', 257, 'latin1');
  const sum = head.reduce((a, b) => a + b, 0) + (brokenSum ? 1 : 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([head, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

export const makeTar = (...parts: TarPart[]): Buffer => Buffer.concat([...parts.map(tarPart), Buffer.alloc(1024)]);

export const makeTarGz = (...parts: TarPart[]): Buffer => gzipSync(makeTar(...parts));

export interface ZipPart {
  name: string;
  content?: Buffer | string;
  store?: boolean;
  /** Unix mode with file type, as in 0o120777 for a symbolic link. */
  mode?: number;
  flags?: number;
  method?: number;
  /** What the central directory claims. */
  size?: number;
  crc?: number;
  /** Use the local entry of this earlier part again. */
  sameAs?: number;
}

/** A zip archive. */
export function makeZip(...parts: ZipPart[]): Buffer {
  const locals: Buffer[] = [];
  const offsets: number[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const part of parts) {
    const content = Buffer.from(part.content ?? '');
    const packed = part.store ? content : deflateRawSync(content);
    const name = Buffer.from(part.name, 'utf8');
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE((part.flags ?? 0) | 0x800, 2);
    fields.writeUInt16LE(part.method ?? (part.store ? 0 : 8), 4);
    fields.writeUInt32LE(part.crc ?? crc32(content), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(part.size ?? content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    if (part.sameAs === undefined) {
      const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, name, packed]);
      locals.push(local);
      offsets.push(offset);
      offset += local.length;
    } else {
      offsets.push(offsets[part.sameAs] as number);
    }
    const head = Buffer.alloc(46);
    head.write('PK\x01\x02', 0, 'latin1');
    head.writeUInt16LE((3 << 8) | 20, 4);
    fields.copy(head, 6, 0, 24);
    head.writeUInt32LE(((part.mode ?? 0o100644) << 16) >>> 0, 38);
    head.writeUInt32LE(offsets.at(-1) as number, 42);
    central.push(head, name);
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}
