import { Module, type DynamicModule } from '@nestjs/common';
import { IdentityController, siteIdentityToken } from './identity/identity.controller.ts';
import type { SiteIdentity } from './identity/site-identity.ts';

@Module({})
export class FederationModule {
  static with(identity: SiteIdentity): DynamicModule {
    return {
      module: FederationModule,
      controllers: [IdentityController],
      providers: [{ provide: siteIdentityToken, useValue: identity }],
    };
  }
}
