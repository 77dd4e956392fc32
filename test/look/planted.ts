/** A made set of pictures with faults planted in it, each known by name. */
import { createHash } from 'node:crypto';
import { copyFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { sampleRandom } from '../../src/data/random.js';
import type { LookKind, LookReport } from '../../src/look/index.js';

const [width, height] = [160, 120];

/** A scene of its own: large shapes, small shapes and grain, in the colours of its class. */
export async function scene(seed: number, label: number): Promise<Buffer> {
  const draws = sampleRandom(seed, label, 0);
  const tint = [
    [150, 90, 60],
    [70, 130, 80],
    [80, 90, 150],
    [140, 130, 60],
  ][label % 4] as number[];
  const layer = async (w: number, h: number, swing: number): Promise<Buffer> => {
    const small = Buffer.from(
      Array.from({ length: w * h * 3 }, (_, i) =>
        Math.max(0, Math.min(255, (swing > 60 ? (tint[i % 3] as number) : 128) + swing * (2 * draws.uniform() - 1))),
      ),
    );
    return sharp(small, { raw: { width: w, height: h, channels: 3 } })
      .resize(width, height, { fit: 'fill', kernel: 'cubic' })
      .raw()
      .toBuffer();
  };
  const [large, middle, fine] = await Promise.all([layer(6, 5, 110), layer(28, 21, 50), layer(80, 60, 40)]);
  const out = Buffer.alloc(width * height * 3);
  for (let i = 0; i < out.length; i++)
    out[i] = Math.max(0, Math.min(255, (large[i] as number) + (middle[i] as number) - 128 + (fine[i] as number) - 128));
  return out;
}

const raw = { raw: { width, height, channels: 3 as const } };
const jpeg = (pixels: Buffer): Promise<Buffer> => sharp(pixels, raw).jpeg({ quality: 90 }).toBuffer();

/** Stripes in colours that no class has. */
function foreign(seed: number): Buffer {
  const out = Buffer.alloc(width * height * 3);
  for (let p = 0; p < width * height; p++) {
    const on = Math.floor(((p % width) + seed * 7) / 6) % 2 === 0;
    out.set(on ? [255, 0, 230] : [0, 255, 240], 3 * p);
  }
  return out;
}

export interface Planted {
  readonly folder: string;
  /** Names of the samples each kind must name; no names: the kind must be there. */
  readonly faults: ReadonlyMap<LookKind, readonly string[]>;
  /** Samples that nothing is wrong with. */
  readonly clean: ReadonlySet<string>;
}

/**
 * @param size number of sound pictures
 * @param each number of pictures with each fault
 */
export async function plant(folder: string, size: number, each: number): Promise<Planted> {
  const classes = ['ash', 'beech', 'cedar'];
  const faults = new Map<LookKind, string[]>();
  const clean = new Set<string>();
  for (const part of ['train', 'test'])
    for (const name of [...classes, 'elm']) mkdirSync(path.join(folder, part, name), { recursive: true });
  let seed = 1;
  const write = (name: string, bytes: Buffer): string => {
    writeFileSync(path.join(folder, name), bytes);
    return name;
  };
  const note = (kind: LookKind, ...names: string[]): void => {
    faults.set(kind, [...(faults.get(kind) ?? []), ...names]);
    for (const name of names) clean.delete(name);
  };
  const sound: string[] = [];
  for (let i = 0; i < size; i++) {
    // The last few are all there is of the fourth class.
    const label = i >= size - 12 ? 3 : i % 3;
    const part = label !== 3 && i % 5 === 4 ? 'test' : 'train';
    const name = `${part}/${classes[label] ?? 'elm'}/sound-${String(i).padStart(5, '0')}.jpg`;
    write(name, await jpeg(await scene(seed++, label)));
    clean.add(name);
    if (part === 'train' && label !== 3) sound.push(name);
  }
  note('imbalance');
  let next = 0;
  const original = (): string => sound[next++] as string;
  const classOf = (name: string): string => name.split('/')[1] as string;
  for (let i = 0; i < each; i++) {
    const label = i % 3;
    const at = (kind: string, extension = 'jpg'): string => `train/${classes[label]}/${kind}-${i}.${extension}`;
    const pixels = await scene(seed++, label);
    const whole = await jpeg(pixels);
    note('unreadable', write(at('truncated'), whole.subarray(0, Math.floor(whole.length * (0.3 + 0.05 * (i % 8))))));
    note('unreadable', write(at('empty'), Buffer.alloc(0)));
    note('unreadable', write(at('page'), Buffer.from('<!DOCTYPE html><html><body>404 Not Found</body></html>')));
    note(
      'dark',
      write(
        at('dark'),
        await sharp(await jpeg(await scene(seed++, label)))
          .linear(0.16, 0)
          .jpeg()
          .toBuffer(),
      ),
    );
    note(
      'bright',
      write(
        at('bright'),
        await sharp(await jpeg(await scene(seed++, label)))
          .linear(0.045, 243.5)
          .jpeg({ quality: 95 })
          .toBuffer(),
      ),
    );
    note(
      'blurry',
      write(
        at('blurry'),
        await sharp(await scene(seed++, label), raw)
          .blur(9)
          .jpeg({ quality: 90 })
          .toBuffer(),
      ),
    );
    note(
      'low-information',
      write(
        at('blank'),
        await sharp({ create: { width, height, channels: 3, background: { r: 20 + 3 * i, g: 120, b: 200 - 2 * i } } })
          .jpeg()
          .toBuffer(),
      ),
    );
    note(
      'grey',
      write(
        at('grey'),
        await sharp(await scene(seed++, label), raw)
          .grayscale()
          .jpeg({ quality: 90 })
          .toBuffer(),
      ),
    );
    note(
      'odd-aspect',
      write(
        at('long'),
        await sharp(await scene(seed++, label), raw)
          .extract({ left: 0, top: 30, width: 160, height: 40 })
          .jpeg({ quality: 90 })
          .toBuffer(),
      ),
    );
    note('wrong-extension', write(at('named', 'png'), await jpeg(await scene(seed++, label))));
    note('outlier', write(at('foreign'), await jpeg(foreign(i))));
    const same = original();
    copyFileSync(path.join(folder, same), path.join(folder, 'train', classOf(same), `same-${i}.jpg`));
    note('exact-duplicates', same, `train/${classOf(same)}/same-${i}.jpg`);
    const near = original();
    const smaller = await sharp(readFileSync(path.join(folder, near)))
      .resize(120, 90)
      .jpeg({ quality: 60 })
      .toBuffer();
    note('near-duplicates', near, write(`train/${classOf(near)}/near-${i}.jpg`, smaller));
    const disputed = original();
    const other = classes[(classes.indexOf(classOf(disputed)) + 1) % 3] as string;
    copyFileSync(path.join(folder, disputed), path.join(folder, 'train', other, `disputed-${i}.jpg`));
    note('conflicting-labels', disputed, `train/${other}/disputed-${i}.jpg`);
    const leaked = original();
    copyFileSync(path.join(folder, leaked), path.join(folder, 'test', classOf(leaked), `leaked-${i}.jpg`));
    note('leak', leaked, `test/${classOf(leaked)}/leaked-${i}.jpg`);
  }
  return { folder, faults, clean };
}

/** How much of what was planted a report names under its kind, and how many sound samples it accuses of anything. */
export function judge({ faults, clean }: Planted, report: LookReport) {
  const named = new Map<string, Set<string>>();
  for (const { kind, samples } of report.findings) named.set(kind, new Set(samples.map(({ name }) => name)));
  const missed: string[] = [];
  let planted = 0;
  for (const [kind, names] of faults) {
    planted += Math.max(1, names.length);
    if (names.length === 0 && !named.has(kind)) missed.push(kind);
    for (const name of names) if (!named.get(kind)?.has(name)) missed.push(`${kind}: ${name}`);
  }
  const accused = new Set<string>();
  for (const [kind, names] of named) for (const name of names) if (clean.has(name)) accused.add(`${kind}: ${name}`);
  return {
    planted,
    missed,
    accused: [...accused],
    found: 1 - missed.length / planted,
    falseAlarms: accused.size / clean.size,
  };
}

/** Everything about the files of a folder that looking must not change. */
export function fingerprint(folder: string): string {
  const hash = createHash('sha256');
  for (const name of (readdirSync(folder, { recursive: true }) as string[]).sort()) {
    const file = path.join(folder, name);
    const { mtimeMs, mode, size } = lstatSync(file);
    hash.update(`${name} ${mtimeMs} ${mode} ${size}\n`);
    if (lstatSync(file).isFile()) hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}
