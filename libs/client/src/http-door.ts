import { asBoardwireError, BoardwireError, errorOfResponse } from './errors.ts';
import type { TokenSource } from './tokens.ts';

/** What an answer is checked against; every schema of contracts is one. */
export interface Contract<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: unknown };
}

export interface RequestDescription<T> {
  method?: 'GET' | 'POST' | 'DELETE';
  path: string;
  query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  body?: unknown;
  contentType?: string;
  /** Any answer that does not fit is `bad_answer`. */
  answer: Contract<T>;
  /** Sends no token: signing in. */
  isAnonymous?: boolean;
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

export interface OpenDescription {
  path: string;
  query?: RequestDescription<unknown>['query'];
  accept?: string;
  /** Until the answer begins; how long it goes on is the caller's affair. */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/** JSON over HTTP with a token: every refusal and every failure to get an answer is a {@link BoardwireError}. */
export class HttpDoor {
  readonly #baseUrl: string;
  readonly #fetch: typeof fetch;
  readonly #tokens: () => TokenSource;

  constructor(baseUrl: string, fetchFunction: typeof fetch, tokens: () => TokenSource) {
    this.#baseUrl = baseUrl;
    this.#fetch = fetchFunction;
    this.#tokens = tokens;
  }

  /** One request; a token that is refused is renewed and the request repeated, once. */
  async request<T>(description: RequestDescription<T>): Promise<T> {
    if (description.isAnonymous === true) return this.#send(description, undefined);
    return this.#withToken((token) => this.#send(description, token));
  }

  /** A GET whose answer the caller reads as it comes: text, a file, an event stream. */
  open(description: OpenDescription): Promise<Response> {
    return this.#withToken((token) => this.#open(description, token));
  }

  async #withToken<T>(send: (token: string) => Promise<T>): Promise<T> {
    const tokens = this.#tokens();
    const token = await tokens.current();
    try {
      return await send(token);
    } catch (error) {
      if (!(error instanceof BoardwireError) || error.status !== 401) throw error;
      return send(await tokens.renew(token));
    }
  }

  async #open(description: OpenDescription, token: string): Promise<Response> {
    const { path, query = {}, accept = '*/*', timeoutMs = 15_000, signal } = description;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      const response = await this.#fetch(`${this.#baseUrl}${path}${queryString(query)}`, {
        cache: 'no-store',
        headers: { accept, authorization: `Bearer ${token}` },
        signal: signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]),
      });
      if (!response.ok) throw await errorOfResponse(response);
      return response;
    } catch (error) {
      throw asBoardwireError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #send<T>(description: RequestDescription<T>, token: string | undefined): Promise<T> {
    const { method = 'GET', path, query = {}, body, contentType, answer, timeoutMs = 15_000, signal } = description;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException('no answer in time', 'TimeoutError')), timeoutMs);
    const response = await this.#reach(`${this.#baseUrl}${path}${queryString(query)}`, {
      method,
      cache: 'no-store',
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // Not of AbortSignal.timeout: on Node 20 such a part of `any` is collected, and never fires.
      signal: signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]),
    }).finally(() => clearTimeout(timer));
    const parsed = answer.safeParse(response);
    if (!parsed.success) throw new BoardwireError('bad_answer', { cause: parsed.error });
    return parsed.data;
  }

  async #reach(url: string, init: RequestInit): Promise<unknown> {
    try {
      const response = await this.#fetch(url, init);
      if (!response.ok) throw await errorOfResponse(response);
      const text = await response.text();
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    } catch (error) {
      if (error instanceof SyntaxError) throw new BoardwireError('bad_answer', { cause: error });
      throw asBoardwireError(error);
    }
  }
}

function queryString(query: NonNullable<RequestDescription<unknown>['query']>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const each of typeof value === 'object' ? value : [value]) search.append(name, String(each));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}
