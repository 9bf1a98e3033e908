import { accessTokenAudience, limits, type AccessClaims } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { SignJWT } from 'jose';
import type { BoardWatch } from '../boards/board-watch.ts';
import type { Account } from './account-store.ts';
import { grantsOf } from './rights.ts';
import type { SigningKeys } from './signing-keys.ts';

export interface IssuedToken {
  accessToken: string;
  expiresAt: string;
}

/** Issues access tokens: EdDSA JWTs that carry who it is and what they may do on which board. */
export class AccessTokens {
  constructor(
    private readonly keys: SigningKeys,
    private readonly boards: BoardWatch,
    private readonly siteId: () => string | undefined,
  ) {}

  /** @throws AppError `starting` while the site has no identity. */
  async issue(account: Account, sessionId: string): Promise<IssuedToken> {
    const issuer = this.siteId();
    if (issuer === undefined) throw new AppError('starting', { detail: 'the site has no identity yet' });
    const { kid, privateKey } = await this.keys.current();
    const issuedAt = Math.floor(Date.now() / 1_000);
    const expiresAt = issuedAt + limits.accessTokenMs / 1_000;
    const slugs = this.boards.all().map(({ slug }) => slug);
    const claims: Pick<AccessClaims, 'name' | 'roles' | 'sid' | 'boards'> = {
      name: account.name,
      roles: account.roles,
      sid: sessionId,
      boards: grantsOf(account.roles, slugs),
    };
    const accessToken = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(accessTokenAudience)
      .setSubject(account.id)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(privateKey);
    return { accessToken, expiresAt: new Date(expiresAt * 1_000).toISOString() };
  }
}
