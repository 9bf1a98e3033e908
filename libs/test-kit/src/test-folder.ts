import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '@boardwire/embedded';

const prefix = 'boardwire-test-';

/** A folder of its own for a test's data. Its name carries our pid, so that a later run can remove what we left. */
export async function testFolder(): Promise<string> {
  await removeAbandoned();
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  // Postgres runs as another user when we are root, and must be able to pass through.
  if (process.getuid?.() === 0) await chmod(folder, 0o711);
  return folder;
}

/** A killed run can't clean up after itself: the next one does. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(/^boardwire-test-(\d+)-/.exec(name)?.[1] ?? 0);
    if (pid === 0 || (await isAlive(pid))) continue;
    // Somebody else's run left it: not ours to remove.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
