import { Module, type DynamicModule } from '@nestjs/common';
import type { AdminParts } from './admin/build-admin.ts';
import { InvitationsController } from './admin/invitations.controller.ts';
import { PeersController } from './admin/peers.controller.ts';
import { FederationRoomsController } from './admin/rooms.controller.ts';
import { FederationSiteController } from './admin/site.controller.ts';
import { adminToken } from './admin/tokens.ts';
import { IdentityController, siteIdentityToken } from './identity/identity.controller.ts';
import type { SiteIdentity } from './identity/site-identity.ts';

@Module({})
export class FederationModule {
  static with(identity: SiteIdentity, admin: AdminParts): DynamicModule {
    return {
      module: FederationModule,
      controllers: [
        IdentityController,
        FederationSiteController,
        FederationRoomsController,
        InvitationsController,
        PeersController,
      ],
      providers: [
        { provide: siteIdentityToken, useValue: identity },
        { provide: adminToken, useValue: admin },
      ],
    };
  }
}
