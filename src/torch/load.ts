/** Finds and loads the bridge that set-up built, with settings that make the engine fast. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { completeBridge, type RawBridge } from './bridge.js';
import { type CurrentEngine, currentEngine, engineFolder } from './engine.js';
import { EngineError } from './errors.js';
import { collectGarbage } from './garbage.js';
import type { NativeBridge } from './native.js';

/** A setting of the engine that differs from the library's own default, and why. */
export interface EngineSetting {
  readonly name: string;
  readonly value: string;
  readonly reason: string;
}

const settings: EngineSetting[] = [];

/** The settings made before the engine was loaded. Empty until the first use of `torch`. */
export function engineSettings(): readonly EngineSetting[] {
  return settings;
}

function setUnlessChosen(name: string, value: string, reason: string): void {
  if (process.env[name] !== undefined) return;
  process.env[name] = value;
  settings.push({ name, value, reason });
}

/** Reads which BLAS a system's libtorch uses; undefined for engines that bring their own. */
function usesOpenBlasThreads(lib: string): boolean {
  try {
    return !existsSync(path.join(lib, '..', 'version.py')) && existsSync(path.join(lib, 'openblas-pthread'));
  } catch {
    return false;
  }
}

/** The environment that OpenMP and BLAS read once, when the library is loaded. */
function prepareEnvironment(engine: CurrentEngine): void {
  // Who has set one of the two has decided about both. In libgomp the count goes before the policy, which other OpenMPs read. A small ResNet
  // on two cores, pictures/s at counts of 0, 1,000 and 20,000: alone 294, 345, 353; beside one busy process 226, 222, 149; beside a second
  // training that spins 20,000 times 196, 166, 8.
  const decided = process.env.OMP_WAIT_POLICY !== undefined;
  setUnlessChosen(
    'OMP_WAIT_POLICY',
    'PASSIVE',
    'idle threads sleep instead of spinning, so JavaScript and decoding get the cores between operators',
  );
  if (!decided)
    setUnlessChosen(
      'GOMP_SPINCOUNT',
      '1000',
      'but not at once: between the operators of a network the next work comes within microseconds; and not for long, for someone else may need the core',
    );
  if (usesOpenBlasThreads(engine.lib))
    setUnlessChosen(
      'OPENBLAS_NUM_THREADS',
      String(availableParallelism()),
      'the system OpenBLAS keeps its own pool of threads; one per core, as for the engine',
    );
  setUnlessChosen('PYTORCH_ENABLE_MPS_FALLBACK', '1', 'operators an Apple GPU lacks run on the CPU instead of failing');
}

/** What glibc's allocator reads from the environment; who sets one of them has other plans for the heap. */
const heapVariables = ['MALLOC_MMAP_MAX_', 'MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_', 'GLIBC_TUNABLES'];

/**
 * Lets the heap keep what is freed, in huge pages. By default every large tensor is memory that the system hands out anew, zeroed and page by
 * page: at a batch of 256 pictures, a sixth of a training step. Also gives back what is unused at this moment. False where it cannot be done.
 */
export function prepareHeap(bridge: Partial<Pick<NativeBridge, 'prepareHeap'>>): boolean {
  if (heapVariables.some((name) => process.env[name] !== undefined)) return false;
  // Addresses only: memory is taken when it is used. A bridge that was built before this was written works without.
  return (bridge.prepareHeap?.(Math.floor(totalmem() / 2)) ?? 0) > 0;
}

function load(): NativeBridge {
  const engine = currentEngine();
  if (engine === null)
    throw new EngineError(
      `There is no engine in ${engineFolder()}: run \`npx praxis setup\` (in the repository: \`npm run setup\`) once.`,
    );
  if (isMainThread) prepareEnvironment(engine);
  let bridge: NativeBridge;
  try {
    bridge = completeBridge(createRequire(import.meta.url)(engine.addon) as RawBridge);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new EngineError(
      `The engine (libtorch ${engine.torch} in ${engine.lib}) could not be loaded: ${detail}. Run \`npx praxis setup --rebuild\`.`,
      { cause: error },
    );
  }
  // Debian's build starts with one thread, pip's with one per core: make both the same unless the user chose.
  if (isMainThread && process.env.OMP_NUM_THREADS === undefined) {
    const cores = availableParallelism();
    if (bridge.numThreads() !== cores) {
      bridge.setNumThreads(cores);
      settings.push({
        name: 'threads',
        value: String(cores),
        reason: 'this build starts with another number than one per core',
      });
    }
  }
  if (isMainThread && prepareHeap(bridge))
    settings.push({
      name: 'heap',
      value: 'kept, in huge pages',
      reason:
        'memory of freed tensors stays with the process, so a step need not ask the system for it again; torch.emptyCache() gives it back',
    });
  bridge.setCollector((all) => collectGarbage(all ? 'major' : 'minor'));
  return bridge;
}

/** The bridge. Importing this module loads the engine; a missing engine is one clear error. */
export const native: NativeBridge = load();
