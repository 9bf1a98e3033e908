import { createServer, type AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { agree, isWhole, type HeldEvent } from './agreement.ts';
import { parseArguments } from './arguments.ts';
import { SocksProxy } from './socks-proxy.ts';

const event = (origin: string, n: number): HeldEvent => ({ origin, id: `${origin}-${n}`, hash: `h${n}` });
const accepted = [event('a', 1), event('a', 2), event('a', 3), event('b', 1), event('b', 2)];
const [a1, a2, a3, b1, b2] = accepted as [HeldEvent, HeldEvent, HeldEvent, HeldEvent, HeldEvent];

describe('three sites agree', () => {
  test('when each has every event once, whatever the order between origins', () => {
    for (const held of [accepted, [b1, a1, b2, a2, a3]]) {
      const agreement = agree('x', held, accepted);
      expect(agreement).toEqual({ name: 'x', events: 5, missing: 0, twice: 0, foreign: 0, misplaced: 0 });
      expect(isWhole(agreement)).toBe(true);
    }
  });

  test.each([
    ['one is missing', [a1, a2, b1, b2], { missing: 1 }],
    ['one is there twice', [...accepted, a3], { twice: 1 }],
    ['an origin’s order is not kept', [a2, a1, a3, b1, b2], { misplaced: 1 }],
    ['one says something else', [a1, { ...a2, hash: 'other' }, a3, b1, b2], { foreign: 1, missing: 0 }],
    ['one is of nobody', [...accepted, event('c', 1)], { foreign: 1 }],
    ['one is said by another site', [a1, a2, a3, b1, { ...b2, origin: 'a' }], { foreign: 1, missing: 1 }],
  ])('not when %s', (_what, held, expected) => {
    const agreement = agree('x', held, accepted);
    expect(agreement).toMatchObject(expected);
    expect(isWhole(agreement)).toBe(false);
  });
});

describe('the arguments', () => {
  test('have defaults, and are refused when they are none', () => {
    expect(parseArguments([])).toEqual({ posts: 60, seconds: 8, isHelp: false });
    expect(parseArguments(['--posts=5', '--seconds', '1', '--help'])).toEqual({ posts: 5, seconds: 1, isHelp: true });
    for (const wrong of [['--posts', '0'], ['--posts'], ['--seconds', '1.5'], ['--port', '1'], ['x']]) {
      expect(() => parseArguments(wrong)).toThrow(/^(--\w+ takes|Unknown option)/);
    }
  });
});

describe('the proxy', () => {
  const open: (() => void)[] = [];
  afterEach(() => open.splice(0).forEach((close) => close()));

  /** Answers in capitals. */
  async function shouter(): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).on('data', (data) => socket.write(data.toString().toUpperCase()));
      open.push(() => socket.destroy());
    });
    open.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  /** Asks a SOCKS5 proxy for a port by a name, and says hello there. */
  async function dial(proxy: SocksProxy, port: number): Promise<{ socket: Socket; answer: string }> {
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
    open.push(() => socket.destroy());
    socket.on('error', () => undefined);
    const name = Buffer.from('site.onion');
    socket.write(Uint8Array.of(5, 1, 0));
    expect([...(await next(socket))]).toEqual([5, 0]);
    socket.write(Buffer.concat([Uint8Array.of(5, 1, 0, 3, name.length), name, Uint8Array.of(port >> 8, port & 255)]));
    const reply = (await next(socket))[1]!;
    if (reply !== 0) return { socket, answer: `refused ${reply}` };
    socket.write('hello');
    return { socket, answer: (await next(socket)).toString() };
  }

  const next = (socket: Socket) =>
    new Promise<Buffer>((resolve, reject) => {
      socket.once('data', resolve);
      socket.once('close', () => reject(new Error('closed')));
    });

  test('breaks a link that is cut, refuses it until it is healed, and leaves others alone', async () => {
    const [one, other] = [await shouter(), await shouter()];
    const proxy = await SocksProxy.open();
    open.push(() => proxy.close());
    const first = await dial(proxy, one);
    const second = await dial(proxy, other);
    expect([first.answer, second.answer]).toEqual(['HELLO', 'HELLO']);
    const broken = new Promise((resolve) => first.socket.once('close', resolve));
    proxy.cut(one);
    await broken;
    second.socket.write('still');
    expect((await next(second.socket)).toString()).toBe('STILL');
    expect((await dial(proxy, one)).answer).toBe('refused 4');
    proxy.heal(one);
    expect((await dial(proxy, one)).answer).toBe('HELLO');
  });
});
