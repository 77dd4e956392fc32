/** What the process holds, as the system and the engine count it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { collectGarbage } from '../../src/torch/garbage.js';
import { torch } from '../../src/torch/index.js';

/** A line of /proc/self/status in bytes: `VmHWM` (peak), `VmRSS`, `VmSize`. */
export function status(line: 'VmHWM' | 'VmRSS' | 'VmSize'): number {
  return Number(new RegExp(`${line}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}

/**
 * Lets everything go that nobody holds: what JavaScript drops may be the last to hold something in the engine, which holds JavaScript again.
 * How many turns that takes is the collector's affair; a few in a row that free nothing end it.
 */
export async function settle(): Promise<void> {
  let held = Number.POSITIVE_INFINITY;
  for (let quiet = 0, turns = 0; quiet < 4 && turns < 100; turns++) {
    collectGarbage();
    // An ordinary call of the bridge frees what the collector was not allowed to.
    const { handles } = torch.memory();
    quiet = handles < held ? 0 : quiet + 1;
    held = Math.min(held, handles);
    await new Promise(setImmediate);
  }
}

/** Live handles, and bytes behind them, after everything droppable is gone. */
export async function live(): Promise<{ handles: number; bytes: number }> {
  await settle();
  const { handles, bytes } = torch.memory();
  return { handles, bytes: bytes.cpu ?? 0 };
}

/** Slope of the least-squares line through points one apart. */
export function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  let numerator = 0;
  let denominator = 0;
  for (const [i, value] of values.entries()) {
    numerator += (i - middle) * (value - mean);
    denominator += (i - middle) ** 2;
  }
  return numerator / denominator;
}

/** From now on the process may take this many more bytes of address space. */
export function limitAddressSpace(headroom: number): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--as=${status('VmSize') + headroom}`, '--core=0']);
}
