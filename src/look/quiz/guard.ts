/**
 * Who may talk to a quiz's server. Other pages in the same browser and other users of the same machine can reach its port: they lack the
 * token, and a page of another origin is refused even with it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A refusal: a status and a few words. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

const forbidden: Refusal = { status: 403, text: 'Open the address that praxis quiz printed.' };

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares without telling by its time how much was right. */
export function sameToken(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

/** Names of this machine alone. A rebound DNS name of an attacker is none of them; the port may be one that is forwarded. */
const localHost = /^(127\.0\.0\.1|localhost)(:\d{1,5})?$/;

/**
 * What lies behind the token in a request's path, or why it is refused.
 * @returns e.g. `picture/3`
 */
export function admit(request: IncomingMessage, token: string): string | Refusal {
  const { host = '', origin } = request.headers;
  if (!localHost.test(host)) return forbidden;
  if (origin !== undefined && origin !== `http://${host}`) return forbidden;
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': kind } = request.headers;
  // A link in a terminal that itself is a page comes from another site; it opens the page as a whole, and the token is in it.
  const opened = request.method === 'GET' && mode === 'navigate' && kind === 'document';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !opened) return forbidden;
  const [, given = '', rest = ''] = /^\/([^/?#]*)\/([^?#]*)$/.exec(request.url ?? '') ?? [];
  return sameToken(given, token) ? rest : forbidden;
}

/** Most bytes of a request's body: an answer has about fifty. */
export const bodyLimit = 1024;

/** The body as JSON. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const refuse = (status: number, text: string): Refusal => ({ status, text });
  if (!/^application\/json(;|$)/.test(request.headers['content-type'] ?? '')) throw refuse(415, 'JSON was expected.');
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) throw refuse(413, 'That is too much.');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyLimit) throw refuse(413, 'That is too much.');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw refuse(400, 'That is no JSON.');
  }
}
