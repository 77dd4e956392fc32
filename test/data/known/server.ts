/** A file server on this machine that misbehaves on request. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export interface Misbehaviour {
  /** Closes the connection after so many bytes of a response, the first `times` times. */
  cutAfter?: number;
  times?: number;
  /** Sends the whole file whatever is asked for. */
  noRange?: boolean;
  /** Sends another stretch than asked for. */
  wrongRange?: boolean;
  /** Answers with this status, the first `times` times. */
  status?: number;
  /** Says nothing after this many bytes. */
  silentAfter?: number;
  /** Says nothing after `after` bytes until `until`, the first `times` times. */
  pause?: { after: number; until: Promise<unknown> };
  /** Packs what it sends, and states the length of that. */
  packed?: boolean;
  /** Sends no content-length. */
  chunked?: boolean;
}

export interface TestServer {
  readonly url: string;
  /** The `range` header of each request, '' for none. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Serves `content` at every address; `/moved` redirects to `/file`. */
export async function serve(content: Buffer, how: Misbehaviour = {}): Promise<TestServer> {
  const requests: string[] = [];
  let bad = how.times ?? Number.POSITIVE_INFINITY;
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/moved') {
      response.writeHead(302, { location: '/file' }).end();
      return;
    }
    const range = request.headers.range ?? '';
    requests.push(range);
    const misbehaves = bad-- > 0;
    if (misbehaves && how.status !== undefined) {
      response.writeHead(how.status).end('no');
      return;
    }
    if (how.packed) {
      const bytes = gzipSync(content);
      response.writeHead(200, { 'content-length': bytes.length, 'content-encoding': 'gzip' }).end(bytes);
      return;
    }
    let start = how.noRange ? 0 : Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0);
    if (range !== '' && !how.noRange && start >= content.length) {
      response.writeHead(416).end();
      return;
    }
    if (how.wrongRange && start > 0) start -= 1;
    const rest = content.subarray(start);
    const partial = range !== '' && !how.noRange;
    response.writeHead(partial ? 206 : 200, {
      ...(how.chunked ? {} : { 'content-length': rest.length }),
      ...(partial ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}),
    });
    if (misbehaves && how.cutAfter !== undefined)
      // Who reads must have had time to take what came: an error after it would throw that away.
      response.write(rest.subarray(0, how.cutAfter), () => setTimeout(() => response.socket?.end(), 60));
    else if (misbehaves && how.pause !== undefined) {
      const { after, until } = how.pause;
      response.write(rest.subarray(0, after));
      void until.then(() => response.end(rest.subarray(after)));
    } else if (misbehaves && how.silentAfter !== undefined) response.write(rest.subarray(0, how.silentAfter));
    else response.end(rest);
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/file`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
