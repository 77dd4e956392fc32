/** Held by the compiler, never run: which indices `at` and `setAt` take. `test/types.test.ts` compiles this file. */
import type { Index } from '../../src/torch/indexing.js';
import type { Slice } from '../../src/torch/slice.js';
import type { Tensor } from '../../src/torch/tensor.js';

declare const x: Tensor;
declare const slice: Slice;
declare const start: number;
declare const text: string;

export function indices(): void {
  const row: Tensor = x.at(0);
  row.at(0, -1, 2n);
  x.at(':', '1:5', '::2', '-3:', ':-1', '1:10:3', '...');
  x.at(null, 'newaxis', true);
  x.at(x.gt(0), [0, 2], [[0], [1]], [true, false], Int32Array.of(1));
  x.at(slice, `${start}:${start + 8}`, `${start}:`);
  x.at();
  // @ts-expect-error a bound is a number
  x.at('1:a');
  // @ts-expect-error a position is a number, not text
  x.at('1');
  // @ts-expect-error two dots
  x.at('..');
  // @ts-expect-error three colons
  x.at('1:2:3:4');
  // @ts-expect-error any text is not an index
  x.at(text);
  // @ts-expect-error a hole in a list of indices is a mistake, null is a new dimension
  x.at(undefined);
  // @ts-expect-error positions are not floating-point numbers
  x.at(Float32Array.of(1));
  // @ts-expect-error slices stand beside arrays, not in them
  x.at([0, ':']);

  const same: Tensor = x.setAt([0, ':'], 1);
  same
    .setAt([], x)
    .setAt([[0, 1]], [1, 2])
    .setAt(['...', -1], { re: 1, im: 0 });
  // @ts-expect-error the indices are an array
  x.setAt(0, 1);
  // @ts-expect-error a value is a number, a tensor or nested arrays
  x.setAt([0], 'one');
  const kept: Index[] = [0, ':', null];
  x.at(...kept);
}
