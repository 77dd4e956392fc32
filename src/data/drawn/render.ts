/** From a scene to JPEG bytes. */
import sharp from 'sharp';
import type { Draws } from '../random.js';
import type { Scene } from './scene.js';

/** Small changes that make a near-duplicate: what another camera, or the next second, would have given. */
export interface Retake {
  /** Part of the width that is cut away at each side, 0…0.1. */
  readonly crop: number;
  readonly brightness: number;
  readonly quality: number;
}

/** Adds normal noise to every channel, in place. */
function addNoise(pixels: Buffer, deviation: number, draws: Draws): void {
  // A small generator of its own, begun from the picture's draws: 50,000 draws of Philox would take longer than the drawing.
  let state = draws.integer(0xffffffff) | 1;
  for (let i = 0; i < pixels.length; i++) {
    let sum = 0;
    for (let k = 0; k < 4; k++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      sum += state >>> 0;
    }
    // The sum of four uniform numbers is close to normal; its deviation is √(4 / 12).
    const normal = (sum / 4294967296 - 2) / 0.57735;
    pixels[i] = Math.min(255, Math.max(0, Math.round((pixels[i] as number) + normal * deviation * 255)));
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
