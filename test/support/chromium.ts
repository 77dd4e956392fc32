/**
 * A headless Chromium for tests of pages, driven over its DevTools protocol by a pipe: nothing to install but the browser itself.
 * `PRAXIS_CHROMIUM` names it, or it is looked for on the PATH.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function find(): string | undefined {
  const given = process.env.PRAXIS_CHROMIUM;
  if (given) return given;
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  for (const folder of folders)
    for (const name of names) {
      const file = path.join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not there.
      }
    }
  return undefined;
}

const command = find();

/** For node:test's `skip`: false, or why pages cannot be opened. */
export const skipBrowser: string | false =
  command === undefined ? 'no Chromium on this machine (apt-get install chromium, or PRAXIS_CHROMIUM=…)' : false;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** Keys that are no characters: code and Windows key code. */
const special: Readonly<Record<string, number>> = {
  Backspace: 8,
  Tab: 9,
  Enter: 13,
  Escape: 27,
  End: 35,
  Home: 36,
  ArrowLeft: 37,
  ArrowUp: 38,
  ArrowRight: 39,
  ArrowDown: 40,
};

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** A phone: touch, no hovering. */
  readonly mobile?: boolean;
}

/** One page. */
export class BrowserPage {
  /** Errors and warnings in its console, exceptions, requests that failed. */
  readonly troubles: string[] = [];

  constructor(
    private readonly browser: Browser,
    readonly session: string,
  ) {}

  /** A command of the DevTools protocol. */
  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    return this.browser.send(method, params, this.session);
  }

  async goto(url: string): Promise<void> {
    await this.#loaded('Page.navigate', { url });
  }

  async reload(): Promise<void> {
    await this.#loaded('Page.reload');
  }

  async #loaded(method: string, params: object = {}): Promise<void> {
    const loaded = this.browser.next('Page.loadEventFired', this.session);
    await Promise.all([this.send(method, params), loaded]);
  }

  /** Value of an expression in the page, awaited if it is a promise. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const answer = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    const { exceptionDetails, result } = answer as {
      exceptionDetails?: { text: string; exception?: { description?: string } };
      result: { value: Value };
    };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until an expression is true. The time is for machines under load: what is not so by then never will be. */
  async until(expression: string, seconds = 60): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`))) {
      if (Date.now() > end) {
        const text = await this.evaluate<string>('document.body.innerText');
        const troubles = this.troubles.length > 0 ? `; its troubles: ${this.troubles.join(', ')}` : '';
        throw new Error(
          `after ${seconds} s still not true in the page: ${expression}; it says: ${text.slice(0, 500)}${troubles}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Presses and releases a key: a character, or `Enter`, `Backspace`, `ArrowDown`, … */
  async press(key: string): Promise<void> {
    const code = special[key];
    const text = key === 'Enter' ? '\r' : code === undefined ? key : undefined;
    const common = { key, windowsVirtualKeyCode: code ?? key.toUpperCase().charCodeAt(0), ...(text ? { text } : {}) };
    await this.send('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', ...common });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...common });
  }

  async screenshot(file: string, whole = false): Promise<void> {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: whole });
    writeFileSync(file, Buffer.from(data as string, 'base64'));
  }
}

/** How long Chromium may take to answer a command or to load a page, in seconds. */
const patience = 60;

interface Waiting {
  readonly resolve: (message: Message) => void;
  readonly reject: (error: Error) => void;
}

/** A browser of its own, with an empty profile. Whoever starts it closes it in `finally` or `after`: it keeps the process alive. */
export class Browser {
  #id = 0;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(message: Message) => void>();
  /** Resolves when Chromium has ended, whatever ended it. */
  readonly #gone: Promise<void>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
  ) {
    this.#gone = new Promise((resolve) => {
      const end = (why: string): void => {
        resolve();
        for (const { reject } of this.#waiting.values()) reject(new Error(`Chromium ${why}`));
        this.#waiting.clear();
      };
      child.once('exit', (code, signal) => end(`has ended (${signal ?? code})`));
      child.once('error', (error) => end(`did not start: ${error.message}`));
    });
    // A write to a Chromium that has ended fails; what waits for the answer hears of the end.
    (child.stdio[3] as Writable).on('error', () => undefined);
    let text = '';
    const input = child.stdio[4] as Readable;
    input.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const messages = text.split('\0');
      text = messages.pop() ?? '';
      for (const one of messages) this.#hear(JSON.parse(one) as Message);
    });
  }

  static async start(): Promise<Browser> {
    const profile = mkdtempSync(path.join(tmpdir(), 'praxis-chromium-'));
    const flags = [
      '--headless=new',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      '--no-first-run',
      '--no-default-browser-check',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--mute-audio',
      // Chromium refuses its sandbox to root, as in containers; it opens the tests' own pages only.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      'about:blank',
    ];
    const child = spawn(command as string, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const browser = new Browser(child, profile);
    try {
      await browser.send('Browser.getVersion');
      return browser;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  #hear(message: Message): void {
    if (message.id !== undefined) {
      this.#waiting.get(message.id)?.resolve(message);
      this.#waiting.delete(message.id);
    } else for (const listener of this.#listeners) listener(message);
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#id;
    if (this.child.exitCode !== null || this.child.signalCode !== null)
      return Promise.reject(new Error(`${method}: Chromium has ended`));
    const answer = new Promise<Message>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const pipe = this.child.stdio[3] as Writable;
      pipe.write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
    });
    return this.#within(method, answer).then(({ error, result }) => {
      if (error) throw new Error(`${method}: ${error.message}`);
      return result ?? {};
    });
  }

  async #within<Result>(what: string, promise: Promise<Result>): Promise<Result> {
    let late: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error(`${what}: nothing from Chromium in ${patience} s`)), patience * 1000);
    });
    try {
      return await Promise.race([promise, limit]);
    } finally {
      clearTimeout(late);
    }
  }

  /** The next event of a kind. */
  async next(method: string, session: string): Promise<void> {
    let listener: (message: Message) => void = () => undefined;
    const heard = new Promise<void>((resolve, reject) => {
      listener = (message) => {
        if (message.method === method && message.sessionId === session) resolve();
      };
      this.#listeners.add(listener);
      void this.#gone.then(() => reject(new Error(`${method}: Chromium has ended`)));
    });
    try {
      await this.#within(method, heard);
    } finally {
      this.#listeners.delete(listener);
    }
  }

  async page(options: PageOptions = {}): Promise<BrowserPage> {
    const { width = 1280, height = 800, dark = false, mobile = false } = options;
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new BrowserPage(this, sessionId as string);
    this.#listeners.add(({ method = '', params = {}, sessionId: from }) => {
      if (from !== sessionId) return;
      // What a reload breaks off is no trouble.
      const failed = method === 'Network.loadingFailed' && params.canceled !== true;
      if (method === 'Runtime.exceptionThrown' || failed) page.troubles.push(`${method}: ${JSON.stringify(params)}`);
      if (method === 'Log.entryAdded' && ['error', 'warning'].includes((params.entry as { level: string }).level))
        page.troubles.push(JSON.stringify(params.entry));
      if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params.type as string))
        page.troubles.push(JSON.stringify(params.args));
    });
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.send(`${domain}.enable`);
    await page.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile });
    if (mobile) await page.send('Emulation.setTouchEmulationEnabled', { enabled: true });
    await page.send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
    });
    return page;
  }

  /** Ends it, also where it no longer answers, and removes its profile. */
  async close(): Promise<void> {
    this.send('Browser.close').catch(() => undefined);
    const late = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    await this.#gone;
    clearTimeout(late);
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
