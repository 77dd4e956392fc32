/**
 * What `praxis doctor` thinks of the facts it gathered: for each, either all is well or a remedy.
 * Pure functions of the facts, so that machines other than this one can be judged in tests.
 */
import type { EngineInfo } from './native.js';

/** `ok`: as it should be. `advice`: works, could be better. `broken`: nothing works until it is mended. */
export type CheckStatus = 'ok' | 'advice' | 'broken';

export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found, in a few words. */
  readonly value: string;
  /** What to do; present unless the status is `ok`. */
  readonly remedy?: string;
  /** Further lines worth knowing, e.g. settings with their reasons. */
  readonly details?: readonly string[];
}

const ok = (name: string, value: string, details?: readonly string[]): Check => ({
  name,
  status: 'ok',
  value,
  ...(details?.length ? { details } : {}),
});
const advice = (name: string, value: string, remedy: string): Check => ({ name, status: 'advice', value, remedy });
const broken = (name: string, value: string, remedy: string): Check => ({ name, status: 'broken', value, remedy });

/** The oldest Node that works, as in package.json. */
const oldestNode = [20, 19] as const;

/** @param version e.g. `20.19.0` */
export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fine = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  if (fine) return ok('Node', version);
  return broken('Node', version, `Install Node ${oldestNode.join('.')} or newer.`);
}

/** @param engine label and place of the engine, or null when set-up has not run; `error` is why it did not load */
export function checkEngine(
  engine: { readonly build: string; readonly source: string; readonly lib: string } | null,
  folder: string,
  error: string | null,
): Check {
  if (engine === null) {
    const where = `set-up has not run for the engine folder ${folder}`;
    return broken('Engine', where, 'Run: npx praxis setup');
  }
  const value = `libtorch ${engine.build} in ${engine.lib}`;
  if (error !== null) return broken('Engine', `${value} does not load: ${error}`, 'Run: npx praxis setup --rebuild');
  return ok('Engine', value, [`found through ${engine.source}`]);
}

/** @param engine what set-up found; an addon is there when libjpeg was */
export function checkJpeg(engine: { readonly jpeg?: string | null }): Check {
  if (typeof engine.jpeg === 'string') return ok('JPEG', 'decoded by libjpeg');
  return advice(
    'JPEG',
    'decoded by libvips, in nearly three times the time',
    'Install the header of libjpeg-turbo (Debian, Ubuntu: sudo apt install libjpeg-dev; macOS: brew install jpeg-turbo), then: npx praxis setup',
  );
}

/**
 * Names the BLAS library among the files a process has loaded.
 * @param files paths of loaded libraries, links resolved
 * @param config the engine's build settings
 */
export function blasName(files: readonly string[], config: string): string | null {
  const names: readonly (readonly [RegExp, string])[] = [
    [/libmkl_|mkl\/libblas/, 'MKL'],
    [/openblas-openmp/, 'OpenBLAS (OpenMP)'],
    [/openblas-pthread/, 'OpenBLAS (own threads)'],
    [/openblas-serial/, 'OpenBLAS (one thread)'],
    [/openblas/i, 'OpenBLAS'],
    [/blis/, 'BLIS'],
    [/atlas/, 'ATLAS'],
    [/Accelerate\.framework/, 'Accelerate'],
    [/\/libblas\.so/, 'reference BLAS'],
  ];
  for (const [pattern, name] of names) if (files.some((file) => pattern.test(file))) return name;
  // Nothing outside the engine: it brings its own, and its build settings say which.
  const built = /BLAS_INFO=(\w+)/.exec(config)?.[1];
  if (built === undefined) return /Math Kernel Library/.test(config) ? 'MKL' : null;
  return { mkl: 'MKL', open: 'OpenBLAS', accelerate: 'Accelerate', veclib: 'Accelerate' }[built] ?? built;
}

export function checkBlas(name: string | null): Check {
  const remedy =
    'Debian, Ubuntu: sudo apt install libopenblas0-openmp; elsewhere use the build of libtorch that pip installs.';
  if (name === null) return advice('BLAS', 'not recognised', remedy);
  if (name === 'reference BLAS' || name === 'ATLAS' || name === 'OpenBLAS (one thread)')
    return advice('BLAS', `${name}, which makes matrix products slow`, remedy);
  return ok('BLAS', name);
}

export function checkOneDnn(info: Pick<EngineInfo, 'hasOneDnn' | 'config'>): Check {
  if (!info.hasOneDnn)
    return advice(
      'oneDNN',
      'not in this engine: convolutions and bf16 are slower',
      'Use the build of libtorch that pip installs (set LIBTORCH to it and run: npx praxis setup).',
    );
  return ok('oneDNN', /MKL-DNN v([\d.]+)/.exec(info.config)?.[1] ?? 'present');
}

/** @param capability what the engine's kernels use; @param flags the processor's features */
export function checkCapability(capability: string, flags: ReadonlySet<string>, forced: string | undefined): Check {
  const wasted = capability === 'DEFAULT' && flags.has('avx2');
  if (forced !== undefined && wasted)
    return advice('CPU', `${capability}, because ATEN_CPU_CAPABILITY=${forced}`, 'Unset ATEN_CPU_CAPABILITY.');
  if (wasted)
    return advice(
      'CPU',
      `${capability}, though the processor has AVX2`,
      'Use the build of libtorch that pip installs.',
    );
  return ok('CPU', capability);
}

/** Features that compute bf16 in hardware, on x86, on Linux Arm, and as macOS names them. */
const bf16Features = ['amx_bf16', 'avx512_bf16', 'avx_ne_convert', 'bf16', 'FEAT_BF16'];

export function checkBf16(flags: ReadonlySet<string>): Check {
  const found = bf16Features.filter((name) => flags.has(name));
  if (found.length > 0) return ok('bf16', `in hardware (${found.join(', ')})`);
  return ok(
    'bf16',
    'not in this processor: it is computed through fp32, without AVX512 tens of times slower; training measures it',
  );
}

export interface ThreadFacts {
  readonly threads: number;
  readonly cores: number;
  readonly hasOpenMp: boolean;
  readonly settings: readonly { readonly name: string; readonly value: string; readonly reason: string }[];
  /** Thread variables the user chose, e.g. `OMP_NUM_THREADS=1`. */
  readonly chosen: readonly string[];
}

export function checkThreads({ threads, cores, hasOpenMp, settings, chosen }: ThreadFacts): Check {
  const value = `${threads} of ${cores} ${cores === 1 ? 'core' : 'cores'}`;
  const details = [
    ...settings.map((setting) => `${setting.name}=${setting.value}: ${setting.reason}`),
    ...chosen.map((variable) => `${variable}: chosen in the environment`),
  ];
  if (!hasOpenMp && cores > 1)
    return advice('Threads', `${value}, without OpenMP`, 'Use the build of libtorch that pip installs.');
  if (threads > cores)
    return advice('Threads', `${value}: more threads than cores slow each other down`, 'Lower OMP_NUM_THREADS.');
  return ok('Threads', value, details);
}

export interface CudaFacts {
  readonly available: boolean;
  readonly devices: number;
  /** Why `libtorch_cuda` could not be loaded, or an empty string. */
  readonly error: string;
  /** The machine has an NVIDIA device. */
  readonly hardware: boolean;
}

export function checkCuda({ available, devices, error, hardware }: CudaFacts): Check {
  if (available && devices > 0) return ok('CUDA', `${devices} ${devices === 1 ? 'device' : 'devices'}`);
  if (!hardware) return ok('CUDA', 'no NVIDIA device in this machine; the CPU is used');
  if (error !== '')
    return advice('CUDA', `not usable: ${error}`, 'Install the NVIDIA libraries that this build of libtorch wants.');
  const remedy = available
    ? 'Check the driver: nvidia-smi must list the device.'
    : 'Install a CUDA build of torch with pip, set LIBTORCH to it and run: npx praxis setup';
  return advice('CUDA', available ? 'the engine sees no device' : 'this engine is built without CUDA', remedy);
}

export function checkMps(available: boolean, platform: string, architecture: string): Check | null {
  if (platform !== 'darwin') return null;
  if (available) return ok('MPS', 'the Apple GPU can be used');
  if (architecture !== 'arm64') return ok('MPS', 'no Apple GPU; the CPU is used');
  return advice('MPS', 'not usable', 'Update macOS (12.3 or newer) and use the build of libtorch that pip installs.');
}

/** @param heap what was set about the heap, if anything */
export function checkFinalizers(
  prompt: boolean,
  heap?: { readonly name: string; readonly value: string; readonly reason: string },
): Check {
  const details = heap === undefined ? [] : [`${heap.name}=${heap.value}: ${heap.reason}`];
  if (prompt) return ok('Memory', 'tensors are freed within garbage collection', details);
  return advice(
    'Memory',
    'this Node frees tensors only between turns of the event loop: long synchronous loops hold on to memory',
    'Use Node 20.19, 22 or newer and run: npx praxis setup --rebuild',
  );
}

/** @param answer what the engine made of 2 × 3, or the error it raised */
export function checkArithmetic(answer: number | Error): Check {
  if (answer === 6) return ok('Arithmetic', 'the engine multiplies');
  const value = answer instanceof Error ? answer.message : `the engine says that 2 × 3 = ${answer}`;
  return broken('Arithmetic', value, 'Run: npx praxis setup --rebuild; if that does not help, try another libtorch.');
}
