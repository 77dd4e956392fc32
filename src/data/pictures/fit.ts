/** How a picture is brought to the size asked for. */
import type { PictureForm } from '../types.js';
import { type Box, type Pixels, resample } from './resample.js';

/** The part of a picture that fills the form, and where it lands. */
export interface Placement {
  readonly box: Box;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
}

/** Which part of a `width` × `height` picture goes where. */
export function place(width: number, height: number, form: PictureForm): Placement {
  const whole = { left: 0, top: 0, right: width, bottom: height };
  if (form.fit === 'crop') {
    // The largest part in the middle that has the form's aspect ratio.
    const scale = Math.min(width / form.width, height / form.height);
    const left = (width - form.width * scale) / 2;
    const top = (height - form.height * scale) / 2;
    const box = { left, top, right: width - left, bottom: height - top };
    return { box, width: form.width, height: form.height, left: 0, top: 0 };
  }
  if (form.fit === 'pad') {
    const scale = Math.min(form.width / width, form.height / height);
    const fitted = {
      width: Math.min(form.width, Math.max(1, Math.round(width * scale))),
      height: Math.min(form.height, Math.max(1, Math.round(height * scale))),
    };
    const left = Math.floor((form.width - fitted.width) / 2);
    const top = Math.floor((form.height - fitted.height) / 2);
    return { box: whole, ...fitted, left, top };
  }
  return { box: whole, width: form.width, height: form.height, left: 0, top: 0 };
}

/** Brings pixels (1 or 3 channels) to the form: exactly height × width × channels bytes. */
export function toForm(pixels: Pixels, form: PictureForm): Uint8Array {
  const channelled = pixels.channels === 3 && form.channels === 1 ? luma(pixels) : pixels;
  const { left, top, right, bottom } = pixels.extent ?? { left: 0, top: 0, right: pixels.width, bottom: pixels.height };
  const placement = place(right - left, bottom - top, form);
  const part = placement.box;
  const box = { left: left + part.left, top: top + part.top, right: left + part.right, bottom: top + part.bottom };
  let data = resample(channelled, placement.width, placement.height, box);
  if (placement.width !== form.width || placement.height !== form.height)
    data = pad(data, placement, form, channelled.channels);
  return channelled.channels === form.channels ? data : repeat(data);
}

/** ITU-R 601-2 luma, in the fixed-point arithmetic of Pillow's `convert('L')`. */
export function luma(pixels: Pixels): Pixels {
  const { data } = pixels;
  const out = new Uint8Array(pixels.width * pixels.height);
  for (let i = 0, at = 0; i < out.length; i++, at += 3)
    out[i] =
      ((data[at] as number) * 19595 + (data[at + 1] as number) * 38470 + (data[at + 2] as number) * 7471 + 0x8000) >>
      16;
  return { ...pixels, data: out, channels: 1 };
}

function repeat(grey: Uint8Array): Uint8Array {
  const out = new Uint8Array(grey.length * 3);
  for (let i = 0, to = 0; i < grey.length; i++, to += 3) {
    const value = grey[i] as number;
    out[to] = value;
    out[to + 1] = value;
    out[to + 2] = value;
  }
  return out;
}

function pad(data: Uint8Array, placement: Placement, form: PictureForm, channels: number): Uint8Array {
  const out = new Uint8Array(form.height * form.width * channels);
  const row = placement.width * channels;
  for (let y = 0; y < placement.height; y++) {
    const to = ((placement.top + y) * form.width + placement.left) * channels;
    out.set(data.subarray(y * row, (y + 1) * row), to);
  }
  return out;
}
