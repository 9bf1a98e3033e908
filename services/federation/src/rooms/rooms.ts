import { isNeverFederated } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { Envelope, VerifyingKey } from '@boardwire/signing';
import type { SiteIdentity } from '../identity/site-identity.ts';
import { createGenesis, verifyGenesis, type Genesis, type RoomDescription } from './room-genesis.ts';
import type { Room, RoomStore } from './room-store.ts';

/** Creating a room on a local board, and joining one that another site created. */
export class Rooms {
  readonly #identity: SiteIdentity;
  readonly #store: RoomStore;

  constructor(identity: SiteIdentity, store: RoomStore) {
    this.#identity = identity;
    this.#store = store;
  }

  /** @throws AppError `conflict` when the board has a room, `forbidden` for one that never leaves its site. */
  create(board: string, description: RoomDescription): Promise<Room> {
    return this.#add(createGenesis(this.#identity, description), board);
  }

  /** @throws AppError `invalid` when the genesis isn't its creator's, else as `create`. */
  async join(board: string, envelope: Envelope, creatorRootKey: VerifyingKey): Promise<Room> {
    const genesis = verifyGenesis(envelope, creatorRootKey);
    if (genesis === undefined) throw new AppError('invalid', { detail: 'the genesis is not its creator’s' });
    return this.#add(genesis, board);
  }

  async #add(genesis: Genesis, board: string): Promise<Room> {
    if (isNeverFederated(board, 'a')) throw new AppError('forbidden', { detail: 'this board never leaves its site' });
    if (!(await this.#store.add(genesis, board))) {
      throw new AppError('conflict', { detail: 'the board has a room, or the room a board' });
    }
    return (await this.#store.find(genesis.id))!;
  }
}
