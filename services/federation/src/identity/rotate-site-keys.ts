import { federationLimits } from '@boardwire/contracts';
import { DecisionOutbox, type Database } from '@boardwire/database';
import { IdentityStore } from './identity-store.ts';
import type { KeyVault } from './key-vault.ts';
import { newKey, settledIdentity, type SiteIdentity } from './site-identity.ts';

/** The root key is what the site's id is made of; by the checkpoint key others know this site as a witness. */
export const rotatedUses = ['hop', 'event'] as const;
export type RotatedUse = (typeof rotatedUses)[number];

export interface RotateOptions {
  uses: readonly RotatedUse[];
  /** So long others can learn of the new key before anything is signed with it, and so long the former hop key passes after. */
  signAfterMs: number;
  signal?: AbortSignal;
}

export interface Rotation {
  use: RotatedUse;
  from: string;
  to: string;
  signsFrom: Date;
}

export interface Rotated {
  siteId: string;
  documentVersion: number;
  rotations: Rotation[];
}

/** @throws Error when there is no identity yet, its keys don't open, or a new key of such a use waits already */
export function rotateSiteKeys(
  database: Database,
  vault: KeyVault,
  { uses, signAfterMs, signal }: RotateOptions,
): Promise<Rotated> {
  return database.transaction(async (transaction) => {
    const store = new IdentityStore(transaction, vault);
    await store.lock();
    const before = await currentIdentity(store);
    await assertNoneWaits(store, uses);
    const made = uses.map(newKey);
    for (const key of made) {
      // oxlint-disable-next-line no-await-in-loop -- two at most
      await store.addNextKey(key, signAfterMs);
    }
    const signsFrom = new Map((await store.nextKeys()).map((next) => [next.keyId, next.signsFrom]));
    const after = await settledIdentity(store, { versionMin: versionOfNow() });
    assertSize(after);
    const rotations = uses.map((use, at) => {
      const to = made[at]!.keyId;
      return { use, from: before.keys[use].keyId, to, signsFrom: signsFrom.get(to)! };
    });
    const { siteId, documentVersion } = after;
    const detail = {
      documentVersion,
      keys: rotations.map((one) => ({ ...one, signsFrom: one.signsFrom.toISOString() })),
    };
    const decision = { action: 'federation.keys.rotate', outcome: 'done' as const, actor: 'operator', detail };
    await new DecisionOutbox(database).add(transaction, decision);
    // Last, so that whoever has had enough leaves everything as it was.
    if (signal?.aborted === true) throw new Error('interrupted; nothing was changed');
    return { siteId, documentVersion, rotations };
  });
}

/** Before it is looked at whether a new key waits: one whose time has come waits no more. */
async function currentIdentity(store: IdentityStore): Promise<SiteIdentity> {
  if ((await store.latestDocument()) === undefined) {
    throw new Error('the site has no keys yet: federation makes them when it first starts');
  }
  return settledIdentity(store);
}

async function assertNoneWaits(store: IdentityStore, uses: readonly RotatedUse[]): Promise<void> {
  const waiting = (await store.nextKeys()).find((next) => (uses as readonly string[]).includes(next.use));
  if (waiting === undefined) return;
  throw new Error(
    `a new ${waiting.use} key waits already: ${waiting.keyId} signs from ${waiting.signsFrom.toISOString()}`,
  );
}

/** Others take no larger one. */
function assertSize({ document }: SiteIdentity): void {
  if (JSON.stringify(document).length <= federationLimits.documentBytesMax) return;
  throw new Error('the site document has no room for another key');
}

const minuteMs = 60_000;

/**
 * A rotation's version counts minutes: in a backup from before an earlier rotation the site document's version is lower than
 * what others hold, and by a new rotation it is above that again.
 */
const versionOfNow = () => Math.floor(Date.now() / minuteMs);
