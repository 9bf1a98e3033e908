import { federationLimits } from '@boardwire/contracts';
import type { Database, DecisionOutbox, Queryable } from '@boardwire/database';
import { verifyConsistency } from '@boardwire/signing';
import type { PresentedCheckpoint } from './presented-checkpoint.ts';

/** `seen`: it may be cosigned. `elsewhere`: the proof begins somewhere else than at `size`. */
export type Judgement =
  | { outcome: 'seen'; size: number }
  | { outcome: 'elsewhere' | 'smaller'; size: number }
  | { outcome: 'forked'; kind: ForkKind; isNew: boolean }
  | { outcome: 'too_many' };

/** Two roots for one size are proof by themselves; a proof that doesn't hold may also be the fault of who brought it. */
export type ForkKind = 'two_roots' | 'no_proof';

interface Kept {
  size: number;
  root: Buffer;
  note: string;
}

/** What was seen last of each log: it only ever goes on from there, whatever is brought at the same time. */
export class WitnessBook {
  constructor(
    private readonly database: Database,
    private readonly decisions: DecisionOutbox,
  ) {}

  /** Takes a checkpoint that its log has signed, or says why not. What it calls seen is stored. */
  take(presented: PresentedCheckpoint, site: string): Promise<Judgement> {
    return this.database.transaction(async (transaction): Promise<Judgement> => {
      const kept = (await lock(transaction, presented)) ?? (await this.#begin(transaction, presented, site));
      if (kept === 'begun') return { outcome: 'seen', size: presented.size };
      if (kept === undefined) return presented.old > 0 ? { outcome: 'elsewhere', size: 0 } : { outcome: 'too_many' };
      const judgement = judge(kept, presented);
      if (judgement === 'two_roots' || judgement === 'no_proof') {
        const isNew = await this.#keepFork(transaction, { kept, presented, site, kind: judgement });
        return { outcome: 'forked', kind: judgement, isNew };
      }
      if (judgement !== 'seen') return { outcome: judgement, size: kept.size };
      const { origin, size, root, note } = presented;
      await transaction.query('UPDATE witnessed SET size = $2, root = $3, note = $4, at = now() WHERE origin = $1', [
        origin,
        size,
        root,
        note,
      ]);
      return { outcome: 'seen', size };
    });
  }

  /** Another may begin the same log just now: then it has, and what it has seen counts. */
  async #begin(transaction: Queryable, presented: PresentedCheckpoint, site: string) {
    const { origin, key, size, root, note, old } = presented;
    if (old > 0) return undefined;
    const values = [origin, site, key, size, root, note, federationLimits.witnessedLogsMax];
    const begun = await transaction.query(beginLog, values);
    return begun.length > 0 ? ('begun' as const) : lock(transaction, presented);
  }

  /** Once: a site that goes on with its second past is refused again and again. */
  async #keepFork(transaction: Queryable, fork: Fork): Promise<boolean> {
    const { kept, presented, site, kind } = fork;
    const { origin, key, note } = presented;
    const kin = await transaction.query(keepFork, [origin, site, kind, key, kept.note, note]);
    if (kin.length === 0) return false;
    const sizes = { kept: kept.size, size: presented.size };
    const detail = { origin, kind, key, ...sizes, kept_checkpoint: kept.note, checkpoint: note };
    await this.decisions.add(transaction, {
      action: 'federation.witness.forked',
      outcome: 'refused',
      actor: site,
      detail,
    });
    return true;
  }
}

interface Fork {
  kept: Kept;
  presented: PresentedCheckpoint;
  site: string;
  kind: ForkKind;
}

function judge(kept: Kept, presented: PresentedCheckpoint): 'seen' | 'elsewhere' | 'smaller' | ForkKind {
  const { size, root, old, proof } = presented;
  if (size === kept.size && !root.equals(kept.root)) return 'two_roots';
  if (size < kept.size) return 'smaller';
  if (old !== kept.size) return 'elsewhere';
  const claim = { from: kept.size, to: size, fromRoot: kept.root, toRoot: root, proof };
  return verifyConsistency(claim) ? 'seen' : 'no_proof';
}

/** Until the transaction ends nobody else is told anything of this log. */
async function lock(transaction: Queryable, { origin }: PresentedCheckpoint): Promise<Kept | undefined> {
  const sql = 'SELECT size, root, note FROM witnessed WHERE origin = $1 FOR UPDATE';
  return (await transaction.query<Kept>(sql, [origin]))[0];
}

const beginLog = `
  INSERT INTO witnessed (origin, site, key, size, root, note) SELECT $1, $2, $3, $4::bigint, $5::bytea, $6
  WHERE (SELECT count(*) FROM witnessed WHERE site = $2) < $7
  ON CONFLICT (origin) DO NOTHING RETURNING origin`;

const keepFork = `
  INSERT INTO witnessed_fork (origin, site, kind, key, kept_note, other_note) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT DO NOTHING RETURNING origin`;
