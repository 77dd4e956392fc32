/**
 * Finding libtorch. The order is: LIBTORCH or TORCH_DIR, a Python that has torch, the system's, the engine folder's own.
 * A place counts only when it has both the library and the headers the bridge is built against.
 */

import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { run } from './process.mjs';
import { SetupError } from './report.mjs';
import { hashOf, packageRoot } from './state.mjs';

/** The oldest engine the bridge is written for. */
export const oldestVersion = /** @type {const} */ ([1, 13]);

/**
 * @typedef {object} Libtorch
 * @property {string} version from `torch/version.h`, e.g. `2.13.0`
 * @property {string} build the version with its build label where one is known, e.g. `2.13.0+cpu`
 * @property {string} lib folder of `libtorch_cpu`, links resolved
 * @property {string[]} include header folders
 * @property {string | null} packageFolder the Python package folder it lies in, if it does
 */

/**
 * @typedef {Libtorch & { kind: 'environment' | 'python' | 'system' | 'own', source: string, python: string | null }} FoundEngine
 */

/**
 * @typedef {object} PythonInfo
 * @property {string} executable
 * @property {[number, number]} version
 * @property {string | null} torch folder of its torch package
 * @property {boolean} pip
 */

/** @param {NodeJS.Platform} platform */
function libraryName(platform) {
  return platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so';
}

/** Subfolders of `lib` that hold libraries for one machine type (Debian's multiarch). @param {string} lib */
function multiarchFolders(lib) {
  try {
    return readdirSync(lib, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && /^[a-z0-9_]+-linux-gnu[a-z0-9_]*$/.test(entry.name))
      .map((entry) => path.join(lib, entry.name));
  } catch {
    return [];
  }
}

/** `TORCH_VERSION` of the headers under these folders, or null. @param {readonly string[]} include */
function headerVersion(include) {
  for (const folder of include) {
    // Up to 2.9 the numbers stand in torch/version.h itself; later it only includes the second one.
    for (const name of ['torch/version.h', 'torch/headeronly/version.h']) {
      const file = path.join(folder, name);
      if (!existsSync(file)) continue;
      const text = readFileSync(file, 'utf8');
      const numbers = ['MAJOR', 'MINOR', 'PATCH'].map(
        (part) => new RegExp(`#define\\s+TORCH_VERSION_${part}\\s+(\\d+)`).exec(text)?.[1],
      );
      if (numbers[0] !== undefined && numbers[1] !== undefined) return numbers.map((n) => n ?? '0').join('.');
    }
  }
  return null;
}

/** The version with its label (`2.13.0+cpu`) as the package states it. @param {string} root @param {string} version */
function buildLabel(root, version) {
  for (const [name, pattern] of /** @type {const} */ ([
    ['build-version', /^(\S+)/],
    ['version.py', /__version__ = '([^']+)'/],
  ])) {
    const file = path.join(root, name);
    if (!existsSync(file)) continue;
    const label = pattern.exec(readFileSync(file, 'utf8'))?.[1];
    if (label) return label;
  }
  return version;
}

/**
 * Looks at one folder: the root of a libtorch archive, a Python package folder `torch`, the folder that holds one,
 * or a system prefix such as `/usr`.
 * @param {string} root
 * @param {NodeJS.Platform} [platform]
 * @returns {Libtorch | string} the engine, or what is missing there
 */
export function inspect(root, platform = process.platform) {
  if (!existsSync(root)) return `${root} does not exist`;
  const inner = path.join(root, 'torch');
  const isTarget = existsSync(path.join(inner, 'lib', libraryName(platform)));
  const base = isTarget ? inner : root;
  const lib = path.join(base, 'lib');
  const libraries = [lib, path.join(base, 'lib64'), ...multiarchFolders(lib)].map((folder) =>
    path.join(folder, libraryName(platform)),
  );
  const library = libraries.find((file) => existsSync(file));
  if (library === undefined) return `${base} has no ${path.join('lib', libraryName(platform))}`;
  const top = path.join(base, 'include');
  const include = [top, path.join(top, 'torch', 'csrc', 'api', 'include')];
  if (!existsSync(path.join(top, 'ATen', 'core', 'dispatch', 'Dispatcher.h'))) {
    return `${base} has the library but not its headers (${path.join('include', 'ATen')})`;
  }
  const version = headerVersion([...include].reverse());
  if (version === null) return `${base} has headers without ${path.join('torch', 'version.h')}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1])) {
    return `${base} has version ${version}; the oldest that works is ${oldestVersion.join('.')}`;
  }
  return {
    version,
    build: buildLabel(base, version),
    lib: path.dirname(realpathSync(library)),
    include,
    packageFolder: existsSync(path.join(base, '__init__.py')) ? realpathSync(base) : null,
  };
}

/** Python executables worth asking, first choice first. @param {NodeJS.ProcessEnv} env @returns {string[]} */
export function pythonCandidates(env) {
  const names = process.platform === 'win32' ? ['python.exe'] : ['python3', 'python'];
  /** @type {string[]} */
  const files = [];
  for (const prefix of [env.VIRTUAL_ENV, env.CONDA_PREFIX]) {
    if (prefix) files.push(path.join(prefix, 'bin', 'python'));
  }
  for (const folder of (env.PATH ?? '').split(path.delimiter)) {
    if (path.isAbsolute(folder)) files.push(...names.map((name) => path.join(folder, name)));
  }
  files.push('/usr/bin/python3', '/usr/local/bin/python3', '/opt/homebrew/bin/python3');
  /** @type {Map<string, string>} */
  const distinct = new Map();
  for (const file of files) {
    try {
      if (!statSync(file).isFile()) continue;
      // A virtual environment's python is a link to the system's but has packages of its own: tell them apart by folder.
      const identity = `${realpathSync(path.dirname(file))}/${path.basename(realpathSync(file))}`;
      if (!distinct.has(identity)) distinct.set(identity, file);
    } catch {
      // Not there.
    }
  }
  return [...distinct.values()];
}

// Finds without importing (importing torch takes seconds); the empty entry of sys.path would find a folder `torch` of the user's.
const probeScript = `
import sys, json, importlib.util as u
sys.path = [p for p in sys.path if p]
def folder(name):
    try: s = u.find_spec(name)
    except Exception: return None
    return list(s.submodule_search_locations)[0] if s and s.submodule_search_locations else None
print(json.dumps({"executable": sys.executable, "version": list(sys.version_info[:2]), "torch": folder("torch"), "pip": folder("pip") is not None}))
`;

/** Asks a Python about itself. @param {string} executable @param {NodeJS.ProcessEnv} env @returns {Promise<PythonInfo | null>} */
export async function probePython(executable, env) {
  const answer = await run(executable, ['-c', probeScript], { env, cwd: packageRoot, seconds: 20 });
  if (!answer.ok) return null;
  try {
    return JSON.parse(answer.stdout.trim().split('\n').at(-1) ?? '');
  } catch {
    return null;
  }
}

/** Every Python that answers. @param {NodeJS.ProcessEnv} env @returns {Promise<PythonInfo[]>} */
export async function probePythons(env) {
  /** @type {PythonInfo[]} */
  const answers = [];
  for (const candidate of pythonCandidates(env)) {
    const info = await probePython(candidate, env);
    if (info && !answers.some((other) => other.executable === info.executable)) answers.push(info);
  }
  return answers;
}

/** Prefixes under which systems install libtorch. @param {NodeJS.Platform} platform */
function systemPrefixes(platform) {
  return platform === 'darwin' ? ['/opt/homebrew', '/usr/local'] : ['/usr', '/usr/local', '/opt/libtorch'];
}

/** Folder of the engine folder that pip installs into. @param {string} engine */
export const ownTarget = (engine) => path.join(engine, 'pip');

/** What the choice depends on besides the disk: a change makes set-up look again. @param {NodeJS.ProcessEnv} env */
export function environmentKey(env) {
  return hashOf(
    ...['LIBTORCH', 'TORCH_DIR', 'VIRTUAL_ENV', 'CONDA_PREFIX'].map((name) => `${name}=${env[name] ?? ''}`),
  );
}

/**
 * Looks in every place, in order.
 * @param {object} options
 * @param {string} options.engine engine folder
 * @param {NodeJS.ProcessEnv} options.env
 * @param {(env: NodeJS.ProcessEnv) => Promise<PythonInfo[]>} [options.pythons]
 * @param {readonly string[]} [options.prefixes] system prefixes
 * @param {NodeJS.Platform} [options.platform]
 * @returns {Promise<{ found: FoundEngine | null, rejected: string[] }>} `rejected` says why places that looked promising do not do
 * @throws {SetupError} when LIBTORCH or TORCH_DIR names a folder that is no libtorch
 */
export async function discover({ engine, env, pythons = probePythons, prefixes, platform = process.platform }) {
  /** @type {string[]} */
  const rejected = [];
  for (const name of ['LIBTORCH', 'TORCH_DIR']) {
    const folder = env[name];
    if (!folder) continue;
    const answer = inspect(path.resolve(folder), platform);
    if (typeof answer === 'string') {
      throw new SetupError(`${name}=${folder} is no usable libtorch: ${answer}.`, [
        `Set ${name} to a libtorch folder, a Python package folder "torch" or a prefix such as /usr, or unset it.`,
      ]);
    }
    return { found: { ...answer, kind: 'environment', source: `${name}=${folder}`, python: null }, rejected };
  }
  for (const python of await pythons(env)) {
    if (python.torch === null) continue;
    const answer = inspect(python.torch, platform);
    if (typeof answer === 'string') rejected.push(`${python.executable}: ${answer}`);
    else
      return { found: { ...answer, kind: 'python', source: python.executable, python: python.executable }, rejected };
  }
  for (const prefix of prefixes ?? systemPrefixes(platform)) {
    const answer = inspect(prefix, platform);
    if (typeof answer !== 'string') {
      return { found: { ...answer, kind: 'system', source: `${prefix} (system)`, python: null }, rejected };
    }
    if (answer.includes('headers')) rejected.push(answer);
  }
  const own = inspect(ownTarget(engine), platform);
  if (typeof own !== 'string') {
    return { found: { ...own, kind: 'own', source: ownTarget(engine), python: null }, rejected };
  }
  return { found: null, rejected };
}
