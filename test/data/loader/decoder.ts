/** A decoder that misbehaves as the file's name says. */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BadSampleError } from '../../../src/data/errors.js';
import type { PictureForm, PictureLocation } from '../../../src/data/types.js';
import { noise } from './noise.js';

/** Whether this file was tried before, by whatever thread. */
function triedBefore(file: string): boolean {
  if (existsSync(`${file}.tried`)) return true;
  writeFileSync(`${file}.tried`, '');
  return false;
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Lets nothing run in this thread, like a process that is stopped. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const hoard: unknown[] = [];

let openGate: () => void = () => undefined;
const gate = new Promise<void>((resolve) => {
  openGate = resolve;
});

export async function decodePicture(location: PictureLocation, form: PictureForm): Promise<Uint8Array> {
  const file = location.path;
  const name = path.basename(file);
  if (name.startsWith('exit')) process.exit(3);
  if (name.startsWith('once') && !triedBefore(file)) process.exit(3);
  if (name.startsWith('memory')) for (;;) hoard.push(Array.from({ length: 1e5 }, () => ({ hoard })));
  if (name.startsWith('hang')) await new Promise(() => undefined);
  if (name.startsWith('spin')) for (;;);
  if (name.startsWith('bad')) throw new BadSampleError(file, 'bad by name');
  // Goes through in the same turn as whoever waits at the gate.
  if (name.startsWith('open')) openGate();
  if (/^(open|wait)/.test(name)) await gate;
  if (/^(open|wait)?bug/.test(name)) throw new TypeError('a bug in the decoder');
  if (name.startsWith('slow')) await sleep(30);
  if (name.startsWith('block')) {
    await new Promise(setImmediate);
    block(1500);
    await new Promise(setImmediate);
  }
  if (name.startsWith('held')) {
    appendFileSync(`${file}.begun`, '.');
    while (!existsSync(`${file}.open`)) await sleep(10);
  }
  return noise(name, form);
}
