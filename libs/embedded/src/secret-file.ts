import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The secret kept in a file of mode 0600, made at first use. Two callers at once agree on one secret: only one of them
 * can create the file.
 */
export async function secretFile(
  path: string,
  make: () => string = randomSecret,
): Promise<{ value: string; isNew: boolean }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const file = await open(path, 'wx', 0o600);
    const value = make();
    await file.writeFile(`${value}\n`);
    await file.close();
    return { value, isNew: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const value = (await readFile(path, 'utf8')).trim();
  if (value === '') throw new Error(`${path} is empty: delete it to get a new secret`);
  return { value, isNew: false };
}

/** 32 random bytes in URL-safe characters. */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}
