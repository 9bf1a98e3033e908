import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressIn } from '../address-in.ts';
import type { Environment } from '../checkout.ts';
import { notOurs } from '../controlled-server.ts';
import { secretFile } from '../secret-file.ts';
import { timedStep, type StepListener } from '../step.ts';
import { EmbeddedNats, type NatsServer } from './embedded-nats.ts';
import { findNatsServer } from './find-nats-server.ts';
import { isSupported, oldestSupported, type NatsBinary } from './nats-binary.ts';
import { askInfo, whyRefused } from './nats-info.ts';

export interface ProvideNatsOptions {
  /** Holds the JetStream store, the token (mode 0600) and the log. */
  dataDir: string;
  env: Environment;
  onStep?: StepListener;
  /** Called before something slow begins: a download. */
  onSlow?: (text: string) => void;
  /** A program found before, to skip the search. */
  binary?: NatsBinary;
}

/**
 * A running NATS with JetStream: the one at `NATS_URL`, else one of our own (see `findNatsServer` for where the
 * program comes from).
 */
export async function provideNats(options: ProvideNatsOptions): Promise<NatsServer> {
  const { dataDir, env, onStep } = options;
  const url = env['NATS_URL'];
  if (url) {
    const server = await timedStep(
      onStep,
      (found) => `${found.description} answers`,
      () => externalNats(url, env),
    );
    if (!isSupported(server.version)) {
      onStep?.({ text: 'NATS', ms: 0, warning: `${server.description} is older than ${oldestSupported}` });
    }
    return server;
  }
  const binary =
    options.binary ??
    (await timedStep(
      onStep,
      (found) => `NATS: nats-server ${found.version} found (${found.origin})`,
      () => findNatsServer({ env, ...(options.onSlow === undefined ? {} : { onSlow: options.onSlow }) }),
    ));
  if (binary.warning !== undefined) onStep?.({ text: 'NATS', ms: 0, warning: binary.warning });
  await mkdir(dataDir, { recursive: true });
  const portFile = join(dataDir, 'nats-port');
  const server = new EmbeddedNats({
    binary,
    home: join(dataDir, 'nats'),
    logFile: join(dataDir, 'logs', 'nats.log'),
    token: (await secretFile(join(dataDir, 'secrets', 'nats-token'))).value,
    preferredPort: Number(await readFile(portFile, 'utf8').catch(() => '')) || 0,
  });
  await timedStep(
    onStep,
    () => `${server.description} runs on port ${server.port}`,
    () => server.start(),
  );
  await writeFile(portFile, `${server.port}\n`);
  return server;
}

async function externalNats(url: string, env: Environment): Promise<NatsServer> {
  const {
    host,
    hostname,
    port = 4222,
  } = addressIn('NATS_URL', url.split(',')[0] ?? '', {
    protocols: ['nats:', 'tls:'],
    form: 'nats://host:4222',
  });
  const token = env['NATS_TOKEN'] || undefined;
  const info = await askInfo(hostname, port).catch((error: Error) => {
    throw new Error(`NATS_URL: no NATS answers at ${host} (${error.message}). Is nats-server running there?`, {
      cause: error,
    });
  });
  if (info.jetstream !== true) throw new Error(`NATS_URL: the server at ${host} has no JetStream. Start it with -js.`);
  const refusal = await whyRefused({ host: hostname, port, token });
  if (refusal !== undefined) throw new Error(`NATS_URL: the server at ${host} says ${refusal}. ${tokenHint(token)}`);
  return {
    kind: 'external',
    url,
    token,
    version: info.version,
    port,
    pid: undefined,
    description: `NATS ${info.version} (NATS_URL)`,
    start: notOurs('NATS'),
    restart: notOurs('NATS'),
    kill: notOurs('NATS'),
    pause: notOurs('NATS'),
    resume: notOurs('NATS'),
    stop: () => Promise.resolve(),
  };
}

function tokenHint(token: string | undefined): string {
  return token === undefined ? 'Give its token in NATS_TOKEN.' : 'Is NATS_TOKEN its token?';
}
