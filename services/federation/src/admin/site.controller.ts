import { fingerprintOf, type FederationEvidence, type FederationSite } from '@boardwire/contracts';
import { Controller, Get, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { witnessKeyOf } from '../witness/witness-key.ts';
import { administered } from './administered.ts';
import type { AdminParts } from './build-admin.ts';
import { adminToken } from './tokens.ts';

/** What the gateway forwards from `/v1/federation` about the site itself. */
@Controller('/internal/v1/federation')
export class FederationSiteController {
  constructor(@Inject(adminToken) private readonly admin: AdminParts) {}

  @Get()
  site(@Req() request: FastifyRequest): Promise<FederationSite> {
    return administered(request, () => {
      const { site, name, endpoints, ver, keys } = this.admin.sites.own;
      const shown = keys.map(({ kid, use, public: publicKey }) => ({ kid, use, public: publicKey }));
      const fingerprint = fingerprintOf(site);
      const { public: cosigning } = keys.find(({ use }) => use === 'checkpoint')!;
      const witness = witnessKeyOf(site, Buffer.from(cosigning, 'base64url'));
      return Promise.resolve({ site, name, fingerprint, endpoints, documentVersion: ver, keys: shown, witness });
    });
  }

  @Get('evidence')
  evidence(@Req() request: FastifyRequest): Promise<{ evidence: FederationEvidence[] }> {
    return administered(request, async () => ({ evidence: await this.admin.evidence() }));
  }
}
