import { boardSchema, type FederationRoom, type openRoomRequestSchema } from '@boardwire/contracts';
import type { Database, DecisionOutbox } from '@boardwire/database';
import type { InternalClient } from '@boardwire/service-kit';
import type { z } from 'zod';
import type { FeedEpochs } from '../feeds/feed-epochs.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import { Rooms } from '../rooms/rooms.ts';
import { RoomStore } from '../rooms/room-store.ts';
import type { RoomViews } from './room-views.ts';

export interface OpenRoomParts {
  database: Database;
  identity: SiteIdentity;
  epochs: FeedEpochs;
  chat: InternalClient;
  decisions: DecisionOutbox;
  views: RoomViews;
}

/**
 * Shares a board: the room and this site's feed in it come into being together, so that no post in between is left out.
 * @throws AppError `board_unknown`, `forbidden` for a board that never leaves its site, `conflict` for one with a room
 */
export async function openRoom(
  { database, identity, epochs, chat, decisions, views }: OpenRoomParts,
  { board, alias, subjects }: z.output<typeof openRoomRequestSchema>,
  actor: string,
): Promise<FederationRoom> {
  await assertBoard(chat, board);
  const room = await database.transaction(async (transaction) => {
    const opened = await new Rooms(identity, new RoomStore(transaction)).create(board, { alias, subjects });
    await epochs.openFeedIn(transaction, opened.id);
    const detail = { room: opened.id, alias, subjects };
    await decisions.add(transaction, { action: 'federation.room.open', outcome: 'done', actor, board, detail });
    return opened;
  });
  return views.of(room);
}

/** @throws AppError `board_unknown` */
export async function assertBoard(chat: InternalClient, board: string): Promise<void> {
  const path = `/internal/v1/boards/${encodeURIComponent(board)}`;
  await chat.request({ method: 'GET', path, route: '/internal/v1/boards/{board}', schema: boardSchema });
}
