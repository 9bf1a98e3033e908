import { openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { importSigningKey } from '@boardwire/signing';
import { startTestPostgres } from '@boardwire/test-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { Dialer } from '../src/dialing/dialer.ts';
import { HopClient } from '../src/hop/hop-client.ts';
import { HopSigner } from '../src/hop/hop-signer.ts';
import { HopVerifier, type HopKeyring } from '../src/hop/hop-verifier.ts';
import { signHello, verifyHello, type SignedHello } from '../src/hop/hello-signature.ts';
import { NonceStore } from '../src/hop/nonce-store.ts';
import { siteIdOf } from '../src/identity/site-id.ts';
import { migrations } from '../src/migrations.ts';
import { PeerStandIn } from './support/peer-stand-in.ts';

const [ours, theirs] = [3, 4].map((byte) => importSigningKey(Buffer.alloc(32, byte))) as [Key, Key];
type Key = ReturnType<typeof importSigningKey>;
const here = siteIdOf(ours.publicKey);
const there = siteIdOf(theirs.publicKey);
const logger = createLogger({ service: 'test', level: 'silent' });
const keys: HopKeyring = {
  hopKey: async (site) => (site === here ? ours : site === there ? theirs : undefined),
};

const theirSigner = new HopSigner({ site: there, keyId: 'k', key: theirs });
let theirVerifier: HopVerifier;
let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
let database: Database;
let peer: PeerStandIn;
let dialer: Dialer;
let client: HopClient;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const schemas = [{ schema: 'federation', role: 'boardwire_federation', password: 'p' }];
  const urls = await provisionSchemas(postgres.postgres.url, schemas);
  database = await openDatabase({ url: urls['federation']!, schema: 'federation', migrations, logger });
  const nonces = new NonceStore(database);
  theirVerifier = new HopVerifier({ site: there, keys, nonces });
  peer = await PeerStandIn.start();
  dialer = new Dialer({ allowedNetworks: ['127.0.0.1'], httpHosts: ['127.0.0.1'] });
  const verifier = new HopVerifier({ site: here, keys, nonces });
  client = new HopClient({ dialer, signer: new HopSigner({ site: here, keyId: 'k', key: ours }), verifier });
});
afterAll(async () => {
  await dialer.close();
  await peer.close();
  await database.close();
  await postgres.stop();
});
beforeEach(() => {
  peer.answer = (request, response) => void honest(request, response);
});

/** What a peer does with a request: proves it by its raw bytes and signs what it answers. */
async function proven(request: IncomingMessage) {
  const body = await buffer(request);
  const headers = request.headersDistinct;
  const hop = await theirVerifier.verify({ method: request.method!, target: request.url!, headers, body });
  return { hop, body };
}

interface Answer {
  sent?: Uint8Array;
  encoding?: string;
  status?: number;
}

async function honest(request: IncomingMessage, response: ServerResponse, how: Answer = {}) {
  try {
    const { hop, body } = await proven(request);
    const { sent = Buffer.from(JSON.stringify({ from: hop.site, size: body.length })), encoding, status = 200 } = how;
    const signed = { status, body: sent, contentType: 'application/json', requestSignature: hop.signature };
    const encoded = encoding === undefined ? {} : { 'content-encoding': encoding };
    response.writeHead(status, { ...theirSigner.signAnswer(signed), ...encoded }).end(sent);
  } catch (error) {
    response.writeHead(401).end(String(error));
  }
}

const call = (more: { body?: Uint8Array; path?: string; bytesMax?: number } = {}) => {
  const { path = '/fed/v1/rooms/br1/events?a=%20b', bytesMax = 10_000, body } = more;
  const url = `http://127.0.0.1:${peer.port}${path}`;
  const request = { method: 'POST' as const, url, destination: there, bytesMax };
  return client.call(body === undefined ? request : { ...request, body });
};

test('a request over real HTTP is proven there, and its answer here', async () => {
  const answer = await call({ body: Buffer.from('{"a":1}') });
  expect(answer).toMatchObject({ status: 200, json: { from: here, size: 7 }, hop: { site: there } });
  expect((await call()).json).toEqual({ from: here, size: 0 });
});

test('an encoded answer is proven as it travelled, then inflated', async () => {
  const sent = gzipSync('{"ok":true}');
  peer.answer = (request, response) => void honest(request, response, { sent, encoding: 'gzip' });
  expect((await call()).json).toEqual({ ok: true });
});

test('a refusal counts when it is signed', async () => {
  peer.answer = (request, response) =>
    void honest(request, response, { status: 404, sent: Buffer.from('{"code":"room_unknown"}') });
  expect(await call()).toMatchObject({ status: 404, json: { code: 'room_unknown' } });
});

test('an answer without a signature, or with the one of an earlier request, is nobody’s', async () => {
  peer.answer = (_request, response) => response.end('{}');
  await expect(call()).rejects.toMatchObject({ failure: 'sig_missing' });
  let kept: Record<string, string> | undefined;
  peer.answer = (request, response) =>
    void proven(request).then(({ hop }) => {
      const answer = { status: 200, body: Buffer.from('{}'), contentType: 'application/json' };
      kept ??= theirSigner.signAnswer({ ...answer, requestSignature: hop.signature });
      response.writeHead(200, kept).end('{}');
    });
  await call();
  await expect(call()).rejects.toMatchObject({ failure: 'sig_invalid' });
});

test('a bomb, duplicate names and too much are refused though they are signed', async () => {
  const answers: [Answer, number, object][] = [
    [{ sent: gzipSync(Buffer.alloc(1_000_000)), encoding: 'gzip' }, 1_000_000, { failure: 'inflated' }],
    [{ sent: Buffer.from('{"a":1,"a":2}') }, 10_000, { name: 'StrictJsonError' }],
    [{ sent: Buffer.alloc(10_001, 0x20) }, 10_000, { failure: 'too_large' }],
  ];
  for (const [how, bytesMax, expected] of answers) {
    peer.answer = (request, response) => void honest(request, response, how);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await expect(call({ bytesMax })).rejects.toMatchObject(expected);
  }
});

test('a stream’s hello proves who answers which request', async () => {
  peer.answer = (request, response) =>
    void proven(request).then(({ hop }) => {
      const hello = signHello(theirSigner, { room: 'br1' }, { to: hop.site, nonce: hop.nonce });
      response.write(`${JSON.stringify(hello)}\n`);
    });
  const open = () =>
    client.open({ method: 'POST', url: `http://127.0.0.1:${peer.port}/stream`, destination: there, timeoutMs: 5_000 });
  const read = async ({ body }: Awaited<ReturnType<typeof open>>) => {
    for await (const part of body) return JSON.parse(String(part)) as SignedHello;
    throw new Error('no hello');
  };
  const first = await open();
  const second = await open();
  const hello = await read(first);
  const binding = { from: there, to: here, nonce: first.nonce, key: theirs };
  expect(await verifyHello(hello, binding)).toMatchObject({ room: 'br1', from: there, to: here });
  await expect(verifyHello(hello, { ...binding, nonce: second.nonce })).rejects.toMatchObject({
    failure: 'sig_invalid',
  });
  second.body.destroy();
});
