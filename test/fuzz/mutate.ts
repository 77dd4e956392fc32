/** Seeded ways to break a file, for fuzzing its reader. */

/** A small generator of pseudo-random numbers; equal seeds give equal sequences. Source: mulberry32, Tommy Ettinger. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

type Random = (below: number) => number;
type Mutation = (file: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

/** Values at which sizes and counts go wrong. */
const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** Bytes that begin pickle instructions, and punctuation of JSON. */
const TELLING = Buffer.from(
  '()*.012BCGIJKMNQRTUX]abcdeghijlpqrstu}\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x93\x94\x95\x96{}[],:"0159-',
  'latin1',
);

const at = (file: Buffer, random: Random): number => random(Math.max(1, file.length));

const mutations: readonly Mutation[] = [
  function flipBit(file, random) {
    const copy = Buffer.from(file);
    copy[at(file, random)]! ^= 1 << random(8);
    return copy;
  },
  function setByte(file, random) {
    const copy = Buffer.from(file);
    copy[at(file, random)] = random(256);
    return copy;
  },
  function setTellingByte(file, random) {
    const copy = Buffer.from(file);
    copy[at(file, random)] = TELLING[random(TELLING.length)]!;
    return copy;
  },
  function setExtreme(file, random) {
    const copy = Buffer.from(file);
    const width = [1, 2, 4, 8][random(4)]!;
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE(EXTREMES[random(EXTREMES.length)]!);
    value.copy(copy, Math.min(at(file, random), Math.max(0, file.length - width)), 0, width);
    return copy;
  },
  (file, random) => file.subarray(0, random(file.length + 1)),
  (file, random) => file.subarray(random(Math.min(file.length, 64) + 1)),
  function removePiece(file, random) {
    const from = at(file, random);
    return Buffer.concat([file.subarray(0, from), file.subarray(from + 1 + random(32))]);
  },
  function repeatPiece(file, random) {
    const from = at(file, random);
    const piece = file.subarray(from, from + 1 + random(64));
    return Buffer.concat([file.subarray(0, from), ...Array<Buffer>(1 + random(20)).fill(piece), file.subarray(from)]);
  },
  function movePiece(file, random) {
    const copy = Buffer.from(file);
    file.copy(copy, at(file, random), at(file, random), at(file, random));
    return copy;
  },
  function splice(file, random, others) {
    const other = others[random(others.length)]!;
    return Buffer.concat([file.subarray(0, at(file, random)), other.subarray(at(other, random))]);
  },
  function changeNumber(file, random) {
    // A number in a JSON header, or one written as text.
    const text = file.toString('latin1', 0, Math.min(file.length, 4096));
    const numbers = [...text.matchAll(/\d+/g)];
    const found = numbers[random(Math.max(1, numbers.length))];
    if (found === undefined) return file.subarray(1);
    const value = String(EXTREMES[random(EXTREMES.length)]! + BigInt(random(3)) - 1n);
    const end = found.index + found[0].length;
    return Buffer.concat([file.subarray(0, found.index), Buffer.from(value), file.subarray(end)]);
  },
  function changeHeaderNumber(file, random) {
    // As above, but with the length of the header made right again, so that it is read.
    const changed = mutations[10]!(file, random, [file]);
    if (file.length < 9 || file[8] !== 0x7b) return changed;
    const copy = Buffer.from(changed);
    copy.writeBigUInt64LE(file.readBigUInt64LE() + BigInt(changed.length - file.length));
    return copy;
  },
];

/** A broken copy of `file`: most often one mutation, at times up to four. */
export function mutate(file: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  let broken = file;
  for (let count = random(2) === 0 ? 1 : 1 + random(4); count > 0; count--) {
    if (broken.length === 0) break;
    broken = mutations[random(mutations.length)]!(broken, random, others);
  }
  return broken;
}
