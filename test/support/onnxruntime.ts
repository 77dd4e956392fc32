/** onnxruntime-node where `npm run setup:parity` has put it: what runs exported networks beside ours. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { engineFolder } from '../../src/torch/engine.js';
import { type Tensor, torch } from '../../src/torch/index.js';

/** The part of onnxruntime-common that the tests use. */
interface RuntimeTensor {
  readonly data: Float32Array | BigInt64Array | Uint8Array;
  readonly dims: readonly number[];
  readonly type: string;
}
interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(inputs: Readonly<Record<string, RuntimeTensor>>): Promise<Record<string, RuntimeTensor>>;
  release(): Promise<void>;
}
interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: Readonly<Record<string, unknown>>): Promise<Session>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => RuntimeTensor;
}

function find(): Runtime | string {
  try {
    const load = createRequire(path.join(engineFolder(), 'parity-node', 'package.json'));
    return load('onnxruntime-node') as Runtime;
  } catch {
    return 'there is no onnxruntime-node (npm run setup:parity)';
  }
}

const found = find();

/** For node:test's `skip`: false, or why exported networks cannot be run. */
export const skipRuntime: string | false = typeof found === 'string' ? found : false;

/** Runs a network in onnxruntime on the CPU; gives its outputs in order. */
export async function runOnnx(bytes: Uint8Array, batches: readonly (readonly Tensor[])[]): Promise<Tensor[][]> {
  if (typeof found === 'string') throw new Error(found);
  const session = await found.InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  try {
    const results: Tensor[][] = [];
    for (const inputs of batches) {
      const feeds = Object.fromEntries(
        session.inputNames.map((name, i) => {
          const tensor = inputs[i] as Tensor;
          return [name, new found.Tensor(tensor.dtype, tensor.toTypedArray(), tensor.shape)];
        }),
      );
      const answers = await session.run(feeds);
      results.push(
        session.outputNames.map((name) => {
          const { data, dims, type } = answers[name] as RuntimeTensor;
          const flat = torch.tensor(data as Float32Array).reshape([...dims]);
          return type === 'bool' ? flat.to('bool') : flat;
        }),
      );
    }
    return results;
  } finally {
    await session.release();
  }
}
