import { openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { generateSigningKey, importSigningKey, type SigningKey } from '@boardwire/signing';
import { seededRandom, startTestPostgres } from '@boardwire/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { contentDigest } from '../src/hop/content-digest.ts';
import { signHello, verifyHello } from '../src/hop/hello-signature.ts';
import {
  answerCoverText,
  formatParameters,
  HopError,
  requestCoverText,
  signatureHeaders,
  signatureText,
  type HopFailure,
} from '../src/hop/hop-profile.ts';
import { HopSigner } from '../src/hop/hop-signer.ts';
import { HopVerifier } from '../src/hop/hop-verifier.ts';
import { NonceStore } from '../src/hop/nonce-store.ts';
import { answerBase, requestBase, type HopRequest } from '../src/hop/signature-base.ts';
import { siteIdOf } from '../src/identity/site-id.ts';
import { migrations } from '../src/migrations.ts';

const seed = seededRandom().seed;
const numRuns = process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 3_000 : 150;
const logger = createLogger({ service: 'test', level: 'silent' });

const nowMs = 1_766_000_000_000;
const key = importSigningKey(Buffer.alloc(32, 7));
const here = siteIdOf(Buffer.alloc(32, 1));
const sender = siteIdOf(Buffer.alloc(32, 2));
const elsewhere = siteIdOf(Buffer.alloc(32, 3));
const kid = 'bk1hop';
const url = 'https://here.example/fed/v1/rooms/br1/events?from=1&limit=2';
const body = Buffer.from('{"items":[]}');

let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
let database: Database;
let other: Database;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const schemas = [{ schema: 'federation', role: 'boardwire_federation', password: 'p' }];
  const urls = await provisionSchemas(postgres.postgres.url, schemas);
  const open = () => openDatabase({ url: urls['federation']!, schema: 'federation', migrations, logger });
  [database, other] = await Promise.all([open(), open()]);
});
afterAll(async () => {
  await Promise.all([database.close(), other.close()]);
  await postgres.stop();
});
beforeEach(async () => {
  await database.query('TRUNCATE hop_nonce');
});

function verifierOn(store: Database, { site = here, at = nowMs, known = key as SigningKey | null } = {}) {
  const keys = {
    hopKey: async (claimed: string, claimedKid: string) =>
      claimed === sender && claimedKid === kid ? (known ?? undefined) : undefined,
  };
  return new HopVerifier({ site, keys, nonces: new NonceStore(store), now: () => at });
}

const signerAt = (at: number, nonce?: string) =>
  new HopSigner({
    site: sender,
    keyId: kid,
    key,
    now: () => at,
    ...(nonce === undefined ? {} : { nonce: () => nonce }),
  });

function signed({ at = nowMs, nonce }: { at?: number; nonce?: string } = {}): HopRequest {
  const headers = signerAt(at, nonce).sign({ method: 'POST', url, body, destination: here });
  return { method: 'POST', target: url.slice('https://here.example'.length), headers, body };
}

async function failure(work: Promise<unknown>): Promise<HopFailure | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof HopError) return error.failure;
    throw error;
  }
}

const judged = (request: HopRequest) => failure(verifierOn(database).verify(request));

/** Signs whatever it is told to, with the right key: for what a peer that means harm would send. */
function forged(change: (parameters: string) => string, headers: Record<string, string> = {}): HopRequest {
  const request = signed();
  const all = { ...(request.headers as Record<string, string>), ...headers };
  const created = nowMs / 1_000;
  const nonce = 'ab'.repeat(16);
  const parameters = { created, expires: created + 60, nonce, site: sender, kid };
  const text = change(formatParameters(requestCoverText, parameters));
  const signature = key.sign(requestBase({ ...request, headers: all }, text));
  return { ...request, headers: { ...all, ...signatureHeaders(text, signature) } };
}

/** Made by openssl from these very lines: digest, site ids (base32) and signature. */
describe('a known request with a known key', () => {
  const nonce = '000102030405060708090a0b0c0d0e0f';
  const base = [
    '"@method": POST',
    '"@path": /fed/v1/rooms/br1/events',
    '"@query": ?from=1&limit=2',
    '"content-digest": sha-256=:7vRnQa38Op92KU07ePN6RfETCSrJ1E7nfHoDioj/CaE=:',
    '"content-type": application/json',
    '"bf-destination": bs1vcqk6hwx6v2lddfn5r2z3i3c35qbbu3rfxgdv4vyay3msefzywlq',
    '"bf-protocol": boardwire-fed/1',
    '"@signature-params": ("@method" "@path" "@query" "content-digest" "content-type" "bf-destination" "bf-protocol")' +
      `;created=1766000000;expires=1766000060;nonce="${nonce}";keyid="bs1scp6seu3khv2xgfsgyxdsg74iq4hkoyilhhzx34smau6ad6qyfiq/bk1hop";alg="ed25519";tag="boardwire-fed/1"`,
  ].join('\n');

  test('has this signature base and this signature', () => {
    const request = signed({ nonce });
    const input = String(request.headers['signature-input']);
    expect(requestBase(request, input.slice('bw='.length)).toString()).toBe(base);
    expect(request.headers['signature']).toBe(
      'bw=:JndpEEkhEK4xuSrethhhuyovuCjLnLCADRN0F8E5lTW8WY7NDdZ8rYrPd/Y9ceEeQJ+CXi7vmCs/JKyIzD0VAA==:',
    );
  });

  test('without body and query has the digest of no bytes and a lone question mark', () => {
    const headers = signerAt(nowMs, nonce).sign({ method: 'GET', url: '/fed/v1/rooms/br1/head', destination: here });
    expect(headers['content-digest']).toBe('sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:');
    const request = { method: 'GET', target: '/fed/v1/rooms/br1/head', headers, body: Buffer.alloc(0) };
    const text = requestBase(request, '()').toString();
    expect(text).toContain('"@path": /fed/v1/rooms/br1/head\n"@query": ?\n');
  });
});

describe('a signed request', () => {
  test('is taken, once, and tells who sent it', async () => {
    const request = signed({ at: nowMs + 2_000 });
    const hop = await verifierOn(database).verify(request);
    expect(hop).toMatchObject({ site: sender, kid, clockOffsetMs: 2_000 });
    expect(await judged(request)).toBe('nonce_replayed');
  });

  test('is replayed on another replica in vain, also at the very same moment', async () => {
    const request = signed();
    const copies = Array.from({ length: 20 }, (_, n) =>
      failure(verifierOn(n % 2 === 0 ? database : other).verify(request)),
    );
    const outcomes = await Promise.all(copies);
    expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'nonce_replayed')).toHaveLength(19);
  });

  test('is worth nothing at another site', async () => {
    expect(await failure(verifierOn(database, { site: elsewhere }).verify(signed()))).toBe('wrong_destination');
  });

  test('that was not of the peer uses no nonce up', async () => {
    const request = signed();
    expect(await judged({ ...request, body: Buffer.from('{"items":[1]}') })).toBe('digest_mismatch');
    expect(await judged({ ...request, target: '/other' })).toBe('sig_invalid');
    expect(await judged(request)).toBeUndefined();
  });

  test.each([
    ['signature'],
    ['signature-input'],
    ['content-digest'],
    ['content-type'],
    ['bf-destination'],
    ['bf-protocol'],
  ])('without %s is refused', async (name) => {
    const { [name]: _gone, ...headers } = signed().headers;
    expect(await judged({ ...signed(), headers })).toBe('sig_missing');
    const doubled = { ...signed().headers, [name]: [String(signed().headers[name]), String(signed().headers[name])] };
    expect(await judged({ ...signed(), headers: doubled })).toBe('sig_invalid');
  });

  test.each<[string, HopFailure, Partial<HopRequest>]>([
    ['method', 'sig_invalid', { method: 'PUT' }],
    ['method, by case', 'sig_invalid', { method: 'post' }],
    ['path', 'sig_invalid', { target: '/fed/v1/rooms/br2/events?from=1&limit=2' }],
    ['query', 'sig_invalid', { target: '/fed/v1/rooms/br1/events?from=2&limit=2' }],
    ['query, left out', 'sig_invalid', { target: '/fed/v1/rooms/br1/events' }],
    ['query, in other order', 'sig_invalid', { target: '/fed/v1/rooms/br1/events?limit=2&from=1' }],
    ['path, escaped', 'sig_invalid', { target: '/fed/v1/rooms/%62r1/events?from=1&limit=2' }],
    ['target, in absolute form', 'sig_invalid', { target: url }],
    ['body', 'digest_mismatch', { body: Buffer.from('{"items":[1]}') }],
    ['body, gone', 'digest_mismatch', { body: Buffer.alloc(0) }],
  ])('with another %s is refused', async (_what, expected, change) => {
    expect(await judged({ ...signed(), ...change })).toBe(expected);
  });

  test.each<[string, HopFailure, Record<string, string>]>([
    ['digest that fits another body', 'digest_mismatch', { 'content-digest': contentDigest(Buffer.from('x')) }],
    ['second digest', 'digest_mismatch', { 'content-digest': `${contentDigest(body)}, sha-512=:AAAA:` }],
    ['content type', 'sig_invalid', { 'content-type': 'application/x-ndjson' }],
    ['destination', 'wrong_destination', { 'bf-destination': elsewhere }],
    ['protocol', 'sig_invalid', { 'bf-protocol': 'boardwire-fed/2' }],
  ])('with another header: %s', async (_what, expected, change) => {
    const request = signed();
    expect(await judged({ ...request, headers: { ...request.headers, ...change } })).toBe(expected);
  });

  test('with body and digest swapped together is refused', async () => {
    const swapped = Buffer.from('{"items":[1]}');
    const headers = { ...signed().headers, 'content-digest': contentDigest(swapped) };
    expect(await judged({ ...signed(), headers, body: swapped })).toBe('sig_invalid');
  });
});

describe('a signature that the right key made is refused', () => {
  test.each<[string, (parameters: string) => string]>([
    ['with another algorithm', (text) => text.replace('"ed25519"', '"hmac-sha256"')],
    ['without an algorithm', (text) => text.replace(';alg="ed25519"', '')],
    ['with another tag', (text) => text.replace('tag="boardwire-fed/1"', 'tag="other"')],
    ['without a tag', (text) => text.replace(';tag="boardwire-fed/1"', '')],
    ['without created', (text) => text.replace(/;created=\d+/, '')],
    ['without expires', (text) => text.replace(/;expires=\d+/, '')],
    ['without a nonce', (text) => text.replace(/;nonce="[^"]+"/, '')],
    ['with a short nonce', (text) => text.replace(/;nonce="[^"]+"/, ';nonce="ab"')],
    ['with a nonce in capitals', (text) => text.replace('abab', 'ABab')],
    ['without a key id', (text) => text.replace(/;keyid="[^"]+"/, '')],
    ['that lives 61 seconds', (text) => text.replace(/expires=\d+/, `expires=${nowMs / 1_000 + 61}`)],
    ['that expires as it is made', (text) => text.replace(/expires=\d+/, `expires=${nowMs / 1_000}`)],
    ['with a parameter more', (text) => `${text};x=1`],
    ['with a parameter twice', (text) => text.replace(';alg', `;created=${nowMs / 1_000};alg`)],
    ['over one component less', (text) => text.replace('"@query" ', '')],
    ['over components in other order', (text) => text.replace('"@path" "@query"', '"@query" "@path"')],
    ['over one component more', (text) => text.replace('("@method"', '("@method" "date"')],
    ['of an answer', (text) => text.replace(requestCoverText, answerCoverText)],
  ])('%s', async (_what, change) => {
    expect(await judged(forged((text) => text))).toBeUndefined();
    expect(await judged(forged(change))).toBe('sig_invalid');
  });

  test('when there are two, in one header or in two', async () => {
    const request = signed();
    const [input, signature] = [String(request.headers['signature-input']), String(request.headers['signature'])];
    const second = (text: string) => text.replace('bw=', 'second=');
    const joined = { 'signature-input': `${input}, ${second(input)}`, signature: `${signature}, ${second(signature)}` };
    const listed = { 'signature-input': [input, second(input)], signature: [signature, second(signature)] };
    expect(await judged({ ...request, headers: { ...request.headers, ...joined } })).toBe('sig_invalid');
    expect(await judged({ ...request, headers: { ...request.headers, ...listed } })).toBe('sig_invalid');
    expect(await judged(request)).toBeUndefined();
  });

  test('when its key is another one than it names, or is known no more', async () => {
    const substituted = verifierOn(database, { known: generateSigningKey() });
    expect(await failure(substituted.verify(signed()))).toBe('sig_invalid');
    expect(await failure(verifierOn(database, { known: null }).verify(signed()))).toBe('sig_invalid');
    expect(await judged(forged((text) => text.replace(sender, elsewhere)))).toBe('sig_invalid');
    expect(await judged(forged((text) => text.replace('bk1hop', 'bk1other')))).toBe('sig_invalid');
  });

  test.each<[string, number, HopFailure | undefined]>([
    ['our clock is 5 minutes behind', -300_000, undefined],
    ['our clock is more behind', -302_000, 'clock_skew'],
    ['our clock is 5 minutes ahead', 300_000, undefined],
    ['it came at the last moment', 360_000, undefined],
    ['it came after that', 362_000, 'sig_expired'],
  ])('unless the times fit: %s', async (_what, aheadMs, expected) => {
    expect(await failure(verifierOn(database, { at: nowMs + aheadMs }).verify(signed()))).toBe(expected);
  });
});

test('any single change to a signed request is refused', async () => {
  const request = signed();
  const names = Object.keys(request.headers);
  const change = fc.record({
    where: fc.constantFrom('method', 'target', 'body', ...names),
    at: fc.nat(),
    how: fc.constantFrom('replace', 'insert', 'remove'),
    character: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ where, at, how, character }) => {
      const text = textAt(request, where);
      const place = at % text.length;
      const changed =
        text.slice(0, place) + (how === 'remove' ? '' : character) + text.slice(place + (how === 'insert' ? 0 : 1));
      fc.pre(changed !== text);
      expect(await judged(changedAt(request, where, changed))).toBeDefined();
    }),
    { numRuns, seed },
  );
  expect(await judged(request)).toBeUndefined();
});

function textAt(request: HopRequest, where: string): string {
  if (where === 'method' || where === 'target') return request[where];
  return where === 'body' ? body.toString() : String(request.headers[where]);
}

function changedAt(request: HopRequest, where: string, text: string): HopRequest {
  if (where === 'method' || where === 'target') return { ...request, [where]: text };
  if (where === 'body') return { ...request, body: Buffer.from(text) };
  return { ...request, headers: { ...request.headers, [where]: text } };
}

describe('nonces', () => {
  test('are forgotten after a quarter of an hour, and not before', async () => {
    const nonces = new NonceStore(database);
    await nonces.remember(sender, 'aa'.repeat(16));
    await nonces.remember(sender, 'bb'.repeat(16));
    expect(await nonces.remember(elsewhere, 'aa'.repeat(16))).toBe(true);
    await database.query(`UPDATE hop_nonce SET seen_at = now() - interval '14 minutes 50 seconds' WHERE nonce = $1`, [
      Buffer.alloc(16, 0xaa),
    ]);
    expect(await nonces.prune()).toBe(0);
    await database.query(`UPDATE hop_nonce SET seen_at = now() - interval '15 minutes 1 second' WHERE nonce = $1`, [
      Buffer.alloc(16, 0xaa),
    ]);
    expect(await nonces.prune()).toBe(2);
    expect(await nonces.remember(sender, 'aa'.repeat(16))).toBe(true);
    expect(await nonces.remember(sender, 'bb'.repeat(16))).toBe(false);
  });
});

describe('an answer', () => {
  const requestHeaders = signerAt(nowMs).sign({ method: 'POST', url, body, destination: sender });
  const requestSignature = requestHeaders['signature']!.slice('bw='.length);
  const answerBody = Buffer.from('{"n":7}');
  const answer = (status = 200) => {
    const contentType = 'application/json';
    const headers = signerAt(nowMs).signAnswer({ status, body: answerBody, contentType, requestSignature });
    return { status, headers, body: answerBody };
  };
  const asked = { from: sender, requestHeaders };
  const check = (given: ReturnType<typeof answer>, to = asked) => failure(verifierOn(database).verifyAnswer(given, to));

  test('is taken as the answer to its own request', async () => {
    expect(await check(answer())).toBeUndefined();
    expect(await check(answer(404))).toBeUndefined();
  });

  test('covers the signature of the request', () => {
    const { headers } = answer();
    expect(answerBase({ status: 200, headers, requestSignature }, 'P').toString()).toBe(
      `"@status": 200\n"content-digest": ${contentDigest(answerBody)}\n"content-type": application/json\n` +
        `"signature";req;key="bw": ${requestSignature}\n"@signature-params": P`,
    );
  });

  test('is refused with another status, body or type, for another request, from another site, or unsigned', async () => {
    expect(await check({ ...answer(), status: 202 })).toBe('sig_invalid');
    expect(await check({ ...answer(), body: Buffer.from('{"n":8}') })).toBe('digest_mismatch');
    expect(await check({ ...answer(), headers: { ...answer().headers, 'content-type': 'text/html' } })).toBe(
      'sig_invalid',
    );
    const another = signerAt(nowMs).sign({ method: 'POST', url, body, destination: sender });
    expect(await check(answer(), { from: sender, requestHeaders: another })).toBe('sig_invalid');
    expect(await check(answer(), { from: elsewhere, requestHeaders })).toBe('sig_invalid');
    const { 'signature-input': _gone, ...headers } = answer().headers;
    expect(await check({ ...answer(), headers: headers as ReturnType<typeof answer>['headers'] })).toBe('sig_missing');
  });

  test('is refused when it is late', async () => {
    const late = verifierOn(database, { at: nowMs + 400_000 }).verifyAnswer(answer(), asked);
    expect(await failure(late)).toBe('sig_expired');
  });

  test('is never a request, nor a request an answer', async () => {
    expect(await check({ ...answer(), headers: requestHeaders })).toBe('sig_invalid');
    const request = signed();
    expect(await judged({ ...request, headers: { ...request.headers, ...answer().headers } })).toBe('sig_invalid');
  });
});

describe('a hello', () => {
  const nonce = 'cd'.repeat(16);
  const hello = () => signHello(signerAt(nowMs), { v: 1, room: 'br1' }, { to: here, nonce });
  const binding = { from: sender, to: here, nonce, key };

  test('is taken for the request that it answers', async () => {
    expect(await verifyHello(hello(), binding)).toMatchObject({ v: 1, room: 'br1', from: sender });
  });

  test('is refused for another request, to another site, of another site or key', async () => {
    for (const change of [{ nonce: 'ef'.repeat(16) }, { to: elsewhere }, { from: elsewhere }, { key: undefined }]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await failure(verifyHello(hello(), { ...binding, ...change }))).toBe('sig_invalid');
    }
    expect(await failure(verifyHello(hello(), { ...binding, key: generateSigningKey() }))).toBe('sig_invalid');
    const other = signHello(signerAt(nowMs), { v: 2 }, { to: here, nonce });
    expect(await failure(verifyHello({ ...hello(), h: other.h }, binding))).toBe('sig_invalid');
  });
});

test('signature text is a byte sequence of RFC 8941', () => {
  expect(signatureText(Buffer.from('a'))).toBe(':YQ==:');
});
