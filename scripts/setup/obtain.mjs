/** Getting libtorch when there is none: pip into the engine folder, else Debian's package, else say what to do. */

import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { inspect, ownTarget, probePythons } from './discover.mjs';
import { lastLines, run } from './process.mjs';
import { SetupError } from './report.mjs';

/** What to ask pip for, first choice first: the CPU build of the tested version, then whatever build the index has of it. */
export const wantedWheels = ['torch==2.13.0+cpu', 'torch==2.13.*'];

/** What a user without libtorch can do, a line for each system. @param {string} engine */
export function manualRemedy(engine) {
  const pip = `python3 -m pip install --no-deps --target ${ownTarget(engine)} torch==2.13.0`;
  return [
    `Linux: ${pip}, then set up again; or on Debian, Ubuntu: sudo apt install libtorch-dev libopenblas0-openmp g++`,
    'macOS: xcode-select --install, then the same pip command (or brew install pytorch), then set up again',
    'Windows: install WSL 2 with Ubuntu and follow the Linux line inside it; the bridge is not built for Windows itself',
  ];
}

/**
 * pip arguments that fetch one wheel and nothing else, and give up at once where the index cannot be reached.
 * @param {string} target
 * @param {readonly string[]} requirements
 */
export function pipArguments(target, requirements) {
  return [
    ...['-m', 'pip', 'install', '--no-deps', '--target', target, '--only-binary', ':all:', '--no-compile'],
    ...['--timeout', '15', '--retries', '0', '--disable-pip-version-check', '--no-input', '--quiet', ...requirements],
  ];
}

/**
 * Installs with pip into a folder of its own and moves it into place only when it is complete.
 * @param {string} engine
 * @param {import('./discover.mjs').PythonInfo[]} pythons
 * @param {(text: string) => void} note
 * @returns {Promise<string | null>} what was installed, or null
 */
async function fromPip(engine, pythons, note) {
  const able = pythons.filter((python) => python.pip);
  if (able.length === 0) note('no Python with pip at hand');
  for (const wheel of wantedWheels) {
    // The index offers wheels for particular Pythons only, so another Python may succeed where one failed.
    for (const python of able) {
      note(`pip: ${wheel} for Python ${python.version.join('.')} (some 200 MB, once)`);
      const temporary = mkdtempSync(path.join(engine, 'download-'));
      try {
        const finished = await run(python.executable, pipArguments(temporary, [wheel]), { seconds: 1800 });
        const answer = finished.ok ? inspect(temporary) : (lastLines(finished, 1)[0] ?? 'pip failed');
        if (typeof answer === 'string') {
          note(`  not so: ${answer.slice(0, 160)}`);
          continue;
        }
        rmSync(ownTarget(engine), { recursive: true, force: true });
        renameSync(temporary, ownTarget(engine));
        return `torch ${answer.build} with pip`;
      } finally {
        rmSync(temporary, { recursive: true, force: true });
      }
    }
  }
  return null;
}

/** How this user may call apt-get, or null. @param {NodeJS.ProcessEnv} env @returns {Promise<string[] | null>} */
async function aptCommand(env) {
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get')) return null;
  if (process.getuid?.() === 0) return ['apt-get'];
  const sudo = await run('sudo', ['-n', 'true'], { env, seconds: 5 });
  return sudo.ok ? ['sudo', '-n', 'apt-get'] : null;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {(text: string) => void} note
 * @returns {Promise<string | null>}
 */
async function fromDebian(env, note) {
  const apt = await aptCommand(env);
  if (apt === null) return null;
  note('apt-get: libtorch-dev with the OpenMP build of OpenBLAS');
  const [command = 'apt-get', ...before] = apt;
  const packages = ['libtorch-dev', 'libopenblas0-openmp'];
  const finished = await run(command, [...before, 'install', '-y', '--no-install-recommends', ...packages], {
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
    seconds: 900,
  });
  if (finished.ok) return packages.join(' and ');
  note(`  not so: ${(lastLines(finished, 1)[0] ?? 'apt-get failed').slice(0, 160)}`);
  return null;
}

/**
 * @param {object} options
 * @param {string} options.engine
 * @param {NodeJS.ProcessEnv} options.env
 * @param {boolean} options.offline never fetch anything
 * @param {readonly string[]} options.rejected why the places looked at do not do
 * @param {(text: string) => void} options.note
 * @param {(env: NodeJS.ProcessEnv) => Promise<import('./discover.mjs').PythonInfo[]>} [options.pythons]
 * @returns {Promise<string>} what was installed
 * @throws {SetupError} with the remedies, when nothing could be got
 */
export async function obtain({ engine, env, offline, rejected, note, pythons = probePythons }) {
  const installed = offline
    ? null
    : ((await fromPip(engine, await pythons(env), note)) ?? (await fromDebian(env, note)));
  if (installed !== null) return installed;
  const reason = offline ? 'and --offline forbids fetching it' : 'and it could not be fetched';
  throw new SetupError(`No libtorch was found, ${reason}.`, [
    ...rejected.map((text) => `Looked at ${text}.`),
    ...manualRemedy(engine),
  ]);
}
