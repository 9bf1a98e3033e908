import type { Command, Given } from '../command.ts';
import { checkFiles } from '../doctor/check-files.ts';
import { checkMetaGroup } from '../doctor/check-meta-group.ts';
import { checkNats } from '../doctor/check-nats.ts';
import { checkPeers } from '../doctor/check-peers.ts';
import { checkPostgres } from '../doctor/check-postgres.ts';
import { checkServices } from '../doctor/check-services.ts';
import { finding, reasonOf, type Check } from '../doctor/check.ts';
import { Misuse } from '../misuse.ts';

const checks: readonly (readonly [name: string, check: Check])[] = [
  ['services', checkServices],
  ['postgres', checkPostgres],
  ['nats', checkNats],
  ['meta group of nats', checkMetaGroup],
  ['federation', checkPeers],
  ['files', checkFiles],
];

export const doctor: Command = {
  name: 'doctor',
  summary: 'looks at everything that a new operator gets wrong, and says how to mend it',
  options: {
    replicas: {
      type: 'string',
      value: 'n',
      says: 'replicas of each service, for the connections they need; default 1',
    },
    'nats-monitor': {
      type: 'string',
      value: 'url',
      isRepeated: true,
      says: 'monitoring of a NATS server, such as http://nats-0:8222',
    },
    compare: {
      type: 'string',
      value: 'file',
      says: 'what doctor --json wrote on another site: do its aliases name the same rooms?',
    },
  },
  explains: `Services and their readiness; Postgres, its version, migrations, connections and clock; how old the audit's newest checkpoint is; NATS,
its version, streams and, with --nats-monitor, whether every server is in the group that places streams; whether the site's keys
open; whether peers are reached and each shared alias names the same genesis at every one of them; room on the disk, and who may read
the secrets. Nothing is changed, but for a stream of no size that is made and removed where streams have replicas.`,
  examples: [
    'boardwire doctor',
    'boardwire doctor --nats-monitor http://nats-0:8222 --nats-monitor http://nats-1:8222 --nats-monitor http://nats-2:8222',
    'boardwire doctor --json > here.json      # and on the other site: boardwire doctor --compare here.json',
  ],
  async run(given: Given) {
    const replicas = given.text('replicas');
    if (replicas !== undefined && !/^[1-9]\d{0,2}$/.test(replicas))
      throw new Misuse(`--replicas ${replicas}: give a number`);
    for (const [name, check] of checks) {
      if (given.signal.aborted) return;
      // oxlint-disable-next-line no-await-in-loop -- told one after the other
      for (const one of await found(name, check, given)) given.report.add(one);
    }
  },
};

async function found(name: string, check: Check, given: Given) {
  try {
    return await check(given);
  } catch (error) {
    if (error instanceof Misuse) throw error;
    return [finding(name, reasonOf(error), 'This should not happen: the other findings may tell why.')];
  }
}
