import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { limits } from '@boardwire/contracts';
import { decodeGossip, encodeGossip, seatBatches, seatsOf } from '../src/presence/gossip/gossip-message.ts';
import { podsMax } from '../src/presence/gossip/gossip.ts';
import { seatsPerPodMax } from '../src/presence/gossip/other-pod.ts';
import type { SeatState } from '../src/presence/seat.ts';
import { beatMs, ChannelPod, GossipChannel, graceMs } from './support/gossip-channel.ts';

let channel: GossipChannel;
let pods: ChannelPod[];
const open = (name: string): ChannelPod => {
  const pod = new ChannelPod(channel, name);
  pods.push(pod);
  return pod;
};
const pass = (ms: number) => jest.advanceTimersByTime(ms);
/** A moment for what is coalesced, delivered and told. */
const settle = () => pass(300);

beforeEach(() => {
  jest.useFakeTimers();
  channel = new GossipChannel(1);
  pods = [];
});
afterEach(() => {
  jest.clearAllTimers();
  jest.useRealTimers();
});

describe('gossip', () => {
  test('a person with tabs on two pods is one person on each, and leaves once', () => {
    const [a, b] = [open('a'), open('b')];
    settle();
    const [onA, onB] = [a.enter('u1'), b.enter('u1', ['AxonChat.lobby'])];
    settle();
    for (const pod of [a, b]) {
      expect(pod.here).toEqual(['u1']);
      expect(pod.presence.subscribers('events')).toBe(2);
      expect(pod.presence.users).toBe(1);
    }
    onA();
    pass(2 * graceMs);
    expect(b.here).toEqual(['u1']);
    onB();
    pass(2 * graceMs);
    for (const pod of [a, b]) {
      expect(pod.told).toEqual(['+u1', '-u1']);
      expect(pod.presence.subscribers('events')).toBe(0);
    }
  });

  test('thousands who come at once are told in portions, and all of them', () => {
    const [a, b] = [open('a'), open('b')];
    settle();
    const leaves = Array.from({ length: 1_000 }, (_unused, at) => a.enter(`u${at}`));
    pass(51);
    expect(b.here.length).toBeGreaterThan(0);
    expect(b.here.length).toBeLessThan(500);
    settle();
    expect(b.here).toHaveLength(1_000);
    for (const leave of leaves) leave();
    a.stop();
    pass(2 * graceMs);
    expect(b.here).toEqual([]);
    expect(b.presence.users).toBe(0);
  });

  test('a pod that comes later knows at once who was there before', () => {
    const a = open('a');
    a.enter('u1');
    pass(60_000);
    const b = open('b');
    b.enter('u2');
    settle();
    expect([a.here, b.here]).toEqual([
      ['u1', 'u2'],
      ['u1', 'u2'],
    ]);
  });

  test('someone who moves to another pod is not seen to leave', () => {
    const [a, b, c] = [open('a'), open('b'), open('c')];
    settle();
    const leave = a.enter('u1');
    settle();
    leave();
    pass(graceMs - 1_000);
    b.enter('u1');
    pass(30_000);
    for (const pod of [a, b, c]) expect(pod.told).toEqual(['+u1']);
  });

  test('a pod that says bye leaves its people the time to come back elsewhere', () => {
    const [a, b] = [open('a'), open('b')];
    settle();
    a.enter('u1');
    a.enter('u2');
    settle();
    a.stop();
    settle();
    expect(b.dropped).toEqual(['bye']);
    expect(b.here).toEqual(['u1', 'u2']);
    b.enter('u1');
    pass(graceMs - 1_000);
    expect(b.told).toEqual(['+u1', '+u2']);
    pass(1_000);
    expect(b.told).toEqual(['+u1', '+u2', '-u2']);
  });

  test('a pod that is killed is gone after three beats and not before', () => {
    const [a, b] = [open('a'), open('b')];
    settle();
    a.enter('u1');
    settle();
    a.kill();
    pass(3 * beatMs - 1_000);
    expect(b.here).toEqual(['u1']);
    pass(beatMs + 1_500);
    expect(b.here).toEqual([]);
    expect(b.told).toEqual(['+u1', '-u1']);
    expect(b.dropped).toEqual(['silent']);
  });

  test('a pod of the same name that starts again takes the place of its former life', () => {
    const [a, b] = [open('a'), open('b')];
    settle();
    a.enter('u1');
    a.enter('u2');
    settle();
    a.kill();
    const again = open('a');
    again.enter('u1');
    settle();
    expect(again.here).toEqual(['u1']);
    pass(beatMs + graceMs + 1_000);
    expect(b.here).toEqual(['u1']);
    expect(b.told).toEqual(['+u1', '+u2', '-u2']);
  });

  test('two pods that were given the same name by mistake are both heard', () => {
    const [a, twin, c] = [open('a'), open('a'), open('c')];
    a.enter('u1');
    twin.enter('u2');
    pass(60_000);
    for (const pod of [a, twin, c]) expect(pod.here).toEqual(['u1', 'u2']);
    expect(c.told.toSorted()).toEqual(['+u1', '+u2']);
  });

  test('without the bus nobody leaves; when it is back, what was missed is asked for', () => {
    const [a, b] = [open('a'), open('b')];
    settle();
    const leave = a.enter('u1');
    a.enter('u2');
    settle();
    for (const pod of [a, b]) pod.client.setConnected(false);
    leave();
    a.enter('u3');
    pass(20 * beatMs);
    expect(b.told).toEqual(['+u1', '+u2']);
    for (const pod of [a, b]) pod.client.setConnected(true);
    pass(graceMs + 1_000);
    expect(b.here).toEqual(['u2', 'u3']);
    expect(b.told).toEqual(['+u1', '+u2', '+u3', '-u1']);
  });

  test('a delta that is lost is made good with the next beat', () => {
    const [a, b] = [open('a'), open('b')];
    settle();
    b.client.connected = false;
    a.enter('u1');
    settle();
    b.client.connected = true;
    a.enter('u2');
    pass(2_000);
    expect(b.here).toEqual(['u1', 'u2']);
    expect(b.sent.filter((kind) => kind === 'ask').length).toBeLessThanOrEqual(3);
  });

  test('what came in a wrong shape under the right version is found by the hash', () => {
    const [a, b] = [open('a'), open('b')];
    settle();
    const forged = { type: 'delta', pod: 'a', incarnation: a.incarnation, version: 1, filters: [['open.a']] };
    const seats = [['events', 0, 'u9', 'nobody', 1]];
    channel.send(a.client, 'presence.pod.a', JSON.stringify({ ...forged, seats }));
    settle();
    a.enter('u1');
    settle();
    expect(b.here).toEqual(['u9']);
    pass(beatMs + graceMs + 1_000);
    expect(b.here).toEqual(['u1']);
  });

  test('a pod that has stopped says nothing more', () => {
    const [a, b] = [open('a'), open('b')];
    a.enter('u1');
    settle();
    a.gossip.stop();
    a.gossip.beat();
    a.enter('u2');
    pass(60_000);
    expect(a.sent.at(-1)).toBe('bye');
    expect(b.gossip.pods).toBe(0);
    expect(b.told).toEqual(['+u1', '-u1']);
  });

  test('a list is sent once, however many ask for it', () => {
    const a = open('a');
    a.enter('u1');
    settle();
    a.sent.length = 0;
    for (let at = 0; at < 20; at += 1) open(`b${at}`);
    settle();
    for (const pod of pods) expect(pod.here).toEqual(['u1']);
    expect(a.sent.filter((kind) => kind === 'list')).toHaveLength(1);
    pass(60_000);
    expect(a.sent.filter((kind) => kind === 'list')).toHaveLength(1);
  });

  test('ten thousand people travel in chunks', () => {
    const a = open('a');
    for (let at = 0; at < 10_000; at += 1) a.enter(`user-${at}-äöü`, ['AxonChat', `inbox.${at}`]);
    settle();
    const b = open('b');
    settle();
    expect(b.here).toHaveLength(10_000);
    expect(a.sent.filter((kind) => kind === 'list').length).toBeGreaterThan(3);
  });
});

describe('what others say', () => {
  const envelope = { pod: 'evil', incarnation: 'x' };
  const seat: [string, number, string, string, number] = ['events', 0, 'u9', 'nine', 1];
  const say = (message: unknown, subject = 'presence.pod.evil') =>
    channel.send(undefined as never, subject, typeof message === 'string' ? message : JSON.stringify(message));

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['no object', 'null'],
    ['an unknown type', { type: 'hug', ...envelope }],
    ['no pod', { type: 'beat', version: 1, count: 0, hash: '' }],
    ['another pod’s name', { type: 'bye', pod: 'b', incarnation: 'x' }],
    ['a negative version', { type: 'beat', ...envelope, version: -1, count: 0, hash: '' }],
    ['a seat that is none', { type: 'delta', ...envelope, version: 1, filters: [['a']], seats: [['events']] }],
    ['a filter that is none', { type: 'delta', ...envelope, version: 1, filters: [['']], seats: [seat] }],
    ['too much', `"${'x'.repeat(2 * limits.presenceChunkBytesMax)}"`],
  ])('%s is refused and does no harm', (_what, message) => {
    const [a, b] = [open('a'), open('b')];
    a.enter('u1');
    settle();
    say(message);
    say(message, 'presence.ask.a');
    settle();
    expect(a.refused + b.refused).toBeGreaterThanOrEqual(2);
    expect([a.here, b.here]).toEqual([['u1'], ['u1']]);
  });

  test('that does not hold together is not believed', () => {
    const b = open('b');
    settle();
    say({ type: 'delta', ...envelope, version: 1, filters: [['a']], seats: [seat] });
    say({ type: 'list', ...envelope, version: 3, count: 1, hash: '', part: 5, parts: 2, filters: [], seats: [] });
    say({ type: 'list', ...envelope, version: 3, count: 1, hash: '', part: 0, parts: 1, filters: [], seats: [seat] });
    settle();
    expect(b.here).toEqual([]);
    expect(b.gossip.podsBehind).toBe(1);
    pass(5 * beatMs);
    expect(b.gossip.pods).toBe(0);
  });

  test('is bounded, in pods and in seats of a pod', () => {
    const b = open('b');
    for (let at = 0; at < podsMax + 20; at += 1) {
      say({ type: 'beat', pod: `p${at}`, incarnation: 'x', version: 0, count: 0, hash: '' }, `presence.pod.p${at}`);
    }
    settle();
    expect(b.gossip.pods).toBe(podsMax);
    pass(5 * beatMs);
    const states = Array.from({ length: seatsPerPodMax + 10 }, (_, at) => stateOf(`u${at}`));
    const batches = seatBatches(states);
    for (const [part, batch] of batches.entries()) {
      say({
        type: 'list',
        ...envelope,
        version: 1,
        count: states.length,
        hash: 'x',
        part,
        parts: batches.length,
        ...batch,
      });
    }
    settle();
    expect(b.presence.users).toBe(seatsPerPodMax);
    const asked = b.sent.filter((kind) => kind === 'ask').length;
    for (let at = 0; at < 5; at += 1) {
      say({ type: 'beat', ...envelope, version: 1, count: states.length, hash: 'x' });
      pass(beatMs);
    }
    // What can't fit is not asked for with every beat.
    expect(b.sent.filter((kind) => kind === 'ask').length).toBe(asked);
  });
});

describe('a batch', () => {
  test('comes through the wire whole and stays below the size of a chunk', () => {
    const states = Array.from({ length: 9_000 }, (_, at) => ({
      ...stateOf(`${'ü"\n'.repeat(at % 20)}${at}`),
      filters: [`a.${at % 300}`, 'x'.repeat(at % 200) || 'y'],
    }));
    const batches = seatBatches(states);
    const envelope = { pod: 'p'.repeat(253), incarnation: 'i'.repeat(64) };
    const decoded = batches.flatMap((batch, version) => {
      const text = encodeGossip({ type: 'delta', ...envelope, version, ...batch });
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.presenceChunkBytesMax);
      const message = decodeGossip(Buffer.from(text));
      return message?.type === 'delta' ? seatsOf(message)! : [];
    });
    expect(batches.length).toBeGreaterThan(2);
    expect(decoded).toEqual(states);
  });
});

function stateOf(id: string): SeatState {
  return { board: 'events', filters: ['AxonChat'], user: { id, name: `name of ${id}` }, open: 1 };
}
