import { SseReader, WsReader } from '@boardwire/test-kit';
import { connect, type Socket } from 'node:net';
import { call, signInAsGuest, type Person } from './person.ts';
import { clientFrame, upgradeRequest } from './raw-client.ts';

type Frame = Record<string, unknown> & { type: string };
type Step = (socket: Socket) => void;

/** One connection from its first byte to its end. */
export type Ending = () => Promise<void>;

export interface EndingsOptions {
  /** A gateway's public address. */
  url: string;
  /** May read everything. */
  admin: Person;
  /** May not read what servers say to each other. */
  guest: Person;
}

const bearer = (token: string) => `authorization: Bearer ${token}\r\n`;
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`;
const textFrame = (payload: string | object) =>
  clientFrame({ opcode: 1, payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)) });
const reset: Step = (socket) => void socket.resetAndDestroy();
const end: Step = (socket) => void socket.end();
const send =
  (bytes: Buffer | string): Step =>
  (socket) =>
    void socket.write(bytes);
const subscribe = textFrame({ type: 'subscribe', sub: 's', board: 'events', subjects: ['>'] });

/** Every way in which a connection can end. */
export function endingsOf({ url, admin, guest }: EndingsOptions): Record<string, Ending> {
  const { hostname, port } = new URL(url);
  const wsUrl = `${url.replace('http', 'ws')}/v1/ws`;
  const streamPath = (query = '') => `/v1/boards/events/stream${query}`;
  const streamUrl = (query = '') => `${url}${streamPath(query)}`;
  const openSocket = (protocol = 'boardwire.v1', query = '') =>
    WsReader.open<Frame>(`${wsUrl}${query}`, {
      protocols: [protocol],
      ...(protocol === 'boardwire.v1' ? {} : { headers: { authorization: `Bearer ${admin.token}` } }),
    });
  const refused = async (query: string, token?: string) =>
    void (await call(streamUrl(query), token === undefined ? {} : { token }));

  /** What is sent at first; then a step for each word that shows how far the server is. Rejects when it ends early. */
  const raw = (text: string, ...steps: [word: string, step: Step][]): Ending => {
    const next = (socket: Socket, said: string, from: number): number => {
      let at = from;
      while (at < steps.length && said.includes(steps[at]![0])) steps[at++]![1](socket);
      return at;
    };
    return () =>
      new Promise((resolve, reject) => {
        let said = '';
        let at = 0;
        const socket = connect(Number(port), hostname, () => {
          socket.write(text, () => (at = next(socket, said, at)));
        });
        socket.on('data', (bytes: Buffer) => {
          said += bytes.toString('latin1');
          at = next(socket, said, at);
        });
        socket.on('error', () => undefined);
        socket.once('close', () => (at === steps.length ? resolve() : reject(new Error(`ended early: ${said}`))));
      });
  };

  /** A reset after whatever has come back first, or after a moment. */
  const cut =
    (bytes: string | Buffer): Ending =>
    () =>
      new Promise((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.write(bytes));
        const timer = setTimeout(() => socket.resetAndDestroy(), 60);
        socket.on('data', () => socket.resetAndDestroy());
        socket.on('error', () => undefined);
        socket.on('close', () => {
          clearTimeout(timer);
          resolve();
        });
      });

  const subscribed = async (): Promise<WsReader<Frame>> => {
    const socket = await openSocket();
    socket.send({ type: 'auth', token: admin.token });
    socket.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['AxonChat.>'], after: 'start' });
    await socket.until(({ type }) => type === 'caught_up');
    return socket;
  };
  const stream = (query = '') => get(streamPath(query), bearer(admin.token));
  const upgrade = upgradeRequest('/v1/ws', bearer(admin.token));

  return {
    'a stream, closed by its client': async () => {
      const reader = await SseReader.open(streamUrl('?after=start'), { token: admin.token });
      await reader.until(({ event }) => event === 'caught_up');
      reader.close();
    },
    'a stream, ended by its client': raw(stream(), ['caught_up', end]),
    'a stream, reset': raw(stream('?last=5'), ['caught_up', reset]),
    'a stream, reset at its first byte': cut(stream('?last=5')),
    'a stream, left before it opens': raw(stream('?after=start'), ['', reset]),
    'a stream with rubbish behind it': raw(stream(), [
      'caught_up',
      (socket) => void socket.end('\u0000 rubbish\r\n\r\n'),
    ]),
    'a stream that opens with a state': raw(stream('?snapshot=state'), ['caught_up', reset]),
    'a stream, refused for its token': () => refused('', 'a.b.c'),
    'a stream, refused for its query': raw(stream('?last=nine'), ['problem', end]),
    'a stream, refused for its rights': () => refused('?subject=federation.x', guest.token),
    'a stream of no board': async () => void (await call(`${url}/v1/boards/nowhere/stream`, { token: admin.token })),
    'a stream with a ticket that is none': () => refused('?ticket=none'),
    'a stream of the older wire': cut(get('/api/chat/events/', bearer(admin.token))),
    'a request, half sent': cut('GET /v1/boards/events/stream HTTP/1.1\r\nhost: x\r\nauth'),
    'a body, half sent': cut(
      `POST /v1/boards/events/events HTTP/1.1\r\nhost: x\r\n${bearer(admin.token)}content-type: application/json\r\ncontent-length: 99\r\n\r\n{`,
    ),
    'nothing sent': cut(''),
    'an upgrade, half sent': cut(upgradeRequest().slice(0, 60)),
    'an upgrade, refused': cut(upgradeRequest('/v1/nowhere')),
    'an upgrade, refused for its token': cut(upgradeRequest('/v1/ws', bearer('a.b.c'))),
    'a socket, closed': async () => {
      const socket = await subscribed();
      socket.close();
      await socket.ended();
    },
    'a socket that says goodbye': raw(
      upgrade,
      ['welcome', send(subscribe)],
      ['caught_up', send(clientFrame({ opcode: 8, payload: Buffer.alloc(0) }))],
    ),
    'a socket, reset': raw(upgrade, ['welcome', send(subscribe)], ['caught_up', reset]),
    'a socket, gone': async () => (await subscribed()).terminate(),
    'a socket, gone before it said who it is': async () => (await openSocket()).terminate(),
    'a socket that breaks the protocol': raw(upgrade, ['welcome', send('rubbish')]),
    'a socket, ended in the middle of a frame': raw(upgrade, [
      'welcome',
      (socket) => void socket.end(subscribe.subarray(0, 12)),
    ]),
    'a socket, reset in the middle of a frame': cut(
      Buffer.concat([Buffer.from(upgrade), clientFrame({ opcode: 1, payload: Buffer.from('{"ty'), saidLength: 50 })]),
    ),
    'a socket, refused for its token': async () => {
      const socket = await openSocket();
      socket.send({ type: 'auth', token: 'a.b.c' });
      await socket.ended();
    },
    'a socket, for what is no frame': async () => {
      const socket = await subscribed();
      socket.send('no frame');
      await socket.ended();
    },
    'a socket, unsubscribed, with presence': async () => {
      const socket = await subscribed();
      socket.send({ type: 'presence', sub: 's' });
      socket.send({ type: 'unsubscribe', sub: 's', req: 1 });
      await socket.until(({ type, req }) => type === 'ack' && req === 1);
      socket.terminate();
    },
    'a socket of the CloudEvents binding, gone': async () => {
      const socket = await openSocket('cloudevents.json', '?board=events&after=start');
      socket.terminate();
    },
  };
}

/** Ends that the server decides on; each takes a session. */
export function revocationsOf({ url }: { url: string }): Record<string, Ending> {
  const wsUrl = `${url.replace('http', 'ws')}/v1/ws`;
  return {
    'a stream and a socket, revoked': async () => {
      const person = await signInAsGuest(url, `gone-${Math.random().toString(36).slice(2, 12)}`);
      const stream = await SseReader.open(`${url}/v1/boards/events/stream`, { token: person.token });
      const socket = await WsReader.open<Frame>(wsUrl, { protocols: ['boardwire.v1'] });
      socket.send({ type: 'auth', token: person.token });
      await socket.until(({ type }) => type === 'welcome');
      await call(`${url}/v1/auth/logout`, { method: 'POST', token: person.token });
      await Promise.all([stream.ended(), socket.ended()]);
    },
  };
}

/** Works through all of them by turns, so many beside each other. */
export async function runEndings(endings: readonly Ending[], count: number, atOnce = 12): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const ending = endings[next % endings.length]!;
      next += 1;
      // oxlint-disable-next-line no-await-in-loop -- so many at once
      await ending();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
