#!/usr/bin/env node
/**
 * Makes Python's torch importable on the same libtorch as Praxis uses, for the tests and benches that compare with it.
 * Writes `<engine>/parity.json`: {python, pythonPath, torch}. Where that is impossible it says so, removes the file
 * and exits 0: the comparisons are then skipped.
 */

import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { probePythons } from './setup/discover.mjs';
import { pipArguments } from './setup/obtain.mjs';
import { run } from './setup/process.mjs';
import { engineFolder, makeEngineFolder, readCurrent, withLock, writeJson } from './setup/state.mjs';

/** What Python's torch imports, besides what the comparisons use themselves. */
const needs = ['typing_extensions', 'sympy', 'networkx', 'jinja2', 'filelock', 'fsspec', 'mpmath', 'markupsafe'];
const uses = ['numpy', 'safetensors'];

/**
 * Other libraries that single comparisons use: where one cannot be had, its comparisons alone are skipped.
 * `lies`: it need only be there; where its compiled part is built for another torch, importing it takes what the comparisons do for it.
 * @type {readonly { module: string, lies?: boolean, packages: (torch: string) => string[] }[]}
 */
const others = [
  { module: 'PIL', packages: () => ['pillow'] },
  { module: 'scipy', packages: () => ['scipy'] },
  { module: 'sklearn', packages: () => ['scikit-learn', 'joblib', 'threadpoolctl', 'narwhals'] },
  { module: 'torchvision', lies: true, packages: (torch) => [`torchvision==${torchvisionFor(torch)}`] },
  { module: 'timm', lies: true, packages: () => ['timm', 'huggingface_hub', 'pyyaml', 'packaging'] },
  {
    module: 'tensorboard',
    packages: () => [
      ...['tensorboard', 'tensorboard-data-server', 'protobuf', 'grpcio', 'absl-py', 'markdown', 'werkzeug'],
      ...['packaging', 'six', 'setuptools'],
    ],
  },
  // Its protobuf is TensorBoard's.
  { module: 'onnx', packages: () => ['onnx', 'ml_dtypes'] },
];

/** The torchvision that is built against a torch: 0.28.* for 2.13. @param {string} torch */
export function torchvisionFor(torch) {
  const [major = 0, minor = 0] = torch.split('.').map(Number);
  return major === 1 ? `0.${minor + 1}.*` : `0.${minor + 15}.*`;
}

const checkScript = `
import json, os, torch
def has(name):
    try: __import__(name); return True
    except Exception: return False
lib = os.path.dirname(os.path.realpath(os.path.join(os.path.dirname(torch.__file__), "lib", "PLACE")))
print(json.dumps({"torch": torch.__version__, "lib": lib, "missing": [n for n in ${JSON.stringify(uses)} if not has(n)]}))
`.replace('PLACE', process.platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so');

/**
 * @typedef {object} Parity
 * @property {string} python the executable
 * @property {string} pythonPath what PYTHONPATH must be, possibly empty
 * @property {string} torch `torch.__version__`
 * @property {string} lib folder of the libtorch it uses
 * @property {string[]} missing of numpy and safetensors, those it cannot import
 */

/** Imports torch and asks for its version. @param {string} python @param {string} pythonPath @returns {Promise<Parity | string>} */
async function tryImport(python, pythonPath) {
  const env = { ...process.env, PYTHONPATH: pythonPath };
  const answer = await run(python, ['-W', 'ignore', '-c', checkScript], { env, cwd: '/', seconds: 120 });
  if (!answer.ok) return answer.stderr.trim().split('\n').at(-1) ?? 'import torch failed';
  return { python, pythonPath, ...JSON.parse(answer.stdout.trim().split('\n').at(-1) ?? '') };
}

/** Whether a torch package holds the extension module for this Python. @param {string} packageFolder @param {[number, number]} version */
export function fitsPython(packageFolder, version) {
  const tag = `_C.cpython-${version.join('')}-`;
  return readdirSync(packageFolder).some((name) => name.startsWith(tag));
}

/**
 * @param {string} folder engine folder
 * @param {(text: string) => void} note
 * @returns {Promise<Parity | string>} or why there is none
 */
export async function findParity(folder, note) {
  const current = readCurrent(folder);
  if (current === null) return 'there is no engine yet';
  const pythons = await probePythons(process.env);
  const extra = path.join(folder, 'parity');
  /** @type {{ python: string, version: [number, number], path: string[] }[]} */
  const candidates = [];
  for (const { executable, version, torch } of pythons) {
    // The engine's own Python, or one that happens to have the same library; else any that fits the package.
    const library =
      torch && path.join(torch, 'lib', process.platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so');
    const same = library && existsSync(library) && path.dirname(realpathSync(library)) === current.lib;
    if (same) candidates.unshift({ python: executable, version, path: [] });
    else if (current.packageFolder && fitsPython(current.packageFolder, version)) {
      candidates.push({ python: executable, version, path: [path.dirname(current.packageFolder)] });
    }
  }
  // A virtual environment's package needs no guessing: its python lies at a known place above it.
  const home = current.packageFolder && path.resolve(current.packageFolder, '..', '..', '..', '..', 'bin', 'python');
  if (home && existsSync(home)) candidates.unshift({ python: home, version: [0, 0], path: [] });

  let reason = 'no Python at hand has torch on this libtorch';
  for (const candidate of candidates) {
    const join = (/** @type {boolean} */ more) => [...candidate.path, ...(more ? [extra] : [])].join(path.delimiter);
    let answer = await tryImport(candidate.python, join(existsSync(extra)));
    const wants = typeof answer === 'string' ? [...needs, ...uses] : answer.missing;
    if (wants.length > 0) {
      // Another Python of the same version may have the pip that this one lacks.
      const installer = [...pythons].find(
        (p) => p.pip && (candidate.version[0] === 0 || p.version.join() === candidate.version.join()),
      );
      if (installer) {
        note(`pip: ${wants.join(' ')}`);
        await run(installer.executable, [...pipArguments(extra, wants), '--upgrade'], { seconds: 600 });
        const again = await tryImport(candidate.python, join(true));
        // What was added must not break what worked (a numpy too new for an old torch, say).
        if (typeof answer === 'string' || typeof again !== 'string') answer = again;
      }
    }
    if (typeof answer === 'string') reason = `${candidate.python}: ${answer}`;
    else if (answer.lib !== current.lib)
      reason = `${candidate.python} imports torch from ${answer.lib}, not from ${current.lib}`;
    else {
      await addOthers(answer, extra, pythons, note);
      return answer;
    }
  }
  return reason;
}

/**
 * Installs what single comparisons use, each on its own, beside what is there.
 * @param {Parity} parity
 * @param {string} extra folder that may be on its PYTHONPATH
 * @param {import('./setup/discover.mjs').PythonInfo[]} pythons
 * @param {(text: string) => void} note
 */
async function addOthers(parity, extra, pythons, note) {
  const paths = parity.pythonPath.split(path.delimiter).filter(Boolean);
  const withExtra = paths.includes(extra) ? parity.pythonPath : [...paths, extra].join(path.delimiter);
  const imports = async (/** @type {string} */ name, /** @type {boolean} */ lies, /** @type {string} */ pythonPath) => {
    const env = { ...process.env, PYTHONPATH: pythonPath };
    const script = lies
      ? `import importlib.util, sys; sys.exit(importlib.util.find_spec('${name}') is None)`
      : `import ${name}`;
    return (await run(parity.python, ['-W', 'ignore', '-c', script], { env, cwd: '/', seconds: 120 })).ok;
  };
  const version = await run(parity.python, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
    seconds: 30,
  });
  const installer = pythons.find((p) => p.pip && p.version.slice(0, 2).join('.') === version.stdout.trim());
  for (const { module, lies = false, packages } of others) {
    if (await imports(module, lies, parity.pythonPath)) continue;
    if (installer && !(existsSync(extra) && (await imports(module, lies, withExtra)))) {
      const wants = packages(parity.torch);
      note(`pip: ${wants.join(' ')}`);
      await run(installer.executable, [...pipArguments(extra, wants), '--upgrade'], { seconds: 600 });
    }
    // What was added must not break torch itself (a numpy too new for it, say).
    const answer = existsSync(extra) ? await tryImport(parity.python, withExtra) : 'nothing was installed';
    if (typeof answer !== 'string' && (await imports(module, lies, withExtra))) parity.pythonPath = withExtra;
    else parity.missing = [...parity.missing, module];
  }
}

/**
 * onnxruntime-node, which the tests run exported networks in. Not among the packages of this repository: it is 110 MB, and its own install
 * script would fetch CUDA's parts besides, so that script is not run; the runtime for the CPU lies in the package.
 * @param {string} folder engine folder
 * @param {(text: string) => void} note
 */
async function addOnnxRuntime(folder, note) {
  const place = path.join(folder, 'parity-node');
  if (existsSync(path.join(place, 'node_modules', 'onnxruntime-node', 'package.json'))) return true;
  note('npm: onnxruntime-node (some 110 MB, once)');
  mkdirSync(place, { recursive: true });
  writeJson(path.join(place, 'package.json'), { name: 'praxis-parity', private: true });
  const arguments_ = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    'onnxruntime-node@^1.22',
  ];
  return (await run('npm', ['--prefix', place, ...arguments_], { cwd: place, seconds: 600 })).ok;
}

/** @param {{ engine?: string, quiet?: boolean }} [options] @returns {Promise<Parity | null>} */
export async function setupParity({ engine, quiet = false } = {}) {
  const folder = engineFolder(engine, process.env);
  const say = (/** @type {string} */ text) => {
    if (!quiet) process.stdout.write(`${text}\n`);
  };
  const file = path.join(folder, 'parity.json');
  makeEngineFolder(folder);
  const note = (/** @type {string} */ text) => say(`  ${text}`);
  if (!(await withLock(folder, note, () => addOnnxRuntime(folder, note))))
    say('  onnxruntime-node cannot be had: exported networks are not run in it');
  const answer = await withLock(folder, note, () => findParity(folder, note));
  if (typeof answer === 'string') {
    rmSync(file, { force: true });
    say(`  comparisons with Python are skipped: ${answer}`);
    return null;
  }
  writeJson(file, answer);
  say(
    `✔ Python's torch ${answer.torch} on the same libtorch: ${answer.python}${answer.missing.length ? ` (without ${answer.missing.join(', ')})` : ''}`,
  );
  return answer;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const known = process.argv.slice(2).every((arg) => arg === '--quiet');
  if (known) await setupParity({ quiet: process.argv.includes('--quiet') });
  else process.stderr.write('Usage: npm run setup:parity [-- --quiet]\n');
  process.exitCode = known ? 0 : 2;
}
