/** All that `import … from 'praxis'` gives inside a configuration file: settings are data, and reading them must not load the engine. */
import type { TrainOptions } from './schema.js';

/** Helps an editor check `praxis.config.ts`: `export default defineConfig({ epochs: 40 })`. */
export const defineConfig = (settings: TrainOptions): TrainOptions => settings;
