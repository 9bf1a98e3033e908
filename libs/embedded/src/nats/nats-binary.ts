import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A nats-server program that ran when asked for its version. */
export interface NatsBinary {
  path: string;
  version: string;
  /** Where it came from, in a user's words. */
  origin: string;
  warning?: string;
}

/** The oldest version with everything Boardwire uses: stream metadata, several filter subjects. */
export const oldestSupported = '2.10';

/** The version a program reports, or undefined when there is none that runs. */
export async function natsVersion(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ['--version'], { timeout: 5_000, cwd: '/' });
    return /v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

/** Whether a version such as `2.10.27` is one Boardwire supports. */
export function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 10);
}
