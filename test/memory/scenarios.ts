/** Programs whose memory is measured, each in a process of its own: `scenarios.ts <name>` prints a line of JSON. */
import { writeSync } from 'node:fs';
import * as engine from './scenarios-engine.js';
import * as limits from './scenarios-limits.js';
import * as training from './scenarios-training.js';
import * as workers from './scenarios-workers.js';

/** Figures by name; what they are is said where they are made. */
export type Figures = Readonly<Record<string, number | string | boolean | readonly number[]>>;

const scenarios: Readonly<Record<string, () => Figures | Promise<Figures>>> = {
  ...engine,
  ...limits,
  ...training,
  ...workers,
};

const scenario = scenarios[process.argv[2] as string];
if (scenario === undefined) throw new Error(`There is no scenario ${process.argv[2]}.`);
writeSync(1, `${JSON.stringify(await scenario())}\n`);
process.exit(0);
