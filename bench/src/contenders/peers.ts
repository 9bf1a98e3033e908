import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Target } from '../load/load-generator.ts';
import { LineContender } from './line-contender.ts';

export interface PeerOptions {
  core: string | undefined;
}

/** Compiled files lie beside this one's; tests run from the sources, peers never do. */
const peer = (name: string) =>
  fileURLToPath(new URL(`../peers/${name}.js`, import.meta.url)).replace('/bench/src/', '/bench/dist/');

const nodePeer = (file: string, core: string | undefined) => ({
  command: process.execPath,
  args: [peer(file)],
  core,
});

export function startFloor(program: string, { core }: PeerOptions): Promise<LineContender> {
  return LineContender.start({ name: 'C', command: program, args: [], core, target: (port) => sseTarget(port, '/') });
}

export function startSocketIo({ core }: PeerOptions): Promise<LineContender> {
  return LineContender.start({ name: 'Socket.IO', ...nodePeer('socket-io-server', core), target: socketIoTarget });
}

export function startNest({ core }: PeerOptions): Promise<LineContender> {
  const target = (port: number) => sseTarget(port, '/stream');
  return LineContender.start({ name: 'Nest @Sse()', ...nodePeer('nest-server', core), target });
}

/** Not for fan-out: it formats for each client what that client has missed. */
export function startPerClient({ core }: PeerOptions): Promise<LineContender> {
  const target = (port: number) => perClientTarget(port, 0);
  return LineContender.start({ name: 'formatted for each client', ...nodePeer('per-client-server', core), target });
}

export function perClientTarget(port: number, after: number): Target {
  return { ...sseTarget(port, `/?after=${after}`), ready: 'event: caught_up' };
}

function sseTarget(port: number, path: string): Target {
  const request = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/event-stream\r\n\r\n`;
  return { port, requests: [request], ready: '', isWebSocket: false };
}

function socketIoTarget(port: number): Target {
  return {
    port,
    requests: [upgradeRequest({ port, path: '/socket.io/?EIO=4&transport=websocket' })],
    // Joins the default namespace; the answer tells the socket's id.
    greeting: clientFrame('40'),
    ready: '40{',
    isWebSocket: true,
  };
}

export interface UpgradeRequest {
  port: number;
  path: string;
  headers?: string;
}

export function upgradeRequest({ port, path, headers = '' }: UpgradeRequest): string {
  return (
    `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
    `sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${headers}\r\n`
  );
}

/** A text frame of a client (RFC 6455, 5.2). Masked with zeros, which leaves the payload as it is. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126 ? [0x81, 0x80 | payload.length] : [0x81, 0xfe, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}
