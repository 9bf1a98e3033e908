import { chmod, copyFile, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { withDebianArchive, type DebianSource } from '../debian/debian-archive.ts';
import { natsVersion } from './nats-binary.ts';

/** Takes nats-server out of Debian's package into `cache`, and answers its path there. */
export function unpackDebianNats(cache: string, source: DebianSource): Promise<string> {
  return withDebianArchive(source, async (archive) => {
    const root = await archive.unpack('nats-server');
    return keep(join(root, 'usr', 'sbin', 'nats-server'), cache);
  });
}

async function keep(program: string, cache: string): Promise<string> {
  const version = await natsVersion(program);
  if (version === undefined) throw new Error('the unpacked program does not run here');
  const folder = join(cache, `nats-server-${version}`);
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'nats-server');
  await copyFile(program, `${path}.new`);
  await chmod(`${path}.new`, 0o755);
  await rename(`${path}.new`, path);
  return path;
}
