/** The drawn flower set: pictures made by Praxis itself, of which everything is known. */
export { type DrawnFlowers, drawFlower, drawFlowers, drawnFile } from './draw.js';
export type { DrawnPicture } from './plan.js';
export { type DrawOptions, type DrawSettings, drawDefaults, quickFlowers } from './settings.js';
export { speciesNames } from './species.js';
