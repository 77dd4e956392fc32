/** Checkpoints under twenty kills; test/train has a few. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { killWhileSaving } from '../train/checkpoint-kills.js';

test('SIGKILL while saving, twenty times: a good last each time, and the end is bit-equal', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'praxis-kills-'));
  try {
    await killWhileSaving(path.join(folder, 'run'), 20);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
