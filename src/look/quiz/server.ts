/** The server behind a quiz's page: for this machine, this quiz and whoever has the token; it ends by itself. */
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { DataError } from '../../data/errors.js';
import { errorCode } from '../../track/errors.js';
import { admit, type Refusal, readBody } from './guard.js';
import { quizPage } from './page.js';
import { scoreQuiz } from './score.js';
import { QuizSession } from './session.js';
import type { Quiz, QuizAttempt, QuizScore } from './types.js';

export interface QuizServerOptions {
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Ends after so many minutes in which nothing was asked of it. Default 30. */
  readonly idleMinutes?: number;
  /** An attempt at the same quiz that was broken off: it goes on after its last answer. */
  readonly before?: QuizAttempt;
  /** What a network says to a picture, by name, for the comparison at the end. */
  readonly net?: (name: string) => number | undefined;
  /** Where the answers are kept; said on the last page. */
  readonly keptIn?: string;
  /** Hears of every change, to keep it. */
  readonly onChange?: (attempt: QuizAttempt) => void | Promise<void>;
}

/** How a quiz ended. */
export interface QuizResult {
  readonly reason: 'finished' | 'idle' | 'closed';
  readonly attempt: QuizAttempt;
  readonly score: QuizScore;
}

export interface QuizServer {
  /** To open in a browser; holds the token. */
  readonly url: string;
  readonly port: number;
  /** Resolves when the person is done, when nothing happened for long, or with `close`. Rejects, and ends, when an answer could not be kept. */
  readonly ended: Promise<QuizResult>;
  /** Ends it now, with what was answered. */
  close(): Promise<QuizResult>;
}

/** Most pictures that are shown again at the end. */
const mostMissed = 48;

/** How long the last page can still be asked for. */
const grace = 1500;

const answerBody = z.object({
  position: z.number().int().nonnegative(),
  answer: z.number().int().nonnegative().nullable(),
  seconds: z.number().finite().nonnegative(),
});
const undoBody = z.object({ position: z.number().int().nonnegative() });

const refusal = (status: number, text: string): Refusal => ({ status, text });

/** What the page is told at the beginning. */
function introduction(quiz: Quiz): object {
  const { name, classes, from, available, form, examples } = quiz;
  return {
    name,
    classes,
    from,
    available,
    width: form.width,
    height: form.height,
    examples: examples.map(({ label }) => label),
  };
}

/** What the last page shows; with the pictures in it, so that it stays when the server is gone. */
function outcome(quiz: Quiz, score: QuizScore, keptIn: string | undefined): object {
  const byName = new Map(quiz.pictures.map((picture) => [picture.name, picture]));
  const missed = score.missed.slice(0, mostMissed).map(({ name, label, answer }) => ({
    name,
    label,
    answer,
    picture: `data:image/png;base64,${Buffer.from(byName.get(name)?.png ?? []).toString('base64')}`,
  }));
  return { ...score, missed, allMissed: score.missed.length, keptIn };
}

/**
 * Serves a quiz on 127.0.0.1 until it is done.
 * @throws DataError when the port is taken
 */
export async function startQuizServer(quiz: Quiz, options: QuizServerOptions = {}): Promise<QuizServer> {
  const token = randomBytes(24).toString('base64url');
  const nonce = randomBytes(16).toString('base64');
  const session = new QuizSession(quiz, options.before);
  const page = Buffer.from(quizPage({ title: quiz.name, nonce }));
  const score = (): QuizScore =>
    scoreQuiz(session.answers, { classes: quiz.classes.length, ...(options.net ? { net: options.net } : {}) });

  let settle: (result: QuizResult) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const ended = new Promise<QuizResult>((resolve, reject) => {
    settle = resolve;
    fail = (error) => {
      reject(error);
      // The page is told first.
      setTimeout(() => void end('closed'), 200).unref();
    };
  });
  // Whoever only closes the server need not hear of it twice.
  ended.catch(() => undefined);

  const headers = {
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
  const send = (response: http.ServerResponse, status: number, type: string, body: string | Uint8Array): void => {
    response.writeHead(status, { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(body) });
    response.end(response.req.method === 'HEAD' ? undefined : body);
  };
  const json = (response: http.ServerResponse, value: unknown, status = 200): void =>
    send(response, status, 'application/json', JSON.stringify(value));

  const picture = (list: Quiz['pictures'], place: string): Uint8Array => {
    const found = list[Number(place)];
    if (found === undefined) throw refusal(404, 'There is no such picture.');
    return found.png;
  };

  const read = (rest: string, response: http.ServerResponse): void => {
    const [, list, place = ''] = /^(picture|example)\/(\d{1,4})$/.exec(rest) ?? [];
    if (rest === '') send(response, 200, 'text/html; charset=utf-8', page);
    else if (rest === 'quiz') json(response, { ...introduction(quiz), ...session.state });
    else if (rest === 'result' && session.state.phase === 'done') {
      json(response, outcome(quiz, score(), options.keptIn));
      response.once('finish', () => setTimeout(() => void end('finished'), grace).unref());
    } else if (list !== undefined)
      send(response, 200, 'image/png', picture(list === 'picture' ? quiz.pictures : quiz.examples, place));
    else throw refusal(404, 'There is nothing here.');
  };

  const change = (rest: string, body: unknown): boolean => {
    if (rest === 'begin') return session.begin();
    if (rest === 'finish') return session.finish();
    if (rest === 'undo') {
      const given = undoBody.safeParse(body);
      if (given.success) return session.undo(given.data.position);
    }
    if (rest === 'answer') {
      const given = answerBody.safeParse(body);
      if (given.success && (given.data.answer === null || given.data.answer < quiz.classes.length))
        return session.answer(given.data.position, given.data.answer, given.data.seconds);
    }
    throw refusal(400, 'That is no answer.');
  };

  const handle = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const rest = admit(request, token);
    if (typeof rest !== 'string') throw rest;
    idle.refresh();
    if (request.method === 'GET' || request.method === 'HEAD') return read(rest, response);
    if (request.method !== 'POST') throw refusal(405, 'GET and POST only.');
    if (!['begin', 'answer', 'undo', 'finish'].includes(rest)) throw refusal(404, 'There is nothing here.');
    const changed = change(rest, await readBody(request));
    if (changed && rest !== 'begin') {
      try {
        await options.onChange?.(session.attempt);
      } catch (error) {
        fail(error);
        throw refusal(500, 'The answer could not be kept; see the terminal.');
      }
    }
    // A second window, or a key pressed twice: the page is told where the quiz is.
    json(response, session.state, changed ? 200 : 409);
    if (changed && rest === 'finish') setTimeout(() => void end('finished'), 10 * grace).unref();
  };

  const server = http.createServer(
    { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 5000 },
    (request, response) => {
      handle(request, response).catch((error: unknown) => {
        const { status, text } =
          error instanceof Error ? refusal(500, 'Something went wrong; see the terminal.') : (error as Refusal);
        if (error instanceof Error && !request.destroyed) fail(error);
        if (response.headersSent || response.destroyed) return;
        // What is left of a body that was refused is not read.
        if (status === 413) response.setHeader('connection', 'close');
        send(response, status, 'text/plain; charset=utf-8', text);
      });
    },
  );
  server.maxConnections = 64;

  let over: Promise<QuizResult> | undefined;
  const end = (reason: QuizResult['reason']): Promise<QuizResult> => {
    over ??= new Promise((resolve) => {
      clearTimeout(idle);
      server.close(() => resolve({ reason, attempt: session.attempt, score: score() }));
      server.closeAllConnections();
    });
    over.then(settle);
    return over;
  };
  const idle = setTimeout(() => void end('idle'), (options.idleMinutes ?? 30) * 60_000);

  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', (cause) => {
      clearTimeout(idle);
      const taken = errorCode(cause) === 'EADDRINUSE';
      reject(
        new DataError(
          `port ${options.port} ${taken ? 'is taken; leave --port out for one that is free' : `cannot be used (${errorCode(cause) || String(cause)})`}`,
          { cause },
        ),
      );
    });
    server.listen(options.port ?? 0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  return { url: `http://127.0.0.1:${port}/${token}/`, port, ended, close: () => end('closed') };
}
