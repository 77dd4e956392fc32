/** Has Python's torch answer calls. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { python, skipLive } from '../support/python.js';
import { type AnswerFile, type Call, readAnswer, writeRequest } from './calls.js';

const script = fileURLToPath(new URL('../../scripts/golden/operators.py', import.meta.url));

/** One Python process answers all calls. */
export function ask(calls: readonly Call[]): AnswerFile {
  if (python === null) throw new Error(String(skipLive));
  const folder = mkdtempSync(path.join(tmpdir(), 'praxis-parity-'));
  try {
    const request = path.join(folder, 'request');
    const answer = path.join(folder, 'answer');
    writeRequest(request, calls);
    const result = spawnSync(python.command, ['-W', 'ignore', script, request, answer], {
      env: python.environment,
      encoding: 'utf8',
    });
    if (result.status !== 0) throw new Error(`Python: ${result.stderr.trim().split('\n').slice(-6).join('\n')}`);
    return readAnswer(answer);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
