/** What the bridge is compiled with: the compiler, Node's headers, and the C++ string ABI the engine was built for. */

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { run } from './process.mjs';
import { SetupError } from './report.mjs';

/**
 * @typedef {object} Compiler
 * @property {string} command
 * @property {string} version first line of `--version`
 */

/** @param {NodeJS.ProcessEnv} env @param {NodeJS.Platform} [platform] @returns {Promise<Compiler>} */
export async function findCompiler(env, platform = process.platform) {
  const usual = platform === 'darwin' ? ['clang++', 'g++'] : ['g++', 'clang++'];
  const candidates = env.CXX ? [env.CXX] : [...usual, 'c++'];
  for (const command of candidates) {
    const answer = await run(command, ['--version'], { env, seconds: 20 });
    if (answer.ok) return { command, version: answer.stdout.split('\n')[0]?.trim() ?? '' };
  }
  throw new SetupError(`No C++ compiler was found (tried ${candidates.join(', ')}).`, [
    'Debian, Ubuntu: sudo apt install g++; Fedora: sudo dnf install gcc-c++; macOS: xcode-select --install.',
  ]);
}

/** Major version in Node's own header, or null. @param {string} folder */
function headersMajor(folder) {
  const file = path.join(folder, 'node_version.h');
  if (!existsSync(file) || !existsSync(path.join(folder, 'node_api.h'))) return null;
  return Number(/#define\s+NODE_MAJOR_VERSION\s+(\d+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? Number.NaN);
}

/**
 * Folders where the headers of this Node may lie, likeliest first.
 * @param {NodeJS.ProcessEnv} env
 * @param {{ execPath?: string, version?: string, home?: string }} [node]
 * @returns {string[]}
 */
export function headerCandidates(
  env,
  { execPath = process.execPath, version = process.versions.node, home = homedir() } = {},
) {
  const prefixes = [path.dirname(path.dirname(execPath))];
  if (existsSync(execPath)) prefixes.push(path.dirname(path.dirname(realpathSync(execPath))));
  if (env.npm_config_nodedir) prefixes.push(env.npm_config_nodedir);
  prefixes.push('/usr', '/usr/local');
  const caches = [path.join(home, '.cache', 'node-gyp'), path.join(home, 'Library', 'Caches', 'node-gyp')];
  if (env.npm_config_devdir) caches.unshift(env.npm_config_devdir);
  return [...prefixes, ...caches.map((cache) => path.join(cache, version))].map((prefix) =>
    path.join(prefix, 'include', 'node'),
  );
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} [candidates]
 * @returns {Promise<string>} folder of `node_api.h` for this Node's major version
 */
export async function findNodeHeaders(env, candidates = headerCandidates(env)) {
  const major = Number(process.versions.node.split('.')[0]);
  /** @type {string[]} */
  const others = [];
  for (const folder of candidates) {
    const found = headersMajor(folder);
    if (found === major) return folder;
    if (found !== null) others.push(`${folder} is for Node ${found}`);
  }
  // Asked last: npm takes a third of a second to answer.
  const answer = await run('npm', ['config', 'get', 'nodedir'], { env, seconds: 20 });
  const configured = answer.ok ? path.join(answer.stdout.trim(), 'include', 'node') : '';
  if (configured !== '' && headersMajor(configured) === major) return configured;
  throw new SetupError(
    `The headers of Node ${process.versions.node} (node_api.h) were not found${others.length ? `; ${others.join('; ')}` : ''}.`,
    [
      'Any of these brings them: npx node-gyp install; Debian, Ubuntu with their own node: sudo apt install libnode-dev;',
      `a Node from nodejs.org or a version manager (they lie beside it); or set npm_config_nodedir to Node's folder.`,
    ],
  );
}

/**
 * Whether the engine uses the new C++ string ABI: the library is asked, for the version does not tell
 * (wheels of the same version were built both ways). The mangled names of c10::Error's constructors say it.
 * @param {string} lib folder of libc10
 * @param {NodeJS.Platform} [platform]
 */
export function usesCxx11Abi(lib, platform = process.platform) {
  if (platform === 'darwin') return true; // libc++ has one ABI
  const file = path.join(lib, 'libc10.so');
  if (!existsSync(file))
    throw new SetupError(`${lib} has libtorch_cpu but no libc10.so beside it; the libtorch there is incomplete.`);
  const names =
    readFileSync(file)
      .toString('latin1')
      .match(/_ZN3c105ErrorC[12]E\w*/g) ?? [];
  if (names.length === 0)
    throw new SetupError(`${file} does not export c10::Error, so its C++ ABI cannot be told; is it a libtorch?`);
  return names.some((name) => name.includes('__cxx11'));
}
