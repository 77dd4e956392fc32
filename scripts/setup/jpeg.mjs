/**
 * The decoder of JPEG files (`native/jpeg.cc`), built where the header of libjpeg is there. Without it libvips decodes them, with the same
 * pixels in nearly three times the time, so a failure here is a remark and never an error.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run } from './process.mjs';
import { hashOf } from './state.mjs';

/** Prefixes under which the header lies: the system's, and Homebrew's, which are no default of the compiler. */
const prefixes = ['/usr', '/usr/local', '/opt/homebrew/opt/jpeg-turbo', '/usr/local/opt/jpeg-turbo', '/opt/homebrew'];

/** @param {readonly string[]} [candidates] @returns {string | null} the prefix of `include/jpeglib.h` */
export function findJpegLibrary(candidates = prefixes) {
  return candidates.find((prefix) => existsSync(path.join(prefix, 'include', 'jpeglib.h'))) ?? null;
}

/**
 * @param {object} options
 * @param {string} options.native folder of the sources
 * @param {string} options.folder the cache of builds
 * @param {import('./toolchain.mjs').Compiler} options.compiler
 * @param {string} options.nodeHeaders
 * @param {boolean} options.rebuild
 * @param {NodeJS.ProcessEnv} options.env
 * @param {string | null} [options.prefix] where the library is
 * @param {NodeJS.Platform} [options.platform]
 * @returns {Promise<{ addon: string | null, changed: boolean, detail: string }>}
 */
export async function buildJpeg({ native, folder, compiler, nodeHeaders, rebuild, env, ...rest }) {
  const { prefix = findJpegLibrary(), platform = process.platform } = rest;
  const source = path.join(native, 'jpeg.cc');
  if (prefix === null || !existsSync(source)) return { addon: null, changed: false, detail: 'no libjpeg' };
  const system = platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
  // As for the bridge: /usr/include given as a folder would hide the compiler's own headers.
  const where = prefix === '/usr' ? [] : [`-I${path.join(prefix, 'include')}`, `-L${path.join(prefix, 'lib')}`];
  const flags = ['-std=c++17', '-O2', '-fPIC', ...system, `-I${nodeHeaders}`, ...where];
  const header = readFileSync(path.join(prefix, 'include', 'jpeglib.h'));
  const key = `jpeg-${hashOf(compiler.command, compiler.version, process.versions.modules, process.arch, ...flags, header, readFileSync(source))}`;
  const addon = path.join(folder, key, 'praxis_jpeg.node');
  if (existsSync(addon) && !rebuild) return { addon, changed: false, detail: '' };
  mkdirSync(path.join(folder, key), { recursive: true });
  const temporary = path.join(folder, key, `praxis_jpeg.${process.pid}.tmp.node`);
  try {
    const arguments_ = [...flags, source, '-o', temporary, '-ljpeg'];
    const finished = await run(compiler.command, arguments_, { env, seconds: 300 });
    // It must load, too: a library that is there for another processor links nothing.
    const loads = finished.ok
      ? await run(process.execPath, ['-e', 'console.log(require(process.argv[1]).library)', temporary], { env })
      : finished;
    if (!loads.ok) return { addon: null, changed: true, detail: `not built: ${firstLine(loads.stderr)}` };
    renameSync(temporary, addon);
    return { addon, changed: true, detail: `decoded with ${loads.stdout.trim()}` };
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** @param {string} text */
function firstLine(text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /\berror\b/i.test(line)) ?? lines[0] ?? 'the compiler said nothing';
}
