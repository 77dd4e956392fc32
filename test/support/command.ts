/** A command line, run in this process as `praxis` runs it, and what it says. */
import { main } from '../../src/cli/main.js';

export interface Said {
  readonly out: string;
  readonly err: string;
  /** 0, 1 when the work failed, 2 when the command line cannot be understood. */
  readonly code: number;
}

/** @param args as typed after `praxis` */
export async function praxis(...args: string[]): Promise<Said> {
  const { log, error } = console;
  const { write } = process.stderr;
  const before = process.exitCode;
  let out = '';
  let err = '';
  console.log = (text: string) => {
    out += `${text}\n`;
  };
  console.error = (text: string) => {
    err += `${text}\n`;
  };
  process.stderr.write = ((text: string) => {
    err += text;
    return true;
  }) as typeof write;
  process.exitCode = 0;
  try {
    const code = await main(args);
    return { out, err, code };
  } finally {
    process.exitCode = before;
    process.stderr.write = write;
    Object.assign(console, { log, error });
  }
}
