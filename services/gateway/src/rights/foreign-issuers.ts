import { boardGrantSchema, encodeToken, intersectFilterSets, type BoardGrant, type Role } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { decodeJwt, jwtVerify, type JWTPayload } from 'jose';
import { z } from 'zod';
import type { Access } from './access.ts';
import { fetchRemoteKeys } from './remote-keys.ts';
import { SiteKeys } from './site-keys.ts';
import type { TrustedIssuer } from './trusted-issuers.ts';

interface Known {
  issuer: TrustedIssuer;
  keys: SiteKeys;
}

/** Keys that an issuer has taken back are not trusted for longer. */
const keysMaxAgeMs = 10 * 60_000;
const grantsMax = 64;
const filtersMax = 256;
const clockToleranceSeconds = 30;

/** Tokens of other issuers whom the configuration trusts, each as far as it says. */
export class ForeignIssuers {
  readonly #known: ReadonlyMap<string, Known>;

  constructor(issuers: readonly TrustedIssuer[]) {
    this.#known = new Map(
      issuers.map((issuer) => {
        const keys = new SiteKeys(() => fetchRemoteKeys(issuer.jwksUrl), keysMaxAgeMs);
        return [issuer.issuer, { issuer, keys }];
      }),
    );
  }

  /**
   * Undefined for a token that is not of one of them: who it says has signed it only chooses the keys that it must fit.
   * @throws AppError or an error of `jose` when it doesn't stand.
   */
  async accessOf(token: string): Promise<Access | undefined> {
    const known = this.#known.size === 0 ? undefined : this.#known.get(issuerOf(token) ?? '');
    if (known === undefined) return undefined;
    const { issuer, keys } = known;
    const { payload } = await jwtVerify(token, keys.get, {
      algorithms: issuer.algorithms,
      issuer: issuer.issuer,
      audience: issuer.audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: clockToleranceSeconds,
    });
    return accessOf(issuer, payload);
  }
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

const claimsSchema = z.looseObject({
  sub: z.string().min(1),
  exp: z.number(),
  iat: z.number().optional(),
  sid: z.string().max(128).optional(),
  name: z.string().optional(),
  preferred_username: z.string().optional(),
  roles: z.array(z.string()).optional(),
  boards: z.array(boardGrantSchema).max(grantsMax).optional(),
});

/** The id can't be an account's of this site: those hold no colon. */
function accessOf(issuer: TrustedIssuer, payload: JWTPayload): Access {
  const claims = claimsSchema.safeParse(payload);
  if (!claims.success) throw new AppError('token_invalid', { cause: claims.error });
  const { sub, exp, iat = 0, sid, name, preferred_username: username, roles = ['user'], boards } = claims.data;
  const userId = `${issuer.slug}:${encodeToken(sub)}`;
  if (userId.length > 128) throw new AppError('token_invalid', { detail: 'the subject is too long' });
  return {
    userId,
    name: shown(name ?? username ?? sub),
    roles: issuer.roles.filter((role: Role) => roles.includes(role)),
    sessionId: `${userId}:${encodeToken(sid ?? '')}`,
    issuedMs: iat * 1_000,
    expiresMs: exp * 1_000,
    grants: boards === undefined ? issuer.boards : bounded(boards, issuer.boards),
  };
}

/** What is asked for, as far as the cap goes, on each board that both name. */
function bounded(asked: readonly BoardGrant[], cap: readonly BoardGrant[]): BoardGrant[] {
  return asked.flatMap((wanted) =>
    cap.flatMap((most) => {
      const board = wanted.board === '*' ? most.board : wanted.board;
      if (most.board !== '*' && most.board !== board) return [];
      const publish = intersectFilterSets(wanted.publish, most.publish).slice(0, filtersMax);
      const subscribe = intersectFilterSets(wanted.subscribe, most.subscribe).slice(0, filtersMax);
      return publish.length + subscribe.length === 0 ? [] : [{ board, publish, subscribe }];
    }),
  );
}

/** A name from elsewhere, without what would break a line or hide. */
function shown(name: string): string {
  const text = name
    .toWellFormed()
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim()
    .slice(0, 64);
  return text === '' ? 'somebody' : text;
}
