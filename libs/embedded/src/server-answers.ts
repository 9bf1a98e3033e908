import { askInfo } from './nats/nats-info.ts';
import { askVersion } from './postgres/embedded-postgres.ts';

/** Whether a NATS with JetStream answers there. */
export function natsAnswers(host: string, port: number): Promise<boolean> {
  return askInfo(host, port).then(
    ({ jetstream }) => jetstream === true,
    () => false,
  );
}

/** Whether a Postgres lets us in there. */
export function postgresAnswers(url: string): Promise<boolean> {
  return askVersion(url).then(
    (version) => version !== undefined,
    () => false,
  );
}
