/** npm packages: installed when package-lock.json asks for something that node_modules does not have. */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { lastLines, run } from './process.mjs';
import { SetupError } from './report.mjs';

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} LockedPackage */

/** @param {string} file @returns {Record<string, LockedPackage> | null} */
function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch {
    return null;
  }
}

/**
 * Whether installed packages differ from the lock file. npm keeps a copy of the lock file of what it installed in
 * node_modules, so no marker of ours is needed and packages installed by hand count too.
 * @param {string} root
 * @returns {string | null} what is wrong in a few words, or null when all is there
 */
export function stalePackages(root) {
  const wanted = lockedPackages(path.join(root, 'package-lock.json'));
  if (wanted === null) return existsSync(path.join(root, 'node_modules')) ? null : 'node_modules is missing';
  const installed = lockedPackages(path.join(root, 'node_modules', '.package-lock.json'));
  if (installed === null) return 'node_modules is missing';
  for (const [folder, { version, integrity, optional, link }] of Object.entries(wanted)) {
    if (folder === '' || link) continue;
    const name = folder.replace(/^.*node_modules\//, '');
    const have = installed[folder];
    // Optional packages are those of other platforms: absent is right, a wrong version is not.
    if (have === undefined || !existsSync(path.join(root, folder))) {
      if (!optional) return `${name} is missing`;
    } else if (have.version !== version || have.integrity !== integrity) {
      return `${name} is ${have.version}, not ${version}`;
    }
  }
  return null;
}

/**
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @param {(text: string) => void} note
 * @returns {Promise<import('./report.mjs').StepResult>}
 */
export async function installPackages(root, env, note) {
  // Installed as a dependency: whoever installed this package installed what it needs.
  if (path.basename(path.dirname(root)) === 'node_modules') return { changed: false, detail: '' };
  const reason = stalePackages(root);
  if (reason === null) return { changed: false, detail: '' };
  const verb = existsSync(path.join(root, 'package-lock.json')) ? 'ci' : 'install';
  note(`npm ${verb}: ${reason}`);
  const args = [verb, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const npm = env.npm_execpath?.endsWith('.js') ? [process.execPath, env.npm_execpath] : ['npm'];
  const [command = 'npm', ...before] = npm;
  const finished = await run(command, [...before, ...args], { cwd: root, env: withoutNpmSettings(env), seconds: 900 });
  if (!finished.ok) {
    // npm states the cause first and its usage after it.
    const causes = finished.stderr.split('\n').filter((line) => /^npm (error|ERR!) \S/.test(line));
    const output = causes.length > 0 ? causes.slice(0, 6) : lastLines(finished, 6);
    const remedy = finished.missing ? ['npm comes with Node; is it on the PATH?'] : output;
    throw new SetupError(`npm ${verb} failed in ${root}.`, remedy);
  }
  return { changed: true, detail: `npm ${verb}` };
}

/** `npm run x --offline` and the like must not leak into the install. @param {NodeJS.ProcessEnv} env */
function withoutNpmSettings(env) {
  const clean = { ...env };
  for (const name of ['npm_config_global', 'npm_config_omit', 'npm_config_dry_run', 'npm_lifecycle_script', 'NODE_ENV'])
    delete clean[name];
  return clean;
}
