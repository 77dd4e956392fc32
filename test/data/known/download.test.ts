/** Downloads: whole after any cut, never a wrong file. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DataError } from '../../../src/data/errors.js';
import { type DownloadOptions, download } from '../../../src/data/known/index.js';
import { type Misbehaviour, serve } from './server.js';

const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i + 3 * i) % 251));
const md5 = createHash('md5').update(content).digest('hex');
const quick: DownloadOptions = { wait: 1 };

let root: string;
let folder: string;
let target: string;
before(() => {
  root = mkdtempSync(path.join(tmpdir(), 'praxis-download-'));
});
after(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  folder = mkdtempSync(path.join(root, 'one-'));
  target = path.join(folder, 'file.bin');
});

async function withServer(
  how: Misbehaviour,
  work: (url: string, requests: string[]) => Promise<void>,
  bytes = content,
): Promise<void> {
  const server = await serve(bytes, how);
  try {
    await work(server.url, server.requests);
  } finally {
    await server.close();
  }
}

function whole(): void {
  assert.deepEqual(readFileSync(target), content);
  assert.deepEqual(readdirSync(folder), ['file.bin']);
}

const refuses = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof DataError, String(error));
    assert.match(error.message, message);
    return true;
  });

test('a file arrives, with its progress, and is not asked for twice', () =>
  withServer({}, async (url, requests) => {
    const seen: number[] = [];
    await download({ urls: [url], md5 }, target, {
      onProgress: ({ received, total }) => seen.push(received, total ?? 0),
    });
    whole();
    assert.equal(seen.at(-2), content.length);
    assert.equal(seen.at(-1), content.length);
    await download({ urls: [url], md5 }, target);
    assert.equal(requests.length, 1);
  }));

test('cut again and again, it goes on where it stopped', () =>
  withServer({ cutAfter: 30_000, times: 5 }, async (url, requests) => {
    await download({ urls: [url], md5 }, target, { ...quick, tries: 2 });
    whole();
    assert.equal(requests.length, 6);
    const starts = requests.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range)?.[1]));
    assert.ok(
      starts.every((start, i) => start > (starts[i - 1] ?? 0)),
      `did not go on: ${starts}`,
    );
  }));

test('a later call goes on with what an earlier one kept', async () => {
  await withServer({ cutAfter: 50_000, times: 1 }, (url) =>
    refuses(download({ urls: [url], md5 }, target, { ...quick, tries: 0 }), /bytes are kept/),
  );
  const kept = readFileSync(`${target}.part`).length;
  assert.ok(kept > 0 && !existsSync(target));
  await withServer({}, async (url, requests) => {
    await download({ urls: [url], md5 }, target, quick);
    whole();
    assert.deepEqual(requests, [`bytes=${kept}-`]);
  });
});

test('a server that knows no ranges: from the start', () =>
  withServer({ cutAfter: 30_000, times: 2, noRange: true }, async (url, requests) => {
    await download({ urls: [url], md5 }, target, quick);
    whole();
    assert.equal(requests.length, 3);
  }));

test('a server that sends another stretch than asked for: from the start', () =>
  withServer({ cutAfter: 30_000, times: 1, wrongRange: true }, async (url) => {
    await download({ urls: [url], md5 }, target, quick);
    whole();
  }));

test('what was kept belongs to another file: from the start', () =>
  withServer({}, async (url) => {
    writeFileSync(`${target}.part`, Buffer.alloc(1000, 7));
    await download({ urls: [url], md5 }, target, quick);
    whole();
  }));

test('what was kept is longer than the file', () =>
  withServer({}, async (url) => {
    writeFileSync(`${target}.part`, Buffer.alloc(300_000, 7));
    await download({ urls: [url], md5 }, target, quick);
    whole();
  }));

test('a whole part file needs no server', async () => {
  writeFileSync(`${target}.part`, content);
  await download({ urls: ['http://127.0.0.1:1/file'], md5 }, target, quick);
  whole();
});

test('a cut without a stated length is found by the checksum', () =>
  withServer({ chunked: true, cutAfter: 10, times: 1 }, async (url) => {
    await download({ urls: [url], md5 }, target, quick);
    whole();
  }));

test('a wrong checksum is refused and nothing is kept', () =>
  withServer({}, async (url) => {
    const wrong = createHash('md5').update('other').digest('hex');
    await refuses(
      download({ urls: [url], md5: wrong }, target, quick),
      new RegExp(`MD5 ${md5} instead of ${wrong}; it was not kept`),
    );
    assert.deepEqual(readdirSync(folder), []);
  }));

test('a file of that name with other content is not touched', () =>
  withServer({}, async (url, requests) => {
    writeFileSync(target, 'mine');
    await refuses(download({ urls: [url], md5 }, target, quick), /file\.bin has MD5 .* move it away/);
    assert.equal(readFileSync(target, 'utf8'), 'mine');
    assert.equal(requests.length, 0);
  }));

test('404 is said at once; 503 is tried again', async () => {
  await withServer({ status: 404 }, async (url, requests) => {
    await refuses(download({ urls: [url], md5 }, target, quick), /answers 404 Not Found; the file may have moved/);
    assert.equal(requests.length, 1);
  });
  await withServer({ status: 503, times: 2 }, async (url) => {
    await download({ urls: [url], md5 }, target, quick);
    whole();
  });
});

test('redirects are followed, and mirrors are tried', () =>
  withServer({}, async (url) => {
    const moved = new URL('/moved', url).href;
    await download({ urls: ['http://127.0.0.1:1/nobody', moved], md5 }, target, { ...quick, tries: 1 });
    whole();
  }));

test('a silent server counts as cut', () =>
  withServer({ silentAfter: 40_000, times: 1 }, async (url, requests) => {
    await download({ urls: [url], md5 }, target, { ...quick, idle: 1000 });
    whole();
    assert.equal(requests.length, 2);
  }));

/** A server that stops in the middle of the first answer until told to go on, and a download that has come as far. */
async function halfway(
  md5: string | undefined,
  work: (first: Promise<void>, url: string, goOn: () => void, requests: string[]) => Promise<void>,
): Promise<void> {
  let goOn = () => {};
  const until = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  await withServer({ pause: { after: 50_000, until }, times: 1 }, async (url, requests) => {
    await new Promise<void>((resolve, reject) => {
      let begun = false;
      const first = download({ urls: [url], ...(md5 === undefined ? {} : { md5 }) }, target, {
        ...quick,
        onProgress: ({ received }) => {
          if (received !== 50_000) return;
          begun = true;
          work(first, url, goOn, requests).then(resolve, reject);
        },
      });
      first.catch((error) => {
        if (!begun) reject(error);
      });
    });
  });
}

for (const sum of [undefined, md5])
  test(
    `two downloads of one file: the second waits for the first (${sum === undefined ? 'no checksum' : 'MD5'})`,
    {
      timeout: 60_000,
    },
    () =>
      halfway(sum, async (first, url, goOn, requests) => {
        const notes: unknown[] = [];
        const second = download({ urls: [url], ...(sum === undefined ? {} : { md5: sum }) }, target, {
          ...quick,
          onProgress: (progress) => {
            notes.push(progress);
            if (progress.waitingFor !== undefined) goOn();
          },
        }).finally(goOn);
        await Promise.all([first, second]);
        whole();
        assert.deepEqual(notes[0], {
          file: 'file.bin',
          received: 50_000,
          total: undefined,
          waitingFor: 'this process',
        });
        assert.equal(requests.length, 1);
      }),
  );

test('a file that has become longer than it is to be is not taken for the right one', { timeout: 60_000 }, () =>
  halfway(undefined, async (first, _url, goOn) => {
    truncateSync(`${target}.part`, 300_000);
    goOn();
    await refuses(first, /gave a file with 300000 bytes instead of 200000; it was not kept/);
    assert.deepEqual(readdirSync(folder), []);
  }),
);

test('whoever was silent for so long that another process took over leaves the file to it', { timeout: 60_000 }, () =>
  halfway(undefined, async (first, _url, goOn) => {
    const other = { pid: 12, host: 'elsewhere', born: '', since: '', token: 'other' };
    writeFileSync(`${target}.lock`, JSON.stringify(other));
    goOn();
    await refuses(first, /file\.bin\.part was taken over by process 12 on elsewhere .* start again/);
    assert.deepEqual(readdirSync(folder).sort(), ['file.bin.lock', 'file.bin.part']);
  }),
);

test('the lock of a process that was killed is nobody’s', () =>
  withServer({}, async (url) => {
    // No process has this number: it is above every system's limit.
    const dead = { pid: 99999999, host: hostname(), born: '', since: '', token: 'dead' };
    writeFileSync(`${target}.lock`, JSON.stringify(dead));
    await download({ urls: [url], md5 }, target, quick);
    whole();
  }));

test('a server that packs what it sends: its length is not that of the file', () =>
  withServer({ packed: true }, async (url) => {
    await download({ urls: [url] }, target, quick);
    whole();
  }));

test('nobody there: said in a sentence', () =>
  refuses(
    download({ urls: ['http://127.0.0.1:1/file'], md5 }, target, { ...quick, tries: 2 }),
    /could not be downloaded: http:\/\/127\.0\.0\.1:1\/file: /,
  ));

test(
  'a full disk is named, and what came is kept',
  { skip: process.platform === 'win32' ? 'needs ulimit' : false },
  () =>
    withServer({}, async (url) => {
      // A limit on the size of files stands for the disk: writing beyond it fails as on a full one.
      const child = fileURLToPath(new URL('./full-disk-child.ts', import.meta.url));
      const script = `ulimit -f 64; exec "$0" --import tsx "$1" "$2" "$3" "$4"`;
      const run = () =>
        new Promise<string>((resolve) => {
          const running = spawn('bash', ['-c', script, process.execPath, child, url, md5, target]);
          let text = '';
          running.stdout.on('data', (chunk) => (text += chunk));
          running.stderr.on('data', (chunk) => (text += chunk));
          running.on('close', () => resolve(text));
        });
      assert.match(await run(), /^DataError: There is no space left for .*file\.bin/);
      assert.equal(readFileSync(`${target}.part`).length, 65536);
      await download({ urls: [url], md5 }, target, quick);
      whole();
    }),
);
