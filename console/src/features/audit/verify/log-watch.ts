import { Store } from '../../../realtime/store.ts';
import { errorText } from '../../../ui/error-text.ts';
import type { AuditApi } from '../audit-api.ts';
import { judgeGrowth, type Judgement, type SeenLog } from './judge-growth.ts';
import { loadSeenLog, saveSeenLog } from './seen-log.ts';

export interface LogTrust {
  judgement: Judgement | undefined;
  /** Both sides of a contradiction, for who has to show it to others. */
  evidence: { seen: SeenLog; newest: string } | undefined;
  failure: string | undefined;
}

/** Holds each newest checkpoint against the last one that this browser found in order. */
export class LogWatch {
  readonly trust = new Store<LogTrust>({ judgement: undefined, evidence: undefined, failure: undefined });
  readonly #api: AuditApi;
  #running: Promise<void> | undefined;

  constructor(api: AuditApi) {
    this.#api = api;
  }

  /** Calls that come together share one look. */
  check(): Promise<void> {
    this.#running ??= this.#check().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Begins anew with what the site shows now; the reader has been told what that means. */
  async accept(): Promise<void> {
    await this.#running;
    await this.#look(undefined);
  }

  async #check(): Promise<void> {
    if (!canCheck()) return;
    // Read before asking: another tab may store a newer one meanwhile, which is no rollback.
    await this.#look(loadSeenLog());
  }

  async #look(seen: SeenLog | undefined): Promise<void> {
    try {
      const [note, keyLines, health] = await Promise.all([
        this.#api.checkpoint(),
        this.#api.keys(),
        this.#api.health(),
      ]);
      const judgement = await judgeGrowth(seen, {
        note,
        keyLines,
        at: new Date().toISOString(),
        former: health.former.map((epoch) => epoch.note),
        proofBetween: async (claim) => (await this.#api.consistency(claim)).proof,
      });
      if (judgement.remember !== undefined) saveSeenLog(judgement.remember);
      const isContradicted = judgement.remember === undefined && seen !== undefined;
      const evidence = isContradicted ? { seen, newest: note } : undefined;
      this.trust.set({ judgement, evidence, failure: undefined });
    } catch (error) {
      this.trust.set({ ...this.trust.value, failure: errorText(error) });
    }
  }
}

/** Browsers give WebCrypto to pages that came over HTTPS, or from this machine, only. */
export const canCheck = () => (globalThis.crypto as Crypto | undefined)?.subtle !== undefined;
