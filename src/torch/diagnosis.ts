/** Gathers the facts that `praxis doctor` reports, without assuming that anything works. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import {
  blasName,
  type Check,
  checkArithmetic,
  checkBf16,
  checkBlas,
  checkCapability,
  checkCuda,
  checkEngine,
  checkFinalizers,
  checkJpeg,
  checkMps,
  checkNode,
  checkOneDnn,
  checkThreads,
} from './checks.js';
import { currentEngine, engineFolder } from './engine.js';
import type { EngineSetting } from './load.js';
import type { Handle, NativeBridge } from './native.js';

/** Everything `praxis doctor` has to say. */
export interface Diagnosis {
  /** Nothing essential is broken. */
  readonly healthy: boolean;
  readonly checks: readonly Check[];
}

/** Thread variables that OpenMP and the BLAS libraries read. */
const threadVariables = [
  'OMP_NUM_THREADS',
  'MKL_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'OMP_WAIT_POLICY',
  'GOMP_CPU_AFFINITY',
];

/** The processor's features as the system names them; empty where it does not tell. */
export function processorFeatures(): Set<string> {
  try {
    if (process.platform === 'darwin') {
      const text = execFileSync('sysctl', ['-a'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      return new Set([...text.matchAll(/^hw\.optional\.(?:arm\.)?(\w+): 1$/gm)].map((match) => match[1] ?? ''));
    }
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return new Set((line?.[1] ?? '').split(/\s+/));
  } catch {
    return new Set();
  }
}

/** Libraries this process has loaded, links resolved. Linux only; elsewhere empty. */
export function loadedLibraries(): string[] {
  try {
    const maps = readFileSync('/proc/self/maps', 'utf8');
    const files = new Set([...maps.matchAll(/\s(\/\S+\.so[\d.]*)$/gm)].map((match) => match[1] ?? ''));
    return [...files].map((file) => (existsSync(file) ? realpathSync(file) : file));
  } catch {
    return [];
  }
}

/** c10::ScalarType code of float32. */
const float32 = 6;

/** One real operator call through the bridge: 2 × 3. */
function multiply(native: NativeBridge): number | Error {
  try {
    const tensor = (value: number) => {
      const bytes = new Uint8Array(new Float32Array([value]).buffer);
      return native.fromBytes(bytes, 0, [1], float32, false);
    };
    const product = native.call(native.resolve('aten::mul', 'Tensor'), null, tensor(2), tensor(3));
    return Number(native.item(product as Handle));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

type Engine = { native: NativeBridge; engineSettings: () => readonly EngineSetting[] };

/** Loads the engine, or says in a sentence why it cannot be. */
async function tryLoad(): Promise<Engine | string> {
  try {
    return await import('./load.js');
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error ? (cause.message.split('\n')[0] ?? 'unknown error') : String(cause);
  }
}

function checksOfEngine({ native, engineSettings }: Engine): Check[] {
  const info = native.info();
  const features = processorFeatures();
  const settings = engineSettings();
  const ours = new Set(settings.map((setting) => setting.name));
  const chosen = threadVariables.filter((name) => process.env[name] !== undefined && !ours.has(name));
  const mps = checkMps(info.mps, process.platform, process.arch);
  return [
    checkArithmetic(multiply(native)),
    checkBlas(blasName(loadedLibraries(), info.config)),
    checkOneDnn(info),
    checkCapability(info.cpuCapability, features, process.env.ATEN_CPU_CAPABILITY),
    checkBf16(features),
    checkThreads({
      threads: native.numThreads(),
      cores: availableParallelism(),
      hasOpenMp: info.hasOpenMp,
      settings: settings.filter(({ name }) => name !== 'heap'),
      chosen: chosen.map((name) => `${name}=${process.env[name]}`),
    }),
    checkCuda({
      available: info.cuda,
      devices: info.cuda ? native.deviceCount('cuda') : 0,
      error: info.cudaError,
      hardware: existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidia0') || existsSync('/dev/dxg'),
    }),
    ...(mps === null ? [] : [mps]),
    checkFinalizers(
      info.promptFinalizers,
      settings.find(({ name }) => name === 'heap'),
    ),
  ];
}

/** Examines Node, the engine and the machine. Never throws: what is broken becomes a check with a remedy. */
export async function diagnose(): Promise<Diagnosis> {
  const engine = currentEngine();
  const loaded = engine === null ? '' : await tryLoad();
  const checks = [
    checkNode(process.versions.node),
    checkEngine(engine, engineFolder(), typeof loaded === 'string' ? loaded : null),
    ...(engine === null ? [] : [checkJpeg(engine)]),
    ...(typeof loaded === 'string' ? [] : checksOfEngine(loaded)),
  ];
  return { healthy: checks.every((check) => check.status !== 'broken'), checks };
}
