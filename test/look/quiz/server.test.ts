import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { openSource } from '../../../src/data/open-source.js';
import { readQuizAttempts, writeQuizAttempts } from '../../../src/look/quiz/file.js';
import { makeQuiz } from '../../../src/look/quiz/make.js';
import { type QuizServer, type QuizServerOptions, startQuizServer } from '../../../src/look/quiz/server.js';
import type { Quiz, QuizAttempt } from '../../../src/look/quiz/types.js';
import { squares } from './data.js';

interface Answered {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A request with exactly these headers; `fetch` would set its own. */
function request(
  server: QuizServer,
  target: string,
  options: { method?: string; headers?: http.OutgoingHttpHeaders; body?: string; host?: string } = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body, host = '127.0.0.1' } = options;
    const sent = http.request({ host, port: server.port, path: target, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const secret = (server: QuizServer): string => new URL(server.url).pathname;

async function post(server: QuizServer, what: string, body: unknown): Promise<Answered & { json: unknown }> {
  const answer = await request(server, secret(server) + what, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const isJson = answer.headers['content-type'] === 'application/json';
  return { ...answer, json: isJson ? JSON.parse(answer.body.toString()) : undefined };
}

const wrongToken = `/${'x'.repeat(32)}/`;

describe("the quiz's server", () => {
  let folder: string;
  let quiz: Quiz;
  const running: QuizServer[] = [];
  const start = async (options: QuizServerOptions = {}): Promise<QuizServer> => {
    const server = await startQuizServer(quiz, options);
    running.push(server);
    return server;
  };
  before(async () => {
    folder = await squares(['ash', 'beech', 'cedar'], [20, 20, 20]);
    quiz = await makeQuiz(await openSource(path.join(folder, 'data')), { pictures: 4, examples: 1 });
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.close()));
  });

  test('nothing without the token', async () => {
    const server = await start();
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/);
    const wrong = wrongToken;
    for (const target of [
      '/',
      '/quiz',
      '/picture/0',
      '/favicon.ico',
      wrong,
      `${wrong}quiz`,
      secret(server).slice(0, -1),
    ])
      assert.equal((await request(server, target)).status, 403, target);
    const other = await start();
    assert.notEqual(secret(other), secret(server));
    assert.equal((await request(server, secret(other))).status, 403);
    assert.equal((await request(server, secret(server))).status, 200);
  });

  test('no other host, no other origin', async () => {
    const server = await start();
    const status = async (headers: http.OutgoingHttpHeaders): Promise<number> =>
      (await request(server, `${secret(server)}quiz`, { headers })).status;
    const host = `127.0.0.1:${server.port}`;
    assert.equal(await status({ host }), 200);
    assert.equal(await status({ host: `localhost:${server.port}`, origin: `http://localhost:${server.port}` }), 200);
    // A name of an attacker's that was made to point to this machine.
    for (const foreign of [
      'evil.example',
      `evil.example:${server.port}`,
      '127.0.0.1.evil.example',
      'localhost@evil.example',
      '0.0.0.0',
    ])
      assert.equal(await status({ host: foreign }), 403, foreign);
    for (const origin of ['http://evil.example', 'null', 'https://127.0.0.1', `http://127.0.0.1:${server.port + 1}`])
      assert.equal(await status({ host, origin }), 403, origin);
    assert.equal(await status({ host, 'sec-fetch-site': 'cross-site' }), 403);
    assert.equal(await status({ host, 'sec-fetch-site': 'same-site' }), 403);
    assert.equal(await status({ host, 'sec-fetch-site': 'none' }), 200);
    const link = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    assert.equal(await status({ ...link, 'sec-fetch-dest': 'document' }), 200, 'a link in a terminal that is a page');
    assert.equal(await status({ ...link, 'sec-fetch-dest': 'iframe' }), 403);
    assert.equal(
      (await request(server, wrongToken, { headers: { ...link, 'sec-fetch-dest': 'document' } })).status,
      403,
    );
  });

  test('reached from this machine alone', async () => {
    const server = await start();
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((place) => place !== undefined && !place.internal && place.family === 'IPv4');
    const host = outside?.address ?? '127.0.0.2';
    await assert.rejects(request(server, secret(server), { host }), { code: 'ECONNREFUSED' });
  });

  test('no files, no other methods, no large bodies', async () => {
    const server = await start();
    const base = secret(server);
    for (const place of [
      '../../etc/passwd',
      '..%2f..%2fetc%2fpasswd',
      'picture/../../x',
      'picture/99',
      'picture/-1',
      'picture/1e0',
      'picture/',
      'example/7',
      'result',
      '__proto__',
    ])
      assert.ok([403, 404].includes((await request(server, base + place)).status), place);
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      assert.equal((await request(server, `${base}answer`, { method })).status, 405, method);
    assert.equal((await post(server, 'quiz', {})).status, 404);
    const json = { 'content-type': 'application/json' };
    const large = await request(server, `${base}answer`, {
      method: 'POST',
      headers: json,
      body: `"${'x'.repeat(5000)}"`,
    });
    assert.equal(large.status, 413);
    // Without a length beforehand.
    const chunked = await request(server, `${base}answer`, {
      method: 'POST',
      headers: { ...json, 'transfer-encoding': 'chunked' },
      body: `"${'x'.repeat(5000)}"`,
    });
    assert.equal(chunked.status, 413);
    const form = await request(server, `${base}finish`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '{}',
    });
    assert.equal(form.status, 415, 'what a form of another page could send');
    assert.equal((await request(server, `${base}begin`, { method: 'POST', headers: json, body: '{' })).status, 400);
    assert.deepEqual((await server.close()).attempt.answers, []);
  });

  test('what is no HTTP does not end it', async () => {
    const server = await start();
    await new Promise<void>((resolve) => {
      const socket = net.connect(server.port, '127.0.0.1', () => socket.write('\u0000\u0001 nonsense\r\n\r\n'));
      socket
        .resume()
        .on('close', () => resolve())
        .on('error', () => undefined);
    });
    assert.equal((await request(server, secret(server))).status, 200);
  });

  test('answers that make no sense are refused', async () => {
    const server = await start();
    await post(server, 'begin', {});
    const good = { position: 0, answer: 1, seconds: 1 };
    for (const bad of [
      null,
      [],
      {},
      { ...good, answer: 3 },
      { ...good, answer: -1 },
      { ...good, answer: 0.5 },
      { ...good, answer: '1' },
      { ...good, seconds: -1 },
      { ...good, seconds: null },
      { ...good, position: 1.5 },
    ])
      assert.equal((await post(server, 'answer', bad)).status, 400, JSON.stringify(bad));
    assert.equal((await post(server, 'answer', good)).status, 200);
    const twice = await post(server, 'answer', good);
    assert.equal(twice.status, 409);
    assert.deepEqual(twice.json, { phase: 'ask', position: 1, total: 4 });
  });

  test('the page is one document that may load nothing from elsewhere', async () => {
    const server = await start();
    const { headers, body } = await request(server, secret(server));
    const html = body.toString();
    assert.match(String(headers['content-security-policy']), /default-src 'none'/);
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['access-control-allow-origin'], undefined);
    assert.doesNotMatch(html, /(src|href)\s*=\s*["']?(https?:)?\/\//);
    assert.doesNotMatch(html, /url\(|@import/);
    const head = await request(server, secret(server), { method: 'HEAD' });
    assert.equal(head.body.length, 0);
  });

  test('classes of the pictures asked are not told before the end', async () => {
    const server = await start();
    await post(server, 'begin', {});
    const told = JSON.parse((await request(server, `${secret(server)}quiz`)).body.toString()) as Record<
      string,
      unknown
    >;
    assert.deepEqual(Object.keys(told).sort(), [
      'available',
      'classes',
      'examples',
      'from',
      'height',
      'name',
      'phase',
      'position',
      'total',
      'width',
    ]);
    assert.doesNotMatch(JSON.stringify(told), /\.png/);
    const picture = await request(server, `${secret(server)}picture/0`);
    assert.deepEqual(picture.body, Buffer.from(quiz.pictures[0]?.png as Uint8Array));
    assert.equal((await request(server, `${secret(server)}result`)).status, 404);
  });

  test('a whole quiz: every answer is kept at once, the result comes, the server ends', async () => {
    const kept: QuizAttempt[] = [];
    const server = await start({ onChange: (attempt) => void kept.push(attempt), net: () => 0, keptIn: 'quiz-x.json' });
    await post(server, 'begin', {});
    for (const [position, { label }] of quiz.pictures.entries()) {
      const answer = position === 0 ? (label + 1) % 3 : label;
      assert.equal((await post(server, 'answer', { position, answer, seconds: 1 + position })).status, 200);
    }
    assert.deepEqual((await post(server, 'undo', { position: 4 })).json, { phase: 'ask', position: 3, total: 4 });
    await post(server, 'answer', { position: 3, answer: null, seconds: 1 });
    assert.deepEqual((await post(server, 'finish', {})).json, { phase: 'done', position: 4, total: 4 });
    const result = JSON.parse((await request(server, `${secret(server)}result`)).body.toString()) as Record<
      string,
      unknown
    >;
    assert.equal(result.right, 2);
    assert.equal(result.of, 3);
    assert.equal(result.keptIn, 'quiz-x.json');
    const [missed] = result.missed as [{ name: string; picture: string }];
    assert.equal(missed.name, quiz.pictures[0]?.name);
    assert.match(missed.picture, /^data:image\/png;base64,iVBOR/);
    const { reason, attempt, score } = await server.ended;
    assert.equal(reason, 'finished');
    assert.deepEqual(kept.at(-1), attempt);
    assert.deepEqual(
      kept.map(({ answers }) => answers.length),
      [1, 2, 3, 4, 3, 4, 4],
    );
    assert.equal(score.skipped, 1);
    assert.equal(score.net?.of, 3);
    await assert.rejects(request(server, secret(server)), { code: 'ECONNREFUSED' });
  });

  test('ends when nobody answers, with what there is', async () => {
    const server = await start({ idleMinutes: 2 / 60 });
    await post(server, 'begin', {});
    await post(server, 'answer', { position: 0, answer: 0, seconds: 1 });
    const { reason, attempt } = await server.ended;
    assert.equal(reason, 'idle');
    assert.equal(attempt.answers.length, 1);
    assert.equal(attempt.finished, undefined);
  });

  test('an answer that cannot be kept ends it with the reason', async () => {
    const gone = path.join(folder, 'nowhere', 'quiz.json');
    const server = await start({ onChange: (attempt) => writeQuizAttempts(gone, 'x', [attempt]) });
    await post(server, 'begin', {});
    assert.equal((await post(server, 'answer', { position: 0, answer: 0, seconds: 1 })).status, 500);
    await assert.rejects(server.ended, /nowhere.*cannot be written/);
    await server.close();
    await assert.rejects(request(server, secret(server)), { code: 'ECONNREFUSED' });
  });

  test('a port that is taken', async () => {
    const server = await start();
    await assert.rejects(
      startQuizServer(quiz, { port: server.port }),
      new RegExp(`port ${server.port} is taken; leave --port out`),
    );
  });

  test('attempts are kept, read again and gone on with; other files are left alone', async () => {
    const place = mkdtempSync(path.join(tmpdir(), 'praxis-quiz-file-'));
    try {
      const file = path.join(place, 'quiz.json');
      assert.deepEqual(await readQuizAttempts(file), []);
      const first = await start({ onChange: (attempt) => writeQuizAttempts(file, 'x', [attempt]) });
      await post(first, 'begin', {});
      await post(first, 'answer', { position: 0, answer: 2, seconds: 1.5 });
      const { attempt } = await first.close();
      const [before] = await readQuizAttempts(file);
      assert.deepEqual(before, attempt);
      const second = await start({ before });
      const told = JSON.parse((await request(second, `${secret(second)}quiz`)).body.toString()) as {
        position: number;
        phase: string;
      };
      assert.deepEqual([told.phase, told.position], ['ask', 1]);
      for (const [text, pattern] of [
        ['{', /is no JSON/],
        ['{"a":1}', /is not the file of a quiz/],
        ['{"version":2}', /version 2.*newer/],
      ] as const) {
        const { writeFileSync } = await import('node:fs');
        writeFileSync(file, text);
        await assert.rejects(readQuizAttempts(file), pattern);
      }
    } finally {
      rmSync(place, { recursive: true });
    }
  });
});
