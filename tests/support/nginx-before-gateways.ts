import { readFileSync } from 'node:fs';
import { freePort, NginxServer, type FoundProgram } from '@boardwire/test-kit';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestSite } from './test-site.ts';

/** The configuration that docker compose runs. */
export const nginxConf = readFileSync(fileURLToPath(new URL('../../docker/nginx.conf', import.meta.url)), 'utf8');

export interface NginxBeforeGateways {
  /** HTTP/1.1. */
  readonly url: string;
  /** HTTP/2 in clear, by prior knowledge. */
  readonly h2Url: string;
  stop(): Promise<void>;
}

/** Starts nginx before all gateways of the site, with the configuration of docker compose or one made from it. */
export async function startNginx(
  program: FoundProgram,
  { site, infrastructure }: TestSite,
  configuration = nginxConf,
): Promise<NginxBeforeGateways> {
  const [port, h2Port] = [await freePort(), await freePort()];
  const gateways = Object.values(site.services).flatMap(({ publicUrl }) =>
    publicUrl ? [new URL(publicUrl).host] : [],
  );
  const server = await NginxServer.start({
    program,
    folder: join(infrastructure.folder, `nginx-${port}`),
    configuration: adapted(configuration, { port, h2Port, gateways }),
    port,
  });
  return { url: `http://127.0.0.1:${port}`, h2Url: `http://127.0.0.1:${h2Port}`, stop: () => server.stop() };
}

/** Other ports, other paths, and gateways by address instead of by a container's name; everything else as it stands. */
function adapted(text: string, to: { port: number; h2Port: number; gateways: string[] }): string {
  const servers = to.gateways.map((host) => `server ${host};`).join('\n    ');
  return replaced(text, [
    [/resolver [^;]*;\s*server gateway:8080 resolve;/, servers],
    [/listen 8080;/, `listen 127.0.0.1:${to.port};\n    listen 127.0.0.1:${to.h2Port} http2;`],
  ]).replaceAll('/tmp/', '');
}

function replaced(text: string, changes: readonly (readonly [RegExp, string])[]): string {
  return changes.reduce((before, [pattern, by]) => {
    if (before.match(new RegExp(pattern, 'g'))?.length !== 1)
      throw new Error(`not once in the configuration: ${pattern}`);
    return before.replace(pattern, () => by);
  }, text);
}
