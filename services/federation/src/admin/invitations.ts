import {
  encodeInvitation,
  fingerprintOf,
  type InviteAnswer,
  type OpenInvitation,
  type inviteRequestSchema,
} from '@boardwire/contracts';
import type { Database, DecisionOutbox } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import type { z } from 'zod';
import type { SiteIdentity } from '../identity/site-identity.ts';
import { genesisIn } from '../rooms/room-genesis.ts';
import { InvitationStore } from '../peers/invitation-store.ts';
import { PeerStore } from '../peers/peer-store.ts';
import type { Room, RoomStore } from '../rooms/room-store.ts';
import type { KnownSites } from './known-sites.ts';

export interface InvitationsOptions {
  database: Database;
  identity: SiteIdentity;
  rooms: RoomStore;
  sites: KnownSites;
  decisions: DecisionOutbox;
}

/** Invitations that administrators give out and take back. */
export class Invitations {
  constructor(private readonly options: InvitationsOptions) {}

  async open(): Promise<OpenInvitation[]> {
    const { database, rooms } = this.options;
    const [invitations, known] = await Promise.all([new InvitationStore(database).open(), rooms.all()]);
    const aliases = new Map(known.map(({ id, alias }) => [id, alias]));
    return invitations.map(({ createdAt, expiresAt, site, ...invitation }) => ({
      ...invitation,
      alias: aliases.get(invitation.room) ?? '',
      site,
      created: createdAt.toISOString(),
      expires: expiresAt.toISOString(),
    }));
  }

  /**
   * @throws AppError `not_found` for an unknown room, `conflict` for one that another site administers, `invalid` for less
   * than the room shares: a feed is dense, and whoever may not have one item of it can't have what is behind it
   */
  async create(request: z.output<typeof inviteRequestSchema>, actor: string): Promise<InviteAnswer> {
    const { identity, database, decisions, sites } = this.options;
    const room = await this.#administered(request.room);
    if (request.site !== undefined) await this.#assertWelcome(request.site);
    const { scopes, site, lifetimeSeconds } = request;
    const subjects = request.subjects ?? [...room.subjects];
    if (!isSame(subjects, room.subjects)) {
      throw new AppError('invalid', { detail: `a site gets all that a room shares: ${room.subjects.join(', ')}` });
    }
    const invited = await database.transaction(async (transaction) => {
      const store = new InvitationStore(transaction);
      const wanted = { room: room.id, scopes, subjects, createdBy: actor, lifetimeMs: lifetimeSeconds * 1_000, site };
      const { id, secret, expiresAt } = await store.create(wanted);
      const detail = { invitation: id, room: room.id, alias: room.alias, scopes, subjects };
      const bound = { expires: expiresAt.toISOString(), ...(site === undefined ? {} : { peer: site }) };
      const action = 'federation.invitation.create';
      await decisions.add(transaction, {
        action,
        outcome: 'done',
        actor,
        board: room.board,
        detail: { ...detail, ...bound },
      });
      return { id, secret, expires: expiresAt.toISOString() };
    });
    const { endpoints, name } = sites.own;
    const { id, secret, expires } = invited;
    const about = { site: identity.siteId, name, alias: room.alias, endpoints, room: room.id };
    const invitation = encodeInvitation({ ...about, scopes, subjects, expires, secret });
    return { id, invitation, expires, fingerprint: fingerprintOf(identity.siteId) };
  }

  /** @throws AppError `not_found` for one that could not be used any more */
  async withdraw(id: string, actor: string): Promise<void> {
    const { database, decisions } = this.options;
    await database.transaction(async (transaction) => {
      const withdrawn = await new InvitationStore(transaction).withdraw(id);
      if (!withdrawn) throw new AppError('not_found', { detail: 'no such invitation is open' });
      const detail = { invitation: id };
      await decisions.add(transaction, { action: 'federation.invitation.withdraw', outcome: 'done', actor, detail });
    });
  }

  async #administered(id: string): Promise<Room> {
    const room = await this.options.rooms.find(id);
    if (room === undefined) throw new AppError('not_found', { detail: 'no such room' });
    if (!genesisIn(room).admins.includes(this.options.identity.siteId)) {
      throw new AppError('conflict', { detail: 'another site lets sites into this room' });
    }
    return room;
  }

  async #assertWelcome(site: string): Promise<void> {
    const { identity, database } = this.options;
    if (site === identity.siteId) throw new AppError('conflict', { detail: 'this is the site itself' });
    const peer = await new PeerStore(database).find(site);
    if (peer?.state === 'revoked') throw new AppError('conflict', { detail: 'this site was revoked' });
  }
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return JSON.stringify(some.toSorted()) === JSON.stringify(others.toSorted());
}
