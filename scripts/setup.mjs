#!/usr/bin/env node
/**
 * Set-up: npm packages, libtorch, the bridge, the TypeScript build. Plain Node without packages, safe to run again.
 * Once it has run, no step needs the network.
 */

import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildBridge } from './setup/bridge.mjs';
import { discover, environmentKey } from './setup/discover.mjs';
import { buildJpeg } from './setup/jpeg.mjs';
import { obtain } from './setup/obtain.mjs';
import { installPackages } from './setup/packages.mjs';
import { Reporter, SetupError } from './setup/report.mjs';
import {
  engineFolder,
  fingerprint,
  makeEngineFolder,
  packageRoot,
  readCurrent,
  withLock,
  writeJson,
} from './setup/state.mjs';
import { findCompiler, findNodeHeaders, usesCxx11Abi } from './setup/toolchain.mjs';
import { buildTypeScript } from './setup/typescript.mjs';

const help = `Usage: praxis setup [options]      (or: npm run setup -- [options])

Installs what is missing, finds libtorch (or gets it), builds the bridge and the TypeScript. Safe to run again.

  --engine <dir>    keep the engine in <dir> (then set PRAXIS_ENGINE_DIR to it; default: .engine in the package)
  --rebuild         look for libtorch again and build the bridge and the TypeScript anew
  --offline         fetch nothing; fail with instructions where something is missing
  --no-typescript   leave dist/ alone
  --quiet           print failures only
  --help            this text

Environment: LIBTORCH or TORCH_DIR (which libtorch), PRAXIS_ENGINE_DIR, CXX (which compiler), npm_config_nodedir.
`;

/**
 * @typedef {object} SetupOptions
 * @property {string} [engine]
 * @property {boolean} [rebuild]
 * @property {boolean} [offline]
 * @property {boolean} [typescript] default true
 * @property {boolean} [packages] default true
 * @property {boolean} [quiet]
 * @property {string} [native] folder of the bridge's sources
 * @property {NodeJS.ProcessEnv} [env]
 */

/**
 * The engine chosen last time when nothing it depends on has changed; saves asking every Python. One that LIBTORCH or
 * TORCH_DIR chose stays chosen when the variable is unset again, so it need not be repeated before every command.
 * @param {import('./setup/state.mjs').CurrentEngine | null} current
 * @param {NodeJS.ProcessEnv} env
 * @returns {import('./setup/discover.mjs').FoundEngine | null}
 */
export function remembered(current, env) {
  if (current === null) return null;
  const stays = current.kind === 'environment' && !env.LIBTORCH && !env.TORCH_DIR;
  if (!stays && current.environment !== environmentKey(env)) return null;
  const library = path.join(current.lib, process.platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so');
  if (fingerprint(library) !== current.fingerprint || !current.include.every((folder) => existsSync(folder)))
    return null;
  const { torch, build, lib, include, packageFolder, source, python } = current;
  const kind = /** @type {import('./setup/discover.mjs').FoundEngine['kind']} */ (current.kind);
  return { version: torch, build, lib, include, packageFolder, kind, source, python };
}

/**
 * @param {SetupOptions} [options]
 * @param {Reporter} [reporter]
 * @returns {Promise<import('./setup/state.mjs').CurrentEngine>}
 */
export async function setup(options = {}, reporter = new Reporter({ quiet: options.quiet })) {
  const { rebuild = false, offline = false, env = process.env } = options;
  const folder = engineFolder(options.engine, env);
  const note = reporter.note.bind(reporter);
  makeEngineFolder(folder);
  return withLock(folder, note, async () => {
    if (options.packages !== false) await reporter.step('packages', () => installPackages(packageRoot, env, note));

    const current = readCurrent(folder);
    const known = rebuild ? null : remembered(current, env);
    let found = known;
    if (found === null) {
      ({ found } = await reporter.step('libtorch', async () => {
        const first = await discover({ engine: folder, env });
        if (first.found) return { found: first.found, changed: true, detail: describe(first.found) };
        const installed = await obtain({ engine: folder, env, offline, rejected: first.rejected, note });
        const second = await discover({ engine: folder, env });
        if (!second.found)
          throw new SetupError(`${installed} was installed, but no usable libtorch came of it.`, second.rejected);
        return { found: second.found, changed: true, detail: `${installed}; ${describe(second.found)}` };
      }));
    }

    const engine = found;
    const built = await reporter.step('bridge', async () => {
      const compiler = await findCompiler(env);
      const cxx11Abi = usesCxx11Abi(engine.lib);
      const nodeHeaders = await findNodeHeaders(env);
      const input = {
        libtorch: engine,
        cxx11Abi,
        compiler,
        nodeHeaders,
        native: options.native ?? path.join(packageRoot, 'native'),
      };
      const result = await buildBridge({ ...input, folder: path.join(folder, 'build'), rebuild, env, note });
      return { ...result, input, compiler: compiler.version, cxx11Abi, detail: `built with ${compiler.version}` };
    });
    const jpeg = await reporter.step('JPEG', () =>
      buildJpeg({ ...built.input, folder: path.join(folder, 'build'), rebuild, env }),
    );

    /** @type {import('./setup/state.mjs').CurrentEngine} */
    const next = {
      ...{ addon: built.addon, torch: engine.version, build: engine.build, lib: engine.lib, include: engine.include },
      ...{ source: engine.source, kind: engine.kind, python: engine.python, packageFolder: engine.packageFolder },
      ...{
        cxx11Abi: built.cxx11Abi,
        key: built.key,
        jpeg: jpeg.addon,
        compiler: built.compiler,
        nodeModules: process.versions.modules,
      },
      fingerprint: fingerprint(
        path.join(engine.lib, process.platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so'),
      ),
      environment: environmentKey(env),
    };
    if (JSON.stringify(next) !== JSON.stringify(current)) writeJson(path.join(folder, 'current.json'), next);

    if (options.typescript !== false) {
      await reporter.step('TypeScript', () => buildTypeScript(packageRoot, { rebuild, note }));
    }
    reporter.done(describe(engine));
    return next;
  });
}

/** @param {import('./setup/discover.mjs').FoundEngine} engine */
function describe(engine) {
  return `libtorch ${engine.build} from ${engine.source}`;
}

/** @param {readonly string[]} args @returns {Promise<number>} exit code */
export async function main(args) {
  const reporter = new Reporter();
  /** @type {{ engine?: string, rebuild?: boolean, offline?: boolean, 'no-typescript'?: boolean, quiet?: boolean, help?: boolean }} */
  let values;
  try {
    const flag = /** @type {const} */ ({ type: 'boolean' });
    const options = {
      engine: /** @type {const} */ ({ type: 'string' }),
      rebuild: flag,
      offline: flag,
      'no-typescript': flag,
      quiet: flag,
      help: flag,
    };
    ({ values } = parseArgs({ args: [...args], options, allowPositionals: false }));
  } catch (error) {
    process.stderr.write(`${/** @type {Error} */ (error).message.split('. ')[0]}. See praxis setup --help.\n`);
    return 2;
  }
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  reporter.quiet = values.quiet ?? false;
  try {
    const { engine, rebuild, offline } = values;
    await setup({ engine, rebuild, offline, typescript: !values['no-typescript'] }, reporter);
    return 0;
  } catch (error) {
    reporter.failure(error);
    return 1;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
