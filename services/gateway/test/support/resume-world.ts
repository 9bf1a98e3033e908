import { sseHeartbeat } from '@boardwire/contracts';
import type { SeededRandom } from '@boardwire/test-kit';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { BoardChannel } from '../../src/delivery/board-channel.ts';
import { Outbox } from '../../src/delivery/outbox.ts';
import { ReplayGate } from '../../src/delivery/replay-gate.ts';
import { ReplaySource } from '../../src/delivery/replay-source.ts';
import { RingFiller } from '../../src/delivery/ring-filler.ts';
import { SliceCache } from '../../src/delivery/slice-cache.ts';
import { SseFormat } from '../../src/delivery/sse-format.ts';
import { StateReader } from '../../src/delivery/state-reader.ts';
import { StartPlanner } from '../../src/delivery/stream-start.ts';
import type { SubscriptionShared } from '../../src/delivery/subscription-options.ts';
import { Subscription } from '../../src/delivery/subscription.ts';
import type { WireFormat } from '../../src/delivery/wire-format.ts';
import { frameOf, WsFormat } from '../../src/delivery/ws-format.ts';
import { memberRules, type ChangingLog } from './changing-log.ts';
import { newChannel, TestSocket } from './memory-board.ts';
import type { ResumeReader } from './resume-reader.ts';
import { SseDecoder, WsDecoder, type WireDecoder } from './wire-decoder.ts';

export interface GatewayBounds {
  ring: { eventsMax: number; bytesMax: number };
  replayEventsMax: number;
  concurrentMax: number;
}

/** One pod: the delivery code itself, fed in seq order as far as the test lets it. */
export class TestGateway {
  channel: BoardChannel;
  delivered: number;
  readonly connections = new Set<ReaderConnection>();
  readonly shared: SubscriptionShared;
  readonly #log: ChangingLog;
  readonly #ring: GatewayBounds['ring'];

  constructor(log: ChangingLog, { ring, replayEventsMax, concurrentMax }: GatewayBounds) {
    this.#log = log;
    this.#ring = ring;
    const gate = new ReplayGate({ concurrentMax, perUserMax: concurrentMax, observeWait: () => {} });
    this.shared = {
      planner: new StartPlanner(log, new RingFiller(log), replayEventsMax),
      replay: new ReplaySource(log, gate),
      slices: new SliceCache(64 * 1024),
      states: new StateReader({ state: () => Promise.reject(new Error('nobody here asks for it')) }, gate),
    };
    this.channel = this.#newChannel();
    this.delivered = log.last;
  }

  get epoch(): string {
    return this.channel.epoch;
  }

  /** Takes what follows, of the epoch that it believes in. */
  deliver(count: number): void {
    const events = this.#log.epochs.get(this.epoch)!;
    const upTo = Math.min(events.length, this.delivered + count);
    this.channel.append(events.slice(this.delivered, upTo));
    this.delivered = upTo;
  }

  /** It hears what the log has let go of. */
  learnOldest(): void {
    if (this.epoch === this.#log.epoch) this.channel.noteOldest(this.#log.oldest);
  }

  /** It hears of the epoch that holds now, or loses its thread within one. */
  learnEpoch(skipped = 0): void {
    const { epoch, last } = this.#log;
    this.delivered = epoch === this.epoch ? Math.min(last, this.delivered + skipped) : last;
    this.channel.restart(epoch, this.delivered);
    this.learnOldest();
  }

  /** The process is killed; another one takes its place and knows nothing. */
  restart(): void {
    for (const connection of this.connections) connection.cut();
    this.channel = this.#newChannel();
    this.delivered = this.#log.last;
  }

  #newChannel(): BoardChannel {
    const { epoch, last, oldest } = this.#log;
    const channel = newChannel(last, this.#ring, epoch);
    channel.noteOldest(oldest);
    channel.setRules(memberRules);
    return channel;
  }
}

/** What a client holds of one connection: reading can stop, and either side may cut it in the middle of a block. */
export interface Pipe {
  socket: Socket;
  pause(): void;
  resume(): void;
  /** The client's end is gone. */
  hangUp(): void;
}

/** Makes connections: of a socket whose reader is the test's, or over loopback. */
export class Pipes {
  #server: Server | undefined;
  #port = 0;
  readonly #accepted: ((socket: Socket) => void)[] = [];

  async open(): Promise<void> {
    this.#server = createServer((socket) => {
      socket.on('error', () => {});
      this.#accepted.shift()!(socket);
    }).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server?.close();
  }

  inMemory(onData: (bytes: Buffer) => void): Pipe {
    const socket = new TestSocket(1_024, onData);
    return {
      socket: socket.asSocket(),
      pause: () => void (socket.isPaused = true),
      resume: () => socket.unpause(),
      hangUp: () => void socket.destroy(),
    };
  }

  async overLoopback(onData: (bytes: Buffer) => void): Promise<Pipe> {
    const accepted = new Promise<Socket>((resolve) => this.#accepted.push(resolve));
    const client = connect(this.#port, '127.0.0.1');
    client.on('data', onData).on('error', () => {});
    const socket = await accepted;
    return {
      socket,
      pause: () => void client.pause(),
      resume: () => void client.resume(),
      // Reset: no port is left waiting.
      hangUp: () => void client.resetAndDestroy(),
    };
  }
}

export interface ConnectionPlan {
  readers: readonly ResumeReader[];
  transport: 'sse' | 'ws';
  isChunked: boolean;
  outbox: { bytesMax: number; eventsMax: number };
}

/** One client's connection to one gateway, with one subscription or, over WebSocket, several. */
export class ReaderConnection {
  readonly readers: readonly ResumeReader[];
  readonly #subscriptions: Subscription[] = [];
  readonly #format: (sub: string) => WireFormat;
  readonly #decoder: WireDecoder;
  readonly #gateway: TestGateway;
  readonly #plan: ConnectionPlan;
  #pipe: Pipe | undefined;
  #outbox: Outbox | undefined;
  /** After so many bytes the client is gone, wherever that is in a block. */
  bytesLeft = Number.POSITIVE_INFINITY;
  isOver = false;
  #isEnding = false;

  constructor(gateway: TestGateway, plan: ConnectionPlan) {
    const { transport, isChunked } = plan;
    this.#gateway = gateway;
    this.#plan = plan;
    this.readers = plan.readers;
    const sse = new SseFormat({ isNamed: false, framing: isChunked ? 'chunked' : 'plain' });
    this.#format = transport === 'sse' ? () => sse : (sub) => new WsFormat(sub);
    this.#decoder = transport === 'sse' ? new SseDecoder(isChunked) : new WsDecoder();
    gateway.connections.add(this);
  }

  async open(pipes: Pipes, random: SeededRandom): Promise<void> {
    const onData = (bytes: Buffer) => this.#receive(bytes);
    this.#pipe = random.integer(1, 4) === 1 ? await pipes.overLoopback(onData) : pipes.inMemory(onData);
    const { socket } = this.#pipe;
    if (this.isOver) return this.#close();
    socket.once('close', () => this.cut());
    this.#outbox = new Outbox(socket, { ...this.#plan.outbox, onOverflow: () => this.end() });
    if (this.#plan.transport === 'ws') this.#outbox.share();
    for (const [at, reader] of this.readers.entries()) this.#subscribe(reader, `s${at}`);
  }

  get isLive(): boolean {
    return this.#subscriptions.length > 0 && this.#subscriptions.every(({ isLive }) => isLive);
  }

  pause(): void {
    this.#pipe?.pause();
  }

  resume(): void {
    this.#pipe?.resume();
  }

  heartbeat(): void {
    if (this.#outbox === undefined) return;
    if (this.#plan.transport === 'ws') {
      const cursors: Record<string, string> = {};
      for (const [at, { cursor }] of this.#subscriptions.entries())
        if (cursor !== undefined) cursors[`s${at}`] = cursor;
      this.#outbox.write(frameOf({ type: 'heartbeat', cursors }));
      return;
    }
    const cursor = this.#subscriptions[0]!.cursor;
    const format = this.#format('') as SseFormat;
    if (cursor !== undefined) this.#outbox.write(format.text(sseHeartbeat(cursor, new Date())));
  }

  /** The gateway ends it in order, as on a drain or for a slow client. */
  end(): void {
    if (this.#outbox === undefined) return this.cut();
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#leave();
    const last = this.#format('s0').reconnect({ reason: 'drain', afterMs: 0 });
    this.#outbox.finish(last, () => this.#pipe?.socket.end());
  }

  /** Gone at once, in the middle of whatever was on its way. */
  cut(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#leave();
    this.#gateway.connections.delete(this);
    this.#close();
  }

  /** Both ends: a server socket that nobody reads from never hears of a reset. */
  #close(): void {
    this.#pipe?.socket.destroy();
    this.#pipe?.hangUp();
  }

  #subscribe(reader: ResumeReader, sub: string): void {
    reader.connected();
    const subscription = new Subscription({
      ...this.#gateway.shared,
      channel: this.#gateway.channel,
      wanted: reader.wanted,
      format: this.#format(sub),
      overflow: reader.overflow,
      hasSnapshot: false,
      outbox: this.#outbox!,
      turn: { userId: 'reader', onWaiting: () => {} },
      observer: { onOpened: () => {}, onCaughtUp: () => {}, onConflated: () => {}, onFailed: () => this.end() },
    });
    this.#subscriptions.push(subscription);
    void subscription.open(reader.start);
  }

  #leave(): void {
    for (const subscription of this.#subscriptions) subscription.end();
  }

  #receive(bytes: Buffer): void {
    if (this.isOver) return;
    const taken = bytes.subarray(0, Math.min(bytes.length, this.bytesLeft));
    this.bytesLeft -= taken.length;
    for (const told of this.#decoder.push(taken)) {
      const at = told.sub === '' ? 0 : Number(told.sub.slice(1));
      this.readers[at]?.take(told);
    }
    if (this.bytesLeft <= 0) this.cut();
  }
}
