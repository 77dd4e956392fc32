/** What happens when memory runs out. */
import { OutOfMemoryError, type Tensor, torch } from '../../src/torch/index.js';
import { native } from '../../src/torch/load.js';
import type { NativeValue } from '../../src/torch/native.js';
import { limitAddressSpace, settle } from './measure.js';
import type { Figures } from './scenarios.js';

/** 512 MiB: a little more than half of what the limit leaves. */
const HALF = 2 ** 29;
const LIMIT = HALF * 1.5;

const empty = (): Tensor => torch.empty([HALF], { dtype: 'uint8' });

/** Without the retry, the second allocation must fail: otherwise the scenario would prove nothing. */
function failsWithoutRetry(): boolean {
  const id = native.resolve('aten::empty', 'memory_format');
  const shape: NativeValue = [HALF];
  try {
    native.dispose(native.call(id, null, shape, 0) as never);
    return false;
  } catch {
    return true;
  }
}

/** A function of its own: V8 keeps what a loop's variable holds until the variable holds something else. */
const makeAndDrop = (): number => empty().numel();

/** Each allocation fits only after the one before, which the program has dropped, is collected. */
export async function fitsAfterCollecting(): Promise<Figures> {
  await settle();
  limitAddressSpace(LIMIT);
  let made = 0;
  let failedFirst = 0;
  for (let i = 0; i < 10; i++) {
    made += makeAndDrop() === HALF ? 1 : 0;
    if (failsWithoutRetry()) failedFirst++;
  }
  return { made, failedFirst };
}

const lastElement = (x: Tensor): number =>
  x
    .fill_(3)
    .select(0, HALF - 1)
    .item();

/** An allocation that cannot fit while the first is held; and one that could fit no machine. */
export async function hopeless(): Promise<Figures> {
  await settle();
  limitAddressSpace(LIMIT);
  const held = empty();
  const messages: string[] = [];
  let kind = true;
  for (const work of [empty, () => torch.zeros([2 ** 40]), () => torch.ones([2 ** 10, 2 ** 20]).add(1)])
    try {
      work();
      messages.push('no error');
    } catch (error) {
      kind &&= error instanceof OutOfMemoryError;
      messages.push((error as Error).message);
    }
  const usable = lastElement(held);
  held.dispose();
  return { kind, messages: messages.join('\n'), usable, after: makeAndDrop() };
}

/** An output that could not be given its memory is still a tensor that can be read. */
export async function outputsStayWhole(): Promise<Figures> {
  await settle();
  limitAddressSpace(LIMIT);
  const out = torch.ones([2]);
  let message = '';
  try {
    torch.ops.aten.arange(2 ** 29, { out });
  } catch (error) {
    message = (error as Error).message;
  }
  // A size beyond 2^53 as well.
  try {
    torch.ops.aten.fft_rfftfreq((2n ** 62n) as never, 0.5, { out });
  } catch {
    // Of the same kind.
  }
  const shape = out.shape.join(', ');
  // Its memory must be as large as its shape says: reading it would crash otherwise.
  const read = out.toTypedArray().length;
  const later = (torch.ops.aten.arange(5, { out }) as Tensor).toTypedArray().join(' ');
  return { message, shape, read, later };
}

/** An output is filled after collecting, as a new tensor would be. */
export async function outputsFitAfterCollecting(): Promise<Figures> {
  await settle();
  limitAddressSpace(LIMIT);
  const out = torch.empty([0]);
  makeAndDrop();
  const failed = failsWithoutRetry();
  torch.ops.aten.arange(2 ** 27, { out });
  return { failed, shape: out.shape.join(', '), last: out.select(0, 2 ** 27 - 1).item() };
}

/** What changes its arguments is not run again: the first tensor has been changed when the second finds no memory. */
export async function mutationsOnce(): Promise<Figures> {
  await settle();
  limitAddressSpace(LIMIT);
  const held = empty();
  const small = torch.zeros([1], { dtype: 'int64' });
  const one = torch.ones([1], { dtype: 'int64' });
  let kind = 'no error';
  try {
    // int64 added to uint8 is computed in int64: eight times the memory.
    torch.ops.aten._foreach_add_([small, held], [one, one.expand([HALF])]);
  } catch (error) {
    kind = (error as Error).name;
  }
  return { kind, first: small.item() };
}
