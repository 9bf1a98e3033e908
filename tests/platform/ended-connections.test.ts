import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { readdirSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { queryObjects } from 'node:v8';
import { Outbox } from '../../services/gateway/src/delivery/outbox.ts';
import { Subscription } from '../../services/gateway/src/delivery/subscription.ts';
import { SseConnection } from '../../services/gateway/src/http/sse-connection.ts';
import { EventSocket } from '../../services/gateway/src/ws/event-socket.ts';
import { SocketConnection } from '../../services/gateway/src/ws/socket-connection.ts';
import { endingsOf, revocationsOf, runEndings, type Ending } from '../support/endings.ts';
import { signInAsGuest } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

// The heap itself is asked which objects are left, so that one kept object among a hundred connections is seen. What
// a whole process keeps of ten thousand is measured from outside, by `leaks`.
const cyclesEach = process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 400 : 40;
/** V8 may still hold the last one or two in a place that the next call overwrites. */
const lastOnes = 3;
/** Connections between services and to the database come and go meanwhile. */
const others = cyclesEach / 2;

let site: TestSite;
let endings: Record<string, Ending>;

beforeAll(async () => {
  // In this process, where the heap can be asked.
  site = await startTestSite({ env: { LOG_LEVEL: 'warn', LEAVE_GRACE_MS: '0' } });
  const { url } = site;
  const people = { admin: await site.admin(), guest: await signInAsGuest(url, 'gone') };
  endings = { ...endingsOf({ url, ...people }), ...revocationsOf({ url }) };
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

/** How many are left of what belongs to one connection; each look collects the garbage first. */
const kinds = { Outbox, Subscription, SseConnection, SocketConnection, EventSocket };
/** What others have as well. */
const sharedKinds = { Socket, IncomingMessage };
const alive = (kind: Function) => queryObjects(kind as never, { format: 'count' }) as unknown as number;
const descriptors = () => readdirSync('/proc/self/fd').length;

interface Left {
  own: Record<string, number>;
  shared: Record<string, number>;
}

const counted = (list: Record<string, Function>) =>
  Object.fromEntries(Object.entries(list).map(([name, kind]) => [name, alive(kind)]));

/** Asking the heap stops the whole site for seconds: it must hear from chat again before it serves anybody. */
async function look(): Promise<Left> {
  const left = { own: counted(kinds), shared: { ...counted(sharedKinds), descriptors: descriptors() } };
  await eventually(() => endings['a stream, ended by its client']!());
  return left;
}

/** What is there too much, or nothing. A question to another service that nobody waits for has its deadline of 5 s. */
async function leftBehind(before: Left): Promise<string[]> {
  const tooMuch = async () => {
    const { own, shared } = await look();
    return [
      ...Object.entries(own).filter(([, count]) => count > lastOnes),
      ...Object.entries(shared).filter(([name, count]) => count - before.shared[name]! > others),
    ].map(([name, count]) => `${count} × ${name}`);
  };
  return eventually(async () => expect(await tooMuch()).toEqual([]), { timeoutMs: 15_000, everyMs: 1_000 }).then(
    () => [],
    tooMuch,
  );
}

describe('connections that have ended', () => {
  test(`leave no object and no descriptor behind (each kind of ending ${cyclesEach} times)`, async () => {
    const all = Object.values(endings);
    await runEndings(all, all.length);
    const before = await look();
    await runEndings(all, cyclesEach * all.length);
    const left = await leftBehind(before);
    if (left.length === 0) return;
    const guilty: string[] = [];
    for (const [name, ending] of Object.entries(endings)) {
      // oxlint-disable-next-line no-await-in-loop -- which one it was
      const then = await look();
      // oxlint-disable-next-line no-await-in-loop
      await runEndings([ending], cyclesEach);
      // oxlint-disable-next-line no-await-in-loop
      const now = await look();
      const grown = Object.keys(then.own).filter((kind) => now.own[kind]! - then.own[kind]! > lastOnes);
      if (grown.length > 0) guilty.push(`${name}: ${grown.join(', ')}`);
    }
    throw new Error(`left behind: ${left.join(', ')}\nby ${guilty.join('\nby ') || 'none of them alone'}`);
  }, 300_000);
});
