/** The PyTorch side of the benchmarks: one Python process that stays, asked case by case. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { engineSettings } from '../src/torch/load.js';
import type { ParityPython } from '../test/support/python.js';

export class PythonSide {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: ChildProcessWithoutNullStreams) {
    this.#process = process;
    this.#lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    process.stderr.resume();
  }

  /** Starts it as its users do: without what Praxis sets for its own engine, such as how threads wait. */
  static async start(python: ParityPython, threads: number, file = 'reference.py'): Promise<PythonSide> {
    const script = fileURLToPath(new URL(file, import.meta.url));
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      ...python.environment,
      PRAXIS_BENCH_THREADS: String(threads),
    };
    for (const { name } of engineSettings()) delete env[name];
    return PythonSide.#greeted(spawn(python.command, ['-W', 'ignore', script], { env }));
  }

  /** The same for a compiled part of Praxis in a process of its own. */
  static async startNode(file: string): Promise<PythonSide> {
    const script = fileURLToPath(new URL(file, import.meta.url));
    return PythonSide.#greeted(spawn(process.execPath, [script], { env: process.env }));
  }

  static async #greeted(process: ChildProcessWithoutNullStreams): Promise<PythonSide> {
    const side = new PythonSide(process);
    const greeting = await side.#line();
    if (!greeting.startsWith('ready')) throw new Error(`The PyTorch side did not start: ${greeting}`);
    return side;
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('The PyTorch side ended.');
    return value;
  }

  /** Nanoseconds per repetition, or null when this PyTorch cannot run the case. */
  async time(name: string, repetitions: number): Promise<number | null> {
    this.#process.stdin.write(`${name} ${repetitions}\n`);
    const answer = await this.#line();
    return answer.startsWith('unavailable') ? null : Number(answer);
  }

  stop(): void {
    this.#process.stdin.end();
  }
}
