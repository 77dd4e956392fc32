/** Where the engine is: what set-up found and built. Reading it does not load anything. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What set-up wrote into `current.json`: where the bridge and the engine are, and how they were found. */
export interface CurrentEngine {
  /** The built bridge. */
  readonly addon: string;
  /** Version of the engine's headers, e.g. `2.13.0`. */
  readonly torch: string;
  /** Version with its build label where one is known, e.g. `2.13.0+cpu`. */
  readonly build: string;
  /** Folder of `libtorch_cpu`. */
  readonly lib: string;
  /** How it was found, in words, e.g. `LIBTORCH=/usr`. */
  readonly source: string;
  /** `environment`, `python`, `system` or `own`. */
  readonly kind: string;
  /** Node's ABI number that the bridge was built for. */
  readonly nodeModules: string;
  readonly compiler: string;
  /** The built decoder of JPEG files; null or missing where there was no libjpeg to build it with. */
  readonly jpeg?: string | null;
}

/** The folder that holds package.json, from `src/torch` as well as from `dist/torch`. */
export const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Folder that holds the engine: `PRAXIS_ENGINE_DIR`, or `.engine` in the package. */
export function engineFolder(): string {
  const chosen = process.env.PRAXIS_ENGINE_DIR;
  return chosen ? path.resolve(chosen) : path.join(packageRoot, '.engine');
}

/** What set-up found and built, or null when it has not run. */
export function currentEngine(): CurrentEngine | null {
  try {
    return JSON.parse(readFileSync(path.join(engineFolder(), 'current.json'), 'utf8')) as CurrentEngine;
  } catch {
    return null;
  }
}
