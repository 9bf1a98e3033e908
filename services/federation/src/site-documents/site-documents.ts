import {
  federationLimits,
  signedSiteDocumentSchema,
  type SignedSiteDocument,
  type SiteDocument,
} from '@boardwire/contracts';
import { DialError, type DialFailure } from '../dialing/dial-error.ts';
import type { Dialer } from '../dialing/dialer.ts';
import { inflate } from '../dialing/inflate.ts';
import { parseStrictJson, StrictJsonError } from '../hop/strict-json.ts';
import { verifySiteDocument } from '../identity/verify-site-document.ts';
import type { ForeignSiteStore } from './foreign-site-store.ts';
import type { StoredSiteKeyring } from './site-keyring.ts';

export type DocumentRefusal =
  | DialFailure
  | 'status'
  | 'malformed'
  | 'unverifiable'
  | 'other_site'
  | 'older'
  | 'conflicting';

export type DocumentOutcome =
  | { outcome: 'stored' | 'unchanged'; document: SiteDocument }
  /** `older` is a replay or a restored backup, `conflicting` two documents under one version: both are worth an alert. */
  | { outcome: 'refused'; reason: DocumentRefusal; detail: string };

const path = '/.well-known/boardwire';

/** Learns who other sites are: from their own word, which has to prove itself. */
export class SiteDocuments {
  readonly #dialer: Dialer;
  readonly #store: ForeignSiteStore;
  readonly #keyring: StoredSiteKeyring;

  constructor(parts: { dialer: Dialer; store: ForeignSiteStore; keyring: StoredSiteKeyring }) {
    this.#dialer = parts.dialer;
    this.#store = parts.store;
    this.#keyring = parts.keyring;
  }

  /**
   * Asks the site at `baseUrl` for its document and keeps it.
   * @param site who it has to be; without it, whoever answers (an invitation's first contact)
   */
  async fetch(
    baseUrl: string,
    { site, signal }: { site?: string; signal?: AbortSignal } = {},
  ): Promise<DocumentOutcome> {
    try {
      const bytes = await this.#read(baseUrl.replace(/\/+$/, '') + path, signal);
      return bytes === undefined ? refused('status', 'no document there') : await this.take(bytes, site);
    } catch (error) {
      if (error instanceof DialError) return refused(error.failure, error.message);
      throw error;
    }
  }

  /** Judges a document that came some other way, such as inside a handshake. */
  async take(bytes: Uint8Array, site?: string): Promise<DocumentOutcome> {
    if (bytes.length > federationLimits.documentBytesMax) return refused('too_large', 'a document beyond its bound');
    const envelope = envelopeIn(bytes);
    if (envelope === undefined) return refused('malformed', 'not a signed site document');
    const document = verifySiteDocument(envelope);
    if (document === undefined) return refused('unverifiable', 'the document does not prove itself');
    if (site !== undefined && document.site !== site) return refused('other_site', `this is ${document.site}`);
    const outcome = await this.#store.put(document, envelope);
    if (outcome === 'older' || outcome === 'conflicting') {
      return refused(outcome, `version ${document.ver} of ${document.site}`);
    }
    if (outcome === 'stored') this.#keyring.forget(document.site);
    return { outcome, document };
  }

  async #read(url: string, signal: AbortSignal | undefined): Promise<Buffer | undefined> {
    const bytesMax = federationLimits.documentBytesMax;
    const call = { method: 'GET' as const, url, bytesMax, headers: { accept: 'application/json' } };
    const { status, headers, raw } = await this.#dialer.request(signal === undefined ? call : { ...call, signal });
    if (status !== 200) return undefined;
    const encoding = headers['content-encoding'];
    return inflate(raw, typeof encoding === 'object' ? encoding.join(',') : encoding, bytesMax);
  }
}

function envelopeIn(bytes: Uint8Array): SignedSiteDocument | undefined {
  try {
    return signedSiteDocumentSchema.safeParse(parseStrictJson(bytes, federationLimits.jsonDepthMax)).data;
  } catch (error) {
    if (error instanceof StrictJsonError) return undefined;
    throw error;
  }
}

function refused(reason: DocumentRefusal, detail: string): DocumentOutcome {
  return { outcome: 'refused', reason, detail };
}
