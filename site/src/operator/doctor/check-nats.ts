import { auditStream, boardsStream } from '@boardwire/contracts';
import { connectBus, type Bus } from '@boardwire/messaging';
import { boundedSignal, createLogger } from '@boardwire/service-kit';
import type { Given } from '../command.ts';
import type { Finding } from '../report.ts';
import { finding, ok, reasonOf, unknown } from './check.ts';

const connectMs = 3_000;
const oldest = [2, 10] as const;
const trialStream = 'BOARDWIRE_DOCTOR';

/** Is NATS there, of a version that is tried, with JetStream and the streams as they are declared? */
export async function checkNats({ settings, signal }: Given): Promise<Finding[]> {
  const env = settings.envOf('chat');
  const replicas = Number(env['NATS_REPLICAS'] || 1);
  const bus = await connectBus({
    url: env['NATS_URL'] || 'nats://127.0.0.1:4222',
    token: env['NATS_TOKEN'] || undefined,
    streamReplicas: replicas,
    name: 'doctor',
    logger: createLogger({ service: 'operator', level: 'silent' }),
  });
  const bounded = boundedSignal(connectMs, signal);
  try {
    await bus.whenConnected(bounded.signal);
    if (!bus.connected) {
      const mend =
        'Is it up, are NATS_URL and NATS_TOKEN right, and is the way there open? Until then the log is read from Postgres.';
      return [finding('nats', 'it does not answer, or refuses the token', mend)];
    }
    return [versionFinding(bus.serverVersion), ...(await checkStreams(bus)), ...(await checkPlacing(bus, replicas))];
  } finally {
    bounded.release();
    await bus.close();
  }
}

function versionFinding(version: readonly [number, number] = [0, 0]): Finding {
  const says = `version ${version.join('.')}`;
  const isNew = version[0] > oldest[0] || (version[0] === oldest[0] && version[1] >= oldest[1]);
  return isNew
    ? ok('nats', says)
    : finding('nats', says, `Boardwire needs ${oldest.join('.')} or newer. Upgrade the servers.`);
}

async function checkStreams(bus: Bus): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const stream of [boardsStream, auditStream]) {
    const check = `stream ${stream.name}`;
    try {
      // oxlint-disable-next-line no-await-in-loop -- two
      const differences = await bus.streams.differences(stream);
      findings.push(streamFinding(check, differences));
    } catch (error) {
      const mend =
        'Is JetStream switched on (jetstream { store_dir … }), with room on its disk, and do its servers have a leader?';
      findings.push(finding(check, reasonOf(error), mend));
    }
  }
  return findings;
}

function streamFinding(check: string, differences: string[] | undefined): Finding {
  if (differences === undefined) {
    return finding(
      check,
      'there is none',
      'The service that keeps it makes it when it runs and NATS lets it: see its log.',
    );
  }
  if (differences.length === 0) return ok(check, 'as it is declared');
  const mend =
    'Start chat and audit again: they bring streams to their definition. NATS_REPLICAS has to be the same for all.';
  return finding(check, `is, should be: ${differences.join('; ')}`, mend);
}

/** That three servers are up says nothing: the group that places streams may be short of one, with every probe content. */
async function checkPlacing(bus: Bus, replicas: number): Promise<Finding[]> {
  if (replicas === 1) return [];
  const check = `${replicas} replicas`;
  try {
    await bus.streams.tryPlacing(trialStream, replicas);
    return [ok(check, 'a stream can have them')];
  } catch (error) {
    const reason = reasonOf(error);
    if (/exists|in use/.test(reason)) return [unknown(check, `another doctor is at it: ${reason}`)];
    const mend =
      'Are so many servers up? If they are, one of them is missing from the group that places streams: ' +
      'boardwire doctor --nats-monitor http://<each server>:8222 names it.';
    return [finding(check, reason, mend)];
  }
}
