import { siteIdentitySchema } from '@boardwire/contracts';
import { isConnectionError, type Database } from '@boardwire/database';
import { AppError, type InternalClient, type Logger, type Loop } from '@boardwire/service-kit';
import { bounds } from '../bounds.ts';

/**
 * The id of this site, which every event carries as its origin. Federation owns it; it is asked once, at the very
 * first start, and never needed again.
 */
export class SiteIdentity {
  #siteId: string | undefined;

  constructor(
    private readonly database: Database,
    private readonly federation: InternalClient,
    private readonly logger: Logger,
  ) {}

  /** Undefined until it is known. */
  get siteId(): string | undefined {
    return this.#siteId;
  }

  async load(): Promise<void> {
    const [row] = await this.database.query<{ site_id: string | null }>('SELECT site_id FROM site');
    this.#siteId = row?.site_id ?? undefined;
  }

  /** Asks until there is an answer; returns when the id is known or the loop ends. */
  async learn(loop: Loop): Promise<void> {
    while (this.#siteId === undefined && !loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- attempts follow each other
      await this.#ask(loop.signal).catch((error: unknown) => {
        const isExpected = error instanceof AppError || isConnectionError(error);
        if (!isExpected) this.logger.warn({ event: 'site.identity_failed', err: error });
      });
      // oxlint-disable-next-line no-await-in-loop
      if (this.#siteId === undefined) await loop.idle(bounds.identityRetryMs);
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { siteId } = await this.federation.request({
      method: 'GET',
      path: '/internal/v1/identity',
      route: '/internal/v1/identity',
      schema: siteIdentitySchema,
      timeoutMs: 900,
      signal,
    });
    // Whichever replica is first decides; an id that is there is never replaced.
    await this.database.query('UPDATE site SET site_id = $1 WHERE site_id IS NULL', [siteId]);
    await this.load();
    this.logger.info({ event: 'site.identity', siteId: this.#siteId });
  }
}
