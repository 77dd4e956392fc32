/**
 * Building the bridge: one compiler call for `native/bridge.cc` against the engine that was found.
 * Results are kept by a key over everything that goes in, so switching engines back and forth builds each once.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { lastLines, run } from './process.mjs';
import { SetupError } from './report.mjs';
import { fingerprint, hashOf } from './state.mjs';

/** The optional file: CUDA graphs and NCCL, compiled only where the CUDA headers it needs are complete. */
const cudaSource = 'cuda_extra.cc';

/** @param {string} folder @returns {string[]} files below it, as sorted relative paths */
export function nativeSources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/**
 * @typedef {object} BuildInput
 * @property {import('./discover.mjs').Libtorch} libtorch
 * @property {boolean} cxx11Abi
 * @property {import('./toolchain.mjs').Compiler} compiler
 * @property {string} nodeHeaders
 * @property {string} native folder of the sources
 * @property {NodeJS.Platform} [platform]
 */

/**
 * The key of a build: engine, ABI, Node's ABI, compiler, flags and sources.
 * @param {BuildInput} input
 * @param {string} [nodeModules] Node's ABI number
 */
export function buildKey(input, nodeModules = process.versions.modules) {
  const { libtorch, cxx11Abi, compiler, native, platform = process.platform } = input;
  const library = path.join(libtorch.lib, platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so');
  const sources = nativeSources(native).flatMap((name) => [name, readFileSync(path.join(native, name))]);
  const flags = compileArguments(input, [], '');
  return hashOf(
    ...[libtorch.version, libtorch.lib, fingerprint(library), String(cxx11Abi), nodeModules, process.arch],
    ...[compiler.command, compiler.version, ...flags, ...sources],
  );
}

/**
 * Arguments of the one compiler call.
 * @param {BuildInput} input
 * @param {readonly string[]} sources
 * @param {string} output
 */
export function compileArguments(
  { libtorch, cxx11Abi, nodeHeaders, native, platform = process.platform },
  sources,
  output,
) {
  const [major = 0, minor = 0] = libtorch.version.split('.').map(Number);
  const standard = major > 2 || (major === 2 && minor >= 14) ? 'c++20' : 'c++17';
  // Warnings in torch's headers are not ours. /usr/include itself must not be a -isystem folder: that hides the
  // compiler's own headers from #include_next; the compiler looks there anyway.
  const include = libtorch.include
    .filter((folder) => folder !== '/usr/include')
    .flatMap((folder) => ['-isystem', folder]);
  // Only torch_cpu and c10 are linked: libtorch.so of a CUDA build needs the CUDA libraries to be present, which a
  // CPU machine lacks. The bridge opens libtorch_cuda itself when it is there.
  const link = [`-L${libtorch.lib}`, '-ltorch_cpu', '-lc10', `-Wl,-rpath,${libtorch.lib}`];
  // The macOS flags follow node-gyp's and were not tried on a Mac.
  const system =
    platform === 'darwin'
      ? ['-bundle', '-undefined', 'dynamic_lookup']
      : ['-shared', '-pthread', `-D_GLIBCXX_USE_CXX11_ABI=${cxx11Abi ? 1 : 0}`];
  return [
    ...[`-std=${standard}`, '-O2', '-fPIC', ...system, '-DNODE_GYP_MODULE_NAME=praxis'],
    ...[...include, `-I${nodeHeaders}`, `-I${native}`, ...sources, '-o', output, ...link],
  ];
}

/** The optional sources that compile here. @param {BuildInput} input @param {NodeJS.ProcessEnv} env @returns {Promise<string[]>} */
async function optionalSources(input, env) {
  const source = path.join(input.native, cudaSource);
  if (!existsSync(source)) return [];
  const args = compileArguments(input, [source], '/dev/null').filter((arg) => arg !== '-shared' && arg !== '-bundle');
  const test = await run(input.compiler.command, ['-fsyntax-only', ...args], { env, seconds: 300 });
  return test.ok ? [source] : [];
}

/**
 * Builds the bridge unless the cache has it.
 * @param {BuildInput & { folder: string, rebuild: boolean, env: NodeJS.ProcessEnv, note: (text: string) => void }} options folder: the cache
 * @returns {Promise<{ addon: string, key: string, changed: boolean }>}
 */
export async function buildBridge({ folder, rebuild, env, note, ...input }) {
  const main = path.join(input.native, 'bridge.cc');
  if (!existsSync(main)) throw new SetupError(`${main} is missing; the package is incomplete.`, ['Get it again.']);
  const key = buildKey(input);
  const addon = path.join(folder, key, 'praxis.node');
  if (existsSync(addon) && !rebuild) return { addon, key, changed: false };
  note(`compiling the bridge for libtorch ${input.libtorch.version} with ${input.compiler.version}`);
  mkdirSync(path.join(folder, key), { recursive: true });
  const temporary = path.join(folder, key, `praxis.${process.pid}.tmp.node`);
  const optional = await optionalSources(input, env);
  const args = compileArguments(input, [main, ...optional], temporary);
  if (optional.length > 0) args.unshift('-DPRAXIS_CUDA_EXTRA=1');
  try {
    const finished = await run(input.compiler.command, args, { env, seconds: 900 });
    if (!finished.ok) {
      const errors = finished.stderr
        .split('\n')
        .filter((line) => /\b(error|fatal error|undefined reference)\b/.test(line));
      throw new SetupError('The bridge did not compile.', [
        ...(errors.length > 0 ? errors.slice(0, 12) : lastLines(finished)),
        'The compiler line, to run it yourself:',
        [input.compiler.command, ...args].map(quote).join(' '),
      ]);
    }
    // A rename replaces the file whole, also under a process that has the old one loaded.
    renameSync(temporary, addon);
  } finally {
    rmSync(temporary, { force: true });
  }
  removeOldBuilds(folder);
  return { addon, key, changed: true };
}

/** Every change of a source makes a build of its own; only the newest are worth their disk. @param {string} folder */
function removeOldBuilds(folder, keep = 8) {
  const builds = readdirSync(folder)
    .map((name) => path.join(folder, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const build of builds.slice(keep)) rmSync(build, { recursive: true, force: true });
}

/** @param {string} text */
function quote(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
