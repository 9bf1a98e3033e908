import { setTimeout as sleep } from 'node:timers/promises';
import { bytesMax, decodeText, readBytes } from '../reading/read-file.ts';
import { CannotTell, Refuted } from '../verdict.ts';

const attemptsMax = 5;
const silenceMs = 30_000;
const pauseMs = 150;
const pauseMaxMs = 10_000;

/** The audit routes of one site, for a reader with a token that may change while a long download goes on. */
export class AuditSite {
  readonly #base: string;
  #token = '';

  constructor(
    url: string,
    private readonly tokenPath: string,
    /** A former epoch of the log; the one that is being written, if left out. */
    private readonly epoch?: string,
  ) {
    const { protocol } = URL.canParse(url) ? new URL(url) : { protocol: '' };
    if (protocol !== 'http:' && protocol !== 'https:') throw new CannotTell(`--url ${url} is no http(s) address`);
    this.#base = `${url.replace(/\/+$/, '')}/v1/audit/`;
  }

  /** A small answer; undefined for 404. */
  async get(path: string, max: number): Promise<Buffer | undefined> {
    return this.#repeated(path, async (response) => {
      const parts: Uint8Array[] = [];
      let length = 0;
      for await (const part of response) {
        parts.push(part);
        length += part.length;
        if (length > max) throw new Refuted(`${path} answers more than the ${max} bytes that it can have`);
      }
      return Buffer.concat(parts);
    });
  }

  /** An answer of any length, handed to `take` as it comes; false for 404. After a failure it begins again. */
  async stream(path: string, take: (bytes: AsyncIterable<Uint8Array>) => Promise<void>): Promise<boolean> {
    const taken = await this.#repeated(path, async (response) => {
      await take(response);
      return true;
    });
    return taken ?? false;
  }

  async #repeated<T>(path: string, read: (body: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
        return await this.#once(path, read);
      } catch (error) {
        if (!(error instanceof TryAgain)) throw error;
        if (attempt === attemptsMax)
          throw new CannotTell(`${path}: ${error.message}. What was fetched stays: run it again`);
        // oxlint-disable-next-line no-await-in-loop
        await sleep(Math.min(pauseMaxMs, error.afterMs ?? pauseMs * 2 ** attempt));
      }
    }
  }

  async #once<T>(path: string, read: (body: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T | undefined> {
    if (this.#token === '') await this.#readToken(path);
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), silenceMs);
    try {
      const response = await fetch(this.#addressOf(path), {
        headers: { authorization: `Bearer ${this.#token}`, accept: '*/*' },
        // A token goes nowhere but where the auditor sends it.
        redirect: 'manual',
        signal: silence.signal,
      });
      if (response.status === 404) return undefined;
      if (response.status !== 200) throw await this.#refusal(response, path);
      return await read(heard(response.body ?? [], timer));
    } catch (error) {
      if (error instanceof CannotTell || error instanceof Refuted || error instanceof TryAgain) throw error;
      if (isLocal(error))
        throw new CannotTell(`${path} can't be stored: ${(error as Error).message}`, { cause: error });
      const why = silence.signal.aborted ? `no answer for ${silenceMs / 1_000} s` : reasonOf(error);
      throw new TryAgain(why);
    } finally {
      clearTimeout(timer);
    }
  }

  #addressOf(path: string): string {
    if (this.epoch === undefined || !/^(?:tile\/|checkpoint|proof\/)/.test(path)) return this.#base + path;
    return `${this.#base}${path}${path.includes('?') ? '&' : '?'}epoch=${encodeURIComponent(this.epoch)}`;
  }

  async #refusal(response: Response, path: string): Promise<Error> {
    const { status } = response;
    await response.body?.cancel();
    if (status === 401) {
      await this.#readToken(path);
      return new TryAgain(`the token in ${this.tokenPath} is refused (401)`);
    }
    if (status === 403)
      return new CannotTell('the account may not read the audit (403): it needs the role auditor or admin');
    const afterMs = Number(response.headers.get('retry-after') ?? Number.NaN) * 1_000;
    if (status === 429 || status >= 500)
      return new TryAgain(`answers ${status}`, Number.isNaN(afterMs) ? undefined : afterMs);
    return new CannotTell(`${path} answers ${status}`);
  }

  /** Tokens are short-lived: whoever renews one writes it into the same file. */
  async #readToken(path: string): Promise<void> {
    const token = decodeText(await readBytes(this.tokenPath, bytesMax.keys), this.tokenPath).trim();
    if (token === '' || /[^\u0021-\u007e]/.test(token))
      throw new CannotTell(`${this.tokenPath} holds no token (for ${path})`);
    this.#token = token;
  }
}

class TryAgain extends Error {
  constructor(
    message: string,
    readonly afterMs?: number,
  ) {
    super(message);
  }
}

/** Passes on what comes and starts the silence anew with each part. */
async function* heard(body: AsyncIterable<Uint8Array> | never[], timer: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  for await (const part of body) {
    timer.refresh();
    yield part;
  }
}

function isLocal(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return code !== undefined && ['open', 'write', 'mkdir', 'rename', 'ftruncate'].includes(syscall ?? '');
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}
