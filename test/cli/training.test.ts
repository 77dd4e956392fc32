/** How a training is followed: by several readers, and by the commands, whose exit codes tell what became of the run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showTraining } from '../../src/cli/training.js';
import type { RunResult } from '../../src/train/recipe/recipe.js';
import { Training } from '../../src/train/train.js';

const ended = (state: RunResult['state']): RunResult => ({ folder: 'runs/x', state });
const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

test('several readers share the events, and each ends with the training', { timeout: 10_000 }, async () => {
  const training = new Training(async (_stop, emit) => {
    for (let i = 0; i < 4; i++) {
      await soon();
      emit({ kind: 'note', text: `${i}` });
    }
    await soon();
    return ended('finished');
  });
  const read = async (): Promise<string[]> => {
    const texts: string[] = [];
    for await (const event of training) if (event.kind === 'note') texts.push(event.text);
    return texts;
  };
  assert.deepEqual((await Promise.all([read(), read()])).flat().sort(), ['0', '1', '2', '3']);
});

test('a signal that comes when nothing is left to stop does not make a finished run a stopped one', async () => {
  for (const [state, code] of [
    ['finished', 0],
    ['stopped', 143],
  ] as const) {
    let heard = false;
    const training = new Training(async (stop) => {
      process.kill(process.pid, 'SIGTERM');
      while (stop.reason === undefined) await soon();
      heard = true;
      return ended(state);
    });
    assert.equal(await showTraining(training, { quiet: true }), code);
    assert.ok(heard);
  }
});
