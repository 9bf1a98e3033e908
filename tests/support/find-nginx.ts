import { findNginx, type NginxProgram } from '@boardwire/test-kit';

/**
 * A real nginx. Without one its suite is skipped and says so; with `BOARDWIRE_REQUIRE_NGINX=1` that is a failure.
 */
export async function nginxOrReason(): Promise<NginxProgram | undefined> {
  try {
    return await findNginx();
  } catch (error) {
    const reason = (error as Error).message;
    if (process.env['BOARDWIRE_REQUIRE_NGINX'] === '1')
      throw new Error(`nginx is required: ${reason}`, { cause: error });
    process.stdout.write(`nginx suite skipped: ${reason}\n`);
    return undefined;
  }
}
