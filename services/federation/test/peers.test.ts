import { decodeInvitation, encodeInvitation, federationLimits, fingerprintOf } from '@boardwire/contracts';
import { openDatabase, provisionSchemas, type Database, type Queryable } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { seededRandom, startTestPostgres } from '@boardwire/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { migrations } from '../src/migrations.ts';
import { backoffMs } from '../src/peers/backoff.ts';
import { isSecretOf, secretHash } from '../src/peers/invitation-secret.ts';
import { InvitationStore } from '../src/peers/invitation-store.ts';
import { mayExchange, peerEvents, peerStateAfter, peerStates } from '../src/peers/peer-state.ts';
import { PeerStore } from '../src/peers/peer-store.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
const siteOf = (letter: string) => `bs1${letter.repeat(52)}`;
const [a, b] = [siteOf('a'), siteOf('b')];
const room = `br1${'c'.repeat(52)}`;
const minuteMs = 60_000;

let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
let database: Database;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const schemas = [{ schema: 'federation', role: 'boardwire_federation', password: 'p' }];
  const urls = await provisionSchemas(postgres.postgres.url, schemas);
  database = await openDatabase({ url: urls['federation']!, schema: 'federation', migrations, logger });
});
afterAll(async () => {
  await database.close();
  await postgres.stop();
});
beforeEach(async () => {
  await database.query('TRUNCATE peer, peer_room, peer_strike, invitation');
});

describe('a peer’s state', () => {
  test('goes from an invitation to live, and between live, degraded and offline', () => {
    const path = ['begun', 'shaken', 'caught_up', 'lagging', 'caught_up', 'lost', 'returned', 'caught_up'] as const;
    let state: (typeof peerStates)[number] = 'invited';
    const seen = path.map((event) => (state = peerStateAfter(state, event)!));
    const way = 'handshake, catching_up, live, degraded, live, offline, catching_up, live';
    expect(seen.join(', ')).toBe(way);
  });

  test('can be suspended and revoked from anywhere, and nothing brings a revoked peer back', () => {
    for (const state of peerStates) {
      expect(peerStateAfter(state, 'revoked')).toBe('revoked');
      if (state !== 'revoked') expect(peerStateAfter(state, 'suspended')).toBe('suspended');
    }
    for (const event of peerEvents) expect([undefined, 'revoked']).toContain(peerStateAfter('revoked', event));
  });

  test('of a suspended peer changes by a decision alone', () => {
    const changes = peerEvents.filter(
      (event) => ![undefined, 'suspended'].includes(peerStateAfter('suspended', event)),
    );
    expect(changes).toEqual(['resumed', 'revoked']);
  });

  test('allows an exchange only with who was let in and not put out', () => {
    expect(peerStates.filter(mayExchange)).toEqual(['catching_up', 'live', 'degraded', 'offline']);
  });
});

describe('the wait before the next dial', () => {
  test('grows from half a second, and has a bound for how long it has failed', () => {
    const almost = 1 - Number.EPSILON;
    const most = (attempts: number, forMs: number) => backoffMs({ attempts, forMs }, almost);
    expect([1, 2, 3, 7, 50].map((attempts) => most(attempts, 0))).toEqual([1_000, 2_000, 4_000, minuteMs, minuteMs]);
    expect(most(50, 10 * minuteMs)).toBe(10 * minuteMs);
    expect(most(50, 24 * 60 * minuteMs)).toBe(60 * minuteMs);
    expect(most(1_000_000, 365 * 24 * 60 * minuteMs)).toBe(60 * minuteMs);
  });

  test('is spread over all of its range', () => {
    const random = seededRandom();
    const waits = Array.from({ length: 2_000 }, () =>
      backoffMs({ attempts: 50, forMs: 0 }, random.integer(0, 999_999) / 1_000_000),
    );
    const inTenth = (tenth: number) => waits.filter((ms) => Math.floor((10 * ms) / (minuteMs + 1)) === tenth).length;
    for (let tenth = 0; tenth < 10; tenth += 1) expect(inTenth(tenth)).toBeGreaterThan(120);
  });

  test('survives a restart, and ends when the other side shows itself', async () => {
    const peers = new PeerStore(database, () => 0.5);
    await peers.add(a, 'A', 'handshake');
    const waits = [await peers.failed(a), await peers.failed(a), await peers.failed(a)];
    expect(waits).toEqual([500, 1_000, 2_000]);
    const again = new PeerStore(database, () => 0.5);
    expect(await again.find(a)).toMatchObject({ failedAttempts: 3, dialAt: expect.any(Date) });
    expect(await again.failed(a)).toBe(4_000);
    await again.contacted(a);
    expect(await again.find(a)).toMatchObject({ failedAttempts: 0, dialAt: undefined, contactAt: expect.any(Date) });
  });
});

describe('an invitation', () => {
  const invitation = {
    site: a,
    endpoints: ['https://a.example'],
    room,
    scopes: ['read' as const, 'write' as const],
    subjects: ['AxonChat.>'],
    expires: '2026-11-22T00:00:00Z',
    secret: 'x'.repeat(43),
  };

  test('is a line of text, and reads back as what it was', () => {
    const text = encodeInvitation(invitation);
    expect(text).toMatch(/^bwi1\.[\w-]+$/);
    expect(decodeInvitation(`\n  ${text} \n`)).toEqual(invitation);
  });

  test.each([
    ['nothing', ''],
    ['a prefix alone', 'bwi1.'],
    ['an empty one', 'bwi1.e30'],
    ['another version', 'bwi2.e30'],
    ['a word', 'hello'],
    ['a book', `bwi1.${'A'.repeat(20_000)}`],
  ])('%s is none', (_name, text) => {
    expect(decodeInvitation(text)).toBeUndefined();
  });

  test('that was changed on its way is none, or another one', () => {
    const text = encodeInvitation({ ...invitation, scopes: ['read'] });
    expect(decodeInvitation(text)?.scopes).toEqual(['read']);
    expect(decodeInvitation(text.slice(0, -4))).toBeUndefined();
  });

  test('is stored without its secret', async () => {
    const { secret } = await create();
    const rows = JSON.stringify(await database.query('SELECT * FROM invitation'));
    expect(rows).not.toContain(secret);
    expect(isSecretOf(secret, secretHash(secret))).toBe(true);
    expect(isSecretOf(`${secret.slice(0, -1)}_`, secretHash(secret))).toBe(false);
  });

  test('is worth one handshake: of many who come at once one site gets it, and may come again', async () => {
    const store = new InvitationStore(database);
    const { secret } = await create();
    const sites = Array.from({ length: 16 }, (_, at) => siteOf('abcdefghijklmnop'[at]!));
    const outcomes = await Promise.all(sites.map((site) => store.use(secret, site)));
    const winners = sites.filter((_, at) => typeof outcomes[at] === 'object');
    expect(winners).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'used')).toHaveLength(15);
    expect(await store.use(secret, winners[0]!)).toMatchObject({ room, scopes: ['read', 'write'], createdBy: 'op' });
  });

  test('that is old, withdrawn or not of this site is refused, and says why', async () => {
    const store = new InvitationStore(database);
    expect(await store.use('y'.repeat(43), a)).toBe('unknown');
    const withdrawn = await create();
    expect(await store.withdraw(withdrawn.id)).toBe(true);
    expect(await store.withdraw(withdrawn.id)).toBe(false);
    expect(await store.use(withdrawn.secret, a)).toBe('withdrawn');
    const old = await create();
    await database.query(`UPDATE invitation SET expires_at = now() - interval '1 second'`);
    expect(await store.use(old.secret, a)).toBe('expired');
    const day = federationLimits.invitationLifetimeMs;
    await expect(create(day + 1)).rejects.toThrow(RangeError);
    await expect(create(0)).rejects.toThrow(RangeError);
    await create(day);
  });

  test('has a fingerprint that two people can read to each other', () => {
    expect(fingerprintOf('bs1abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst')).toBe('abcd efgh ijkl mnop qrst');
  });

  function create(lifetimeMs = 3_600_000) {
    const store = new InvitationStore(database);
    return store.create({ room, scopes: ['read', 'write'], subjects: ['>'], createdBy: 'op', lifetimeMs });
  }
});

describe('the peers of a site', () => {
  test('keep what was decided, whatever is seen of them meanwhile', async () => {
    const peers = new PeerStore(database);
    await peers.add(a, 'A', 'handshake');
    await peers.happened(a, 'shaken');
    let isDecided = false;
    // Another replica decides between what this one reads and what it writes.
    const raced: Queryable = {
      query: async <T extends object>(sql: string, parameters?: readonly unknown[]) => {
        const rows = await database.query<T>(sql, parameters);
        if (!isDecided) {
          isDecided = true;
          await peers.happened(a, 'suspended', 'by hand');
        }
        return rows;
      },
    };
    expect(await new PeerStore(raced).happened(a, 'caught_up')).toBe('suspended');
    expect(await peers.find(a)).toMatchObject({ state: 'suspended', reason: 'by hand' });
    expect(await peers.happened(a, 'caught_up')).toBe('suspended');
    expect(await peers.resume(a)).toBe('catching_up');
    expect(await peers.happened(b, 'caught_up')).toBeUndefined();
  });

  test('are suspended at the third item that they are blamed for within ten minutes', async () => {
    const peers = new PeerStore(database);
    await peers.add(a, 'A', 'handshake');
    await peers.happened(a, 'shaken');
    expect([await peers.strike(a, 'sig_invalid'), await peers.strike(a, 'sig_invalid')]).toEqual([false, false]);
    await database.query(`UPDATE peer_strike SET at = at - interval '11 minutes'`);
    expect([await peers.strike(a, 'one'), await peers.strike(a, 'two')]).toEqual([false, false]);
    expect(await peers.strike(a, 'three')).toBe(true);
    expect(await peers.find(a)).toMatchObject({ state: 'suspended', reason: 'three' });
    await peers.resume(a);
    expect(await peers.strike(a, 'four')).toBe(false);
  });

  test('have rights for each room, and a site that comes again keeps its state', async () => {
    const peers = new PeerStore(database);
    await peers.add(a, 'A', 'handshake');
    await peers.grant(a, { room, scopes: ['read'], subjects: ['>'] });
    await peers.grant(a, { room, scopes: ['read', 'relay'], subjects: ['AxonChat.>'] });
    expect(await peers.rooms(a)).toEqual([{ room, scopes: ['read', 'relay'], subjects: ['AxonChat.>'] }]);
    await peers.happened(a, 'revoked');
    expect(await peers.add(a, 'A again', 'invited')).toMatchObject({ state: 'revoked', name: 'A again' });
    expect((await peers.all()).map(({ site }) => site)).toEqual([a]);
  });
});
