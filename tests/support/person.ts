/** Someone with a token who talks to the public door by plain HTTP. */
export interface Person {
  id: string;
  name: string;
  token: string;
  refreshToken: string;
}

export interface Answer<T = Record<string, unknown>> {
  status: number;
  type: string;
  headers: Headers;
  body: T;
  text: string;
}

export async function call<T = Record<string, unknown>>(
  url: string,
  init: {
    method?: string;
    token?: string;
    json?: unknown;
    body?: string | Uint8Array;
    headers?: Record<string, string>;
  } = {},
): Promise<Answer<T>> {
  const headers: Record<string, string> = { ...init.headers };
  if (init.token !== undefined) headers['authorization'] = `Bearer ${init.token}`;
  if (init.json !== undefined) headers['content-type'] ??= 'application/json';
  const body = init.json === undefined ? init.body : JSON.stringify(init.json);
  const response = await fetch(url, {
    method: init.method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    ...(body === undefined ? {} : { body: body as BodyInit }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    headers: response.headers,
    text,
    body: parse<T>(text),
  };
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined as T;
  }
}

interface SessionBody {
  accessToken: string;
  refreshToken: string;
  user: { id: string; name: string };
}

async function session(url: string, path: string, json: unknown): Promise<Person> {
  const answer = await call<SessionBody>(`${url}/v1/auth/${path}`, { json });
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  const { accessToken, refreshToken, user } = answer.body;
  return { id: user.id, name: user.name, token: accessToken, refreshToken };
}

export const signInAsGuest = (url: string, nickname: string) => session(url, 'guest', { nickname });
export const signIn = (url: string, name: string, password: string) => session(url, 'login', { name, password });

/** An access token lives for a quarter of an hour; some tests take longer. */
export async function renew(url: string, person: Person): Promise<void> {
  const { token, refreshToken } = await session(url, 'refresh', { refreshToken: person.refreshToken });
  Object.assign(person, { token, refreshToken });
}

export const say = (url: string, person: Person, text: string, extra: Record<string, unknown> = {}) =>
  call<{ id: string; seq: number; cursor: string; code?: string }>(`${url}/v1/boards/events/events`, {
    token: person.token,
    json: { subject: 'AxonChat.lobby', type: 'chat.message.posted', data: { text }, ...extra },
  });
