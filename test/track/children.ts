/** Programs of the run-folder tests, in processes of their own: `children.ts WHAT FOLDER`. Loads no engine. */
import { RunFolder } from '../../src/track/index.js';

const [what, folder] = process.argv.slice(2) as [string, string];
switch (what) {
  // Holds a run and logs until it is killed.
  case 'hold': {
    const run = await RunFolder.create(folder, { name: 'held', command: 'praxis train' });
    for (let step = 1; step <= 50; step++) run.log({ step, loss: 1 / step });
    await run.flush();
    console.log(run.path);
    setInterval(() => run.log({ step: 51 }), 5);
    break;
  }
  // Tries to resume, says how that went, and holds on until its input ends.
  case 'resume':
    try {
      const run = await RunFolder.resume(folder, { command: 'praxis resume' });
      console.log('mine');
      for await (const _ of process.stdin);
      await run.close();
    } catch (error) {
      console.log(`${(error as Error).name}: ${(error as Error).message}`);
    }
    break;
  // Warns again and again, with nobody to hear it.
  case 'warn': {
    const run = await RunFolder.create(folder, { name: 'warned' });
    for (let i = 0; i < 5; i++) {
      run.warn('x'.repeat(1e5));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await run.end('finished');
    console.log('still here');
    break;
  }
  // Fills the disk that holds the folder.
  case 'fill': {
    const warnings: string[] = [];
    const run = await RunFolder.create(folder, { name: 'full', onWarning: (sentence) => warnings.push(sentence) });
    const { default: fs } = await import('node:fs');
    const filler = `${folder}/filler`;
    fs.writeFileSync(filler, '');
    try {
      for (;;) fs.appendFileSync(filler, Buffer.alloc(4096));
    } catch {}
    for (let step = 1; step <= 2000; step++) run.log({ step, text: 'x'.repeat(100) });
    await run.flush();
    await run.update({ progress: { step: 2000, text: 'y'.repeat(20_000) } });
    const during = run.logStatus;
    fs.rmSync(filler);
    await run.flush();
    await run.update({ progress: { step: 2000 } });
    const lines = await run.metrics();
    await run.end('finished');
    console.log(
      JSON.stringify({ warnings, during, lines: lines.length, last: lines.at(-1)?.step, status: run.logStatus }),
    );
    break;
  }
}
