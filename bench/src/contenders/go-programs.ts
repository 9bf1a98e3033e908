import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { checkoutFolder } from '@boardwire/embedded';

const installMs = 300_000;
const run = promisify(execFile);

/** Kept between runs: compiling takes minutes. */
const home = join(checkoutFolder, '.boardwire', 'peers');

/**
 * A program written in Go: one on the path, one that was built here before, or built now where there is a Go toolchain.
 *
 * @throws with the reason why it can't be had
 */
export async function goProgram(name: string, module: string): Promise<string> {
  if (spawnSync(name, ['version'], { stdio: 'ignore' }).status === 0) return name;
  const built = join(home, 'bin', name);
  if (existsSync(built)) return built;
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) {
    throw new Error(`there is no ${name} on the path and no Go toolchain to build it`);
  }
  const env = { ...process.env, GOPATH: home, GOBIN: join(home, 'bin'), GOFLAGS: '-modcacherw' };
  try {
    await run('go', ['install', module], { env, timeout: installMs });
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new Error(`go install ${module}: ${reasonIn(stderr) ?? message}`, { cause: error });
  }
  return built;
}

/** The last words of the toolchain, without the addresses it asked. */
function reasonIn(stderr: string): string | undefined {
  const line = stderr.trim().split('\n').at(-1)?.trim();
  return line?.replace(/https?:\/\/\S+/g, '…');
}
