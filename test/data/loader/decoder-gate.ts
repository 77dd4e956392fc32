/** A decoder that can be held up: a test in the same thread shuts the gate, hears of who comes to it, and opens it again. */
import path from 'node:path';
import type { PictureForm, PictureLocation } from '../../../src/data/types.js';
import { noise } from './noise.js';

let gate: Promise<void> = Promise.resolve();
let come: () => void = () => undefined;

/** @returns what opens it again, and when the first picture has come to it */
export function shutGate(): { readonly open: () => void; readonly reached: Promise<void> } {
  let open: () => void = () => undefined;
  gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    come = resolve;
  });
  return { open, reached };
}

export async function decodePicture(location: PictureLocation, form: PictureForm): Promise<Uint8Array> {
  come();
  await gate;
  return noise(path.basename(location.path), form);
}
