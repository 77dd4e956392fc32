/** From a scene to JPEG bytes. */
import sharp from 'sharp';
import { type Draws, sampleRandom, streams } from '../random.js';
import type { Scene } from './scene.js';

/** Small changes that make a near-duplicate: what another camera, or the next second, would have given. */
export interface Retake {
  /** Part of the width that is cut away at each side, 0…0.1. */
  readonly crop: number;
  readonly brightness: number;
  readonly quality: number;
}

/** A store of normal numbers, made once: drawing 50,000 for every picture would take as long as rendering it. */
let store: Float32Array | undefined;
const storeSize = 1 << 16;

function normals(): Float32Array {
  if (store === undefined) {
    const draws = sampleRandom(0, 0, 0, streams.drawn);
    store = Float32Array.from({ length: storeSize }, () => draws.normal());
  }
  return store;
}

/** Adds normal noise to every channel, in place. */
function addNoise(pixels: Buffer, deviation: number, draws: Draws): void {
  const numbers = normals();
  const clamped = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length);
  // Every picture walks through the store from its own place with its own odd step, which visits each number once before any repeats.
  let at = draws.integer(storeSize);
  const step = 2 * draws.integer(storeSize / 2) + 1;
  const scale = deviation * 255;
  for (let i = 0; i < clamped.length; i++) {
    clamped[i] = (clamped[i] as number) + (numbers[at] as number) * scale;
    at = (at + step) & (storeSize - 1);
  }
}

/**
 * Renders a scene.
 * @returns the bytes of a JPEG file, the same for the same scene and draws (with the same sharp)
 */
export async function renderScene(scene: Scene, size: number, draws: Draws, retake?: Retake): Promise<Buffer> {
  let picture = sharp(Buffer.from(scene.svg), { density: 72 }).removeAlpha();
  const sigma = scene.blur * size;
  if (sigma >= 0.3) picture = picture.blur(sigma);
  if (retake !== undefined) {
    const cut = Math.round(retake.crop * size);
    const rendered = await picture.raw().toBuffer();
    picture = sharp(rendered, { raw: { width: size, height: size, channels: 3 } })
      .extract({ left: cut, top: cut, width: size - 2 * cut, height: size - 2 * cut })
      .resize(size, size)
      .modulate({ brightness: retake.brightness });
  }
  const quality = retake?.quality ?? 88;
  if (scene.noise > 0) {
    const pixels = await picture.raw().toBuffer();
    addNoise(pixels, scene.noise, draws);
    picture = sharp(pixels, { raw: { width: size, height: size, channels: 3 } });
  }
  return picture.jpeg({ quality }).toBuffer();
}
