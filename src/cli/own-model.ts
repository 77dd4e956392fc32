/** A network of the user's own, out of a file. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Module } from '../nn/index.js';

/** Everything that `import … from 'praxis'` gives, as this process has it: a class of another copy would be another class. */
async function library(): Promise<Record<string, unknown>> {
  const [data, look, models, functional, nn, optim, torch, track, train] = await Promise.all([
    import('../data/index.js'),
    import('../look/index.js'),
    import('../models/index.js'),
    import('../nn/functional.js'),
    import('../nn/index.js'),
    import('../optim/index.js'),
    import('../torch/index.js'),
    import('../track/index.js'),
    import('../train/index.js'),
  ]);
  return { ...data, ...look, ...models, F: functional, nn, optim, ...torch, ...track, ...train };
}

/** Whether an argument names a file that makes a network, and not a model of the catalogue. */
export const namesFile = (name: string): boolean => /\.[cm]?[jt]s$/.test(name);

/**
 * The network that a TypeScript or JavaScript file gives by default: itself, or the class or function that makes it.
 * @throws Error in a sentence when it gives none
 */
export async function ownModel(file: string): Promise<Module> {
  if (!existsSync(file)) throw new Error(`${file}: there is no such file.`);
  const { createJiti } = await import('jiti');
  const praxis = await library();
  const place = path.resolve(file);
  let given: unknown;
  try {
    const jiti = createJiti(pathToFileURL(place).href, {
      fsCache: false,
      moduleCache: false,
      virtualModules: { praxis },
    });
    given = await jiti.import(place, { default: true });
  } catch (error) {
    throw new Error(`${file} cannot be read as a module: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
  const { Module: Base } = praxis.nn as typeof import('../nn/index.js');
  const isClass = typeof given === 'function' && (given.prototype as unknown) instanceof Base;
  const made: unknown = isClass
    ? new (given as new () => unknown)()
    : typeof given === 'function'
      ? await (given as () => unknown)()
      : given;
  if (made instanceof Base) return made as Module;
  throw new Error(
    `${file} must give a network by default, or a class or function that makes one: export default () => new nn.Sequential(…).`,
  );
}
