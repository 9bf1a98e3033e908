import { addCheckpointAnswerSchema, federationPaths, type AddCheckpointRequest } from '@boardwire/contracts';
import { cosignatureVerifier, generateSigningKey, openCosignatures } from '@boardwire/signing';
import type { Kit } from '../kit.ts';
import { expectEqual, expectThat, type Rule } from '../rule.ts';
import { keysOf } from '../site-document.ts';
import { ForeignLog } from '../sites/foreign-log.ts';
import type { Role } from '../sites/roles.ts';

const ask = async (kit: Kit, request: AddCheckpointRequest, role: Role = 'first') =>
  (await kit.member(role)).client.post(federationPaths.addCheckpoint, request);

/** That the log has been seen as it is now, in the words of the site under test. */
async function cosigned(kit: Kit, { log, old, role }: { log: ForeignLog; old: number; role?: Role }): Promise<void> {
  const request = await log.request(old);
  const { cosignature, size } = (await ask(kit, request, role)).as(addCheckpointAnswerSchema);
  expectEqual(size, log.size, 'the size that it has seen');
  if (cosignature === null) expectThat(false, 'a log that only grew is not cosigned');
  const { site, document } = kit.target;
  const [key] = keysOf(document, 'checkpoint').values();
  expectThat(key !== undefined, 'the site document names no key for checkpoints');
  const opened = openCosignatures(`${request.checkpoint}${cosignature}`, [
    cosignatureVerifier(`boardwire/witness/${site}`, key),
  ]);
  expectEqual(opened.length, 1, 'cosignatures by its key');
  expectThat(Math.abs(opened[0]!.atSeconds - Date.now() / 1_000) < 600, 'the time of a cosignature is off');
}

export const witnessRules: Rule[] = [
  {
    name: 'witness.cosigns',
    says: 'the checkpoint of an audit log is cosigned, and again when the log has grown from there',
    async check(kit) {
      const log = new ForeignLog().grow(3);
      await cosigned(kit, { log, old: 0 });
      await cosigned(kit, { log: log.grow(5), old: 3 });
    },
  },
  {
    name: 'witness.elsewhere',
    says: 'whoever is wrong about what the witness has seen is told its size',
    async check(kit) {
      const log = new ForeignLog().grow(4);
      const unknown = (await ask(kit, await log.request(2))).as(addCheckpointAnswerSchema);
      expectEqual(unknown, { cosignature: null, size: 0 }, 'a log that it has never seen');
      await cosigned(kit, { log, old: 0 });
      const known = (await ask(kit, await log.grow(2).request(0))).as(addCheckpointAnswerSchema);
      expectEqual(known, { cosignature: null, size: 4 }, 'a log that it has seen');
    },
  },
  {
    name: 'witness.fork',
    says: 'a log with another past is equivocation, whoever brings it, and the first past is cosigned as before',
    async check(kit) {
      const log = new ForeignLog().grow(6);
      await cosigned(kit, { log, old: 0, role: 'second' });
      const forked = await log.fork(4).grow(2, 'another').request(0);
      (await ask(kit, forked)).refuses('equivocation', 'another root for the same size');
      const rewritten = await log.fork(4).grow(5, 'another').request(6);
      (await ask(kit, rewritten, 'second')).refuses('equivocation', 'a proof that does not hold');
      await cosigned(kit, { log: log.grow(1), old: 6, role: 'second' });
    },
  },
  {
    name: 'witness.foreign_key',
    says: 'what the key of the origin has not signed is malformed',
    async check(kit) {
      const log = new ForeignLog().grow(1);
      const { key } = await new ForeignLog(generateSigningKey()).grow(1).request(0);
      (await ask(kit, await log.request(0, { key }), 'second')).refuses('malformed', 'a checkpoint by another key');
    },
  },
];
