import type { SignedSiteDocument } from '@boardwire/contracts';
import { HopError } from '../hop/hop-profile.ts';
import type { HopClient } from '../hop/hop-client.ts';
import type { HopKeyring } from '../hop/hop-verifier.ts';
import type { SiteDocuments } from '../site-documents/site-documents.ts';
import { LinkError } from './link-error.ts';
import { PeerClient } from './peer-client.ts';

export interface DialPeerOptions {
  hop: HopClient;
  keys: HopKeyring;
  documents: Pick<SiteDocuments, 'fetch'>;
  /** The own site id. */
  own: string;
  ownDocument: () => SignedSiteDocument;
}

/** A peer's keys are asked for anew at most so often: whoever answers in its place must not make us ask on and on. */
const refetchEveryMs = 30_000;

/** Reaches peers at their addresses, one after the other. */
export class PeerDialer {
  readonly #options: DialPeerOptions;
  readonly #refetchedAt = new Map<string, number>();

  constructor(options: DialPeerOptions) {
    this.#options = options;
  }

  client(site: string, url: string): PeerClient {
    return new PeerClient({ site, url }, this.#options);
  }

  /**
   * A client for the first address at which `greet` gets an answer of the peer, be it a refusal.
   * @param room one that is shared with it, where it can be shown who this site is by now
   * @throws what the last address failed with
   */
  async reach(
    { site, endpoints, room }: { site: string; endpoints: readonly string[]; room?: string | undefined },
    greet: (client: PeerClient) => Promise<void>,
    signal: AbortSignal,
  ): Promise<PeerClient> {
    let failure: unknown = new LinkError('ended', 'the peer has no address');
    for (const url of endpoints) {
      if (signal.aborted) break;
      const client = this.client(site, url);
      try {
        // oxlint-disable-next-line no-await-in-loop -- in their order
        await this.#greet({ client, url, room }, greet, signal);
        return client;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /**
   * An answer that isn't proven may be signed with a key that is newer than what is known of the peer; one that isn't
   * signed may be the refusal of a key of ours that is newer than what the peer knows.
   */
  async #greet(
    { client, url, room }: { client: PeerClient; url: string; room: string | undefined },
    greet: (client: PeerClient) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await greet(client);
    } catch (error) {
      if (!(error instanceof HopError)) throw error;
      const isMended =
        error.failure === 'sig_invalid'
          ? await this.#refetch(client.site, url, signal)
          : error.failure === 'sig_missing' && (await this.#show(client, room, signal));
      if (!isMended) throw error;
      await greet(client);
    }
  }

  /** Whether the peer has taken this site's document: it can't be fetched from one that nobody can dial. */
  async #show(client: PeerClient, room: string | undefined, signal: AbortSignal): Promise<boolean> {
    if (room === undefined) return false;
    try {
      await client.handshake({ room, document: this.#options.ownDocument() }, signal);
      return true;
    } catch {
      // What led here is what is told of.
      return false;
    }
  }

  /** Whether the peer's document says something new. */
  async #refetch(site: string, url: string, signal: AbortSignal): Promise<boolean> {
    const last = this.#refetchedAt.get(site) ?? 0;
    if (Date.now() - last < refetchEveryMs) return false;
    this.#refetchedAt.set(site, Date.now());
    const { outcome } = await this.#options.documents.fetch(url, { site, signal });
    return outcome === 'stored';
  }
}
