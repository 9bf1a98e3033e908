import { beforeAll, describe, expect, test } from '@jest/globals';
import { AppError } from '@boardwire/service-kit';
import { SignJWT, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import { accessTokenAudience, redactedType } from '@boardwire/contracts';
import { FilterSet } from '../src/delivery/filter-set.ts';
import { accessOf } from '../src/rights/access.ts';
import { bearerToken } from '../src/rights/bearer-token.ts';
import { ForeignIssuers } from '../src/rights/foreign-issuers.ts';
import { RateLimiter } from '../src/rights/rate-limiter.ts';
import { Revocations } from '../src/rights/revocations.ts';
import { Rights } from '../src/rights/rights.ts';
import { SiteKeys } from '../src/rights/site-keys.ts';
import { TokenVerifier } from '../src/rights/token-verifier.ts';

let privateKey: CryptoKey;
let publicJwk: JWK;
beforeAll(async () => {
  const pair = await generateKeyPair('EdDSA', { extractable: true });
  privateKey = pair.privateKey;
  publicJwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'EdDSA' };
});

const claims = {
  iss: 'site',
  sub: 'u1',
  sid: 's1',
  name: 'ana',
  roles: ['guest'],
  boards: [{ board: 'events', publish: ['a.>'], subscribe: ['a.>', 'b'] }],
};

function sign(over: { audience?: string; expiresIn?: string; key?: CryptoKey } = {}): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', kid: 'k1' })
    .setIssuedAt()
    .setAudience(over.audience ?? accessTokenAudience)
    .setExpirationTime(over.expiresIn ?? '1m')
    .sign(over.key ?? privateKey);
}

function verifier() {
  let fetches = 0;
  const revocations = new Revocations();
  const keys = new SiteKeys(() => {
    fetches += 1;
    return Promise.resolve({ keys: [publicJwk] });
  });
  const refused: string[] = [];
  const made = new TokenVerifier({
    keys,
    revocations,
    rights: new Rights(),
    foreign: new ForeignIssuers([]),
    onRefused: (reason) => refused.push(reason),
  });
  return { verifier: made, revocations, refused, fetches: () => fetches };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

describe('the token verifier', () => {
  test('tells who bears a good token, and fetches keys once', async () => {
    const made = verifier();
    const token = await sign();
    for (let at = 0; at < 3; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- the second comes from the cache
      expect(await made.verifier.verify(token)).toMatchObject({ userId: 'u1', sessionId: 's1', name: 'ana' });
    }
    expect(made.fetches()).toBe(1);
  });

  test('refuses a token whose session has ended, also when it was accepted before', async () => {
    const made = verifier();
    const token = await sign();
    const access = await made.verifier.verify(token);
    made.revocations.add([{ sessionId: 's1', userId: 'u1', at: new Date().toISOString() }]);
    expect(await codeOf(made.verifier.verify(token))).toBe('token_revoked');
    expect(() => made.verifier.assertStands(access)).toThrow('token_revoked');
  });

  test('refuses a token that ran out, also when it was accepted before', async () => {
    const made = verifier();
    expect(await codeOf(made.verifier.verify(await sign({ expiresIn: '-1s' })))).toBe('token_expired');
    const access = await made.verifier.verify(await sign());
    expect(() => made.verifier.assertStands({ ...access, expiresMs: Date.now() })).toThrow('token_expired');
  });

  test('refuses what is missing, foreign, for somebody else, unsigned or noise', async () => {
    const made = verifier();
    const other = await generateKeyPair('EdDSA');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await sign()).split('.')[1]}.`;
    expect(await codeOf(made.verifier.verify(undefined))).toBe('token_missing');
    for (const token of [
      'noise',
      'a.b.c',
      unsigned,
      `${await sign()}x`,
      'x'.repeat(20_000),
      // oxlint-disable-next-line no-await-in-loop
      await sign({ key: other.privateKey }),
      // oxlint-disable-next-line no-await-in-loop
      await sign({ audience: 'elsewhere' }),
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await codeOf(made.verifier.verify(token))).toBe('token_invalid');
    }
    expect(made.refused).toContain('token_missing');
  });

  test('asks for keys at most once in a while, whatever key ids tokens name', async () => {
    const made = verifier();
    await made.verifier.verify(await sign());
    for (let at = 0; at < 20; at += 1) {
      // oxlint-disable-next-line no-await-in-loop
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'EdDSA', kid: `made-up-${at}` })
        .setAudience(accessTokenAudience)
        .setExpirationTime('1m')
        .sign(privateKey);
      // oxlint-disable-next-line no-await-in-loop
      expect(await codeOf(made.verifier.verify(token))).toBe('token_invalid');
    }
    expect(made.fetches()).toBe(1);
  });
});

const noChange = { version: '1', full: false, boards: [], removedBoards: [], revocations: [] };

describe('rights', () => {
  const access = accessOf({ ...claims, roles: ['guest'], iat: 0, exp: 1 });

  test('are what is asked for and granted, on the granted board alone', () => {
    const rights = new Rights();
    const readable = (board: string, wanted: string[]) => rights.readable(access, board, wanted).filters;
    expect(readable('events', ['>']).toSorted()).toEqual(['a.>', 'b']);
    expect(readable('events', ['*.x', 'b'])).toEqual(['a.x', 'b']);
    expect(readable('events', ['c.>'])).toEqual([]);
    expect(readable('other', ['>'])).toEqual([]);
    expect(rights.mayWrite(access, 'events', 'a.x', true)).toBe(true);
    expect(rights.mayWrite(access, 'events', 'b', true)).toBe(false);
    expect(rights.mayWrite(access, 'other', 'a.x', true)).toBe(false);
  });

  test('on members’ subjects come from a membership, never from a grant', () => {
    const rights = new Rights();
    const reach = () => rights.readable(access, 'events', ['>']).memberFilters;
    expect(rights.mayWrite(access, 'events', 'a.x', false)).toBe(false);
    rights.learn({ ...noChange, memberships: [{ board: 'events', userId: 'u1', subjects: ['dm.u1'] }] });
    expect(reach()).toEqual(['dm.u1']);
    expect(rights.readable(access, 'other', ['>']).memberFilters).toEqual([]);
    expect(rights.readable({ ...access, userId: 'u2' }, 'events', ['>']).memberFilters).toEqual([]);
    expect(rights.mayWrite(access, 'events', 'dm.u1', false)).toBe(true);
    expect(rights.mayWrite(access, 'events', 'dm.u1', true)).toBe(false);
    rights.learn({ ...noChange, memberships: [{ board: 'events', userId: 'u1', subjects: [] }] });
    expect(reach()).toEqual([]);
  });

  test('by a complete answer take the place of what was known when its last page is here, not before', () => {
    const rights = new Rights();
    const changed: string[] = [];
    rights.onChanged(({ memberships }) => changed.push(...memberships.map(({ userId }) => userId)));
    const member = (userId: string) => ({ board: 'events', userId, subjects: ['dm.>'] });
    rights.learn({ ...noChange, memberships: [member('u1'), member('u2')] });
    rights.learn({ ...noChange, full: true, more: true, memberships: [member('u3')] });
    expect(rights.maySee({ ...access, userId: 'u2', grants: [] }, 'events')).toBe(true);
    rights.learn({ ...noChange, more: true, memberships: [member('u2')] });
    rights.learn({ ...noChange, memberships: [] });
    expect(changed).toEqual(['u1', 'u2', 'u3', 'u1']);
    const members = ['u1', 'u2', 'u3'].map((userId) => rights.maySee({ ...access, userId, grants: [] }, 'events'));
    expect(members).toEqual([false, true, true]);
  });

  test('ignores are told of whose they are, and by a complete answer when its last page is here', () => {
    const rights = new Rights();
    const changed: string[] = [];
    rights.onChanged(({ userIds }) => changed.push(...userIds));
    const event = (author: string) => ({
      type: 'note',
      bytes: JSON.stringify({ data: { author: 'u9', origin: 'here' }, author, origin: 'here' }),
    });
    const ignores = (userId: string, author: string) =>
      new FilterSet(['>'], [], [], rights.ignoredBy({ ...access, userId })).ignores(event(author));
    const told = (userId: string, ...authors: string[]) => ({ userId, authors: authors.map((one) => `${one}@here`) });
    rights.learn({ ...noChange, ignores: [told('u1', 'u9'), told('u2', 'u9', 'u8')] });
    expect([ignores('u1', 'u9'), ignores('u1', 'u8'), ignores('u2', 'u8'), ignores('u3', 'u9')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    rights.learn({ ...noChange, ignores: [told('u2', 'u8', 'u9')] });
    expect(changed).toEqual(['u1', 'u2']);
    rights.learn({ ...noChange, full: true, more: true, ignores: [told('u2', 'u9', 'u8')] });
    expect(ignores('u1', 'u9')).toBe(true);
    rights.learn({ ...noChange, ignores: [told('u3', 'u9')] });
    expect(changed).toEqual(['u1', 'u2', 'u1', 'u3']);
    expect([ignores('u1', 'u9'), ignores('u2', 'u9'), ignores('u3', 'u9')]).toEqual([false, true, true]);
    rights.learn({ ...noChange, ignores: [told('u3')] });
    expect(rights.ignoredBy({ ...access, userId: 'u3' })).toBeUndefined();
    const notice = { ...event('u9'), type: redactedType };
    expect(new FilterSet(['>'], [], [], rights.ignoredBy({ ...access, userId: 'u2' })).ignores(notice)).toBe(false);
  });

  test('that changed take the place of what an older token says, and of no newer one', () => {
    const rights = new Rights();
    const at = new Date();
    rights.learn({ ...noChange, changedRights: [{ userId: 'u1', at: at.toISOString(), roles: ['user'], boards: [] }] });
    expect(rights.current({ ...access, issuedMs: at.getTime() - 1_000 })).toMatchObject({
      roles: ['user'],
      grants: [],
    });
    const later = { ...access, issuedMs: at.getTime() + 60_000 };
    expect(rights.current(later)).toBe(later);
    expect(rights.mayWrite(access, 'events', 'a.x', true)).toBe(false);
  });

  test.each([
    [undefined, undefined],
    ['Bearer abc', 'abc'],
    ['bearer  abc ', 'abc'],
    ['Bearer', undefined],
    ['Bearer ', undefined],
  ])('read %j as the token %j', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });

  test('take no other scheme', () => {
    expect(() => bearerToken('Basic abc')).toThrow('token_invalid');
  });
});

describe('the rate limiter', () => {
  const rate = { perSecond: 50, burst: 100 };

  test('lets a burst through, then as many as the rate refills, each key by itself', () => {
    const limiter = new RateLimiter();
    for (let at = 0; at < 100; at += 1) expect(limiter.take('ana', 1, rate, 0)).toBe(0);
    expect(limiter.take('ana', 1, rate, 0)).toBe(20);
    expect(limiter.take('bob', 1, rate, 0)).toBe(0);
    expect(limiter.take('ana', 1, rate, 20)).toBe(0);
    expect(limiter.take('ana', 1, rate, 20)).toBe(20);
  });

  test('takes nothing for what it refuses, and lets a batch above the burst pass when full', () => {
    const limiter = new RateLimiter();
    expect(limiter.take('ana', 60, rate, 0)).toBe(0);
    expect(limiter.take('ana', 60, rate, 0)).toBe(400);
    expect(limiter.take('ana', 40, rate, 0)).toBe(0);
    expect(limiter.take('bob', 256, rate, 0)).toBe(0);
    expect(limiter.take('bob', 1, rate, 0)).toBeGreaterThan(3_000);
  });
});
