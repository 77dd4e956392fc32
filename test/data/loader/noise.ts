import type { PictureForm } from '../../../src/data/types.js';

/** A picture that only its name decides. */
export function noise(name: string, form: PictureForm): Uint8Array {
  const picture = new Uint8Array(form.height * form.width * form.channels);
  let state = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, 7);
  for (let i = 0; i < picture.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    picture[i] = state >>> 24;
  }
  return picture;
}
