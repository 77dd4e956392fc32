/** One picture in the form a run was trained on. */
import { decodePicture } from '../data/pictures/decode.js';
import type { TrainPlan } from './plan.js';

/** Its pixels, or why it cannot be read. */
export async function buildPicture(file: string, plan: TrainPlan): Promise<Uint8Array | Error> {
  try {
    return await decodePicture({ kind: 'file', path: file }, plan.data.form as NonNullable<TrainPlan['data']['form']>);
  } catch (error) {
    return error as Error;
  }
}
