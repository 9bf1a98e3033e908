import type { SignedSiteDocument, SiteIdentity as IdentityAnswer } from '@boardwire/contracts';
import { Controller, Get, Header, Inject } from '@nestjs/common';
import type { SiteIdentity } from './site-identity.ts';

export const siteIdentityToken = Symbol('site identity');

@Controller()
export class IdentityController {
  constructor(@Inject(siteIdentityToken) private readonly identity: SiteIdentity) {}

  @Get('/internal/v1/identity')
  @Header('cache-control', 'no-store')
  whoAmI(): IdentityAnswer {
    const { siteId, keys } = this.identity;
    return { siteId, rootPublicKey: keys.root.key.publicKey.toString('base64url') };
  }

  /** Public: the gateway forwards it; on this port it is open as well. */
  @Get(['/.well-known/boardwire', '/internal/v1/site-document'])
  @Header('cache-control', 'public, max-age=60')
  siteDocument(): SignedSiteDocument {
    return this.identity.document;
  }
}
