import {
  findProgram,
  microsocksPackage,
  nginxPackage,
  prometheusPackage,
  type FoundProgram,
} from '@boardwire/test-kit';

/** A real nginx. Without one its suite is skipped and says so; with `BOARDWIRE_REQUIRE_NGINX=1` that is a failure. */
export const nginxOrReason = () => programOrReason(nginxPackage, process.env['BOARDWIRE_REQUIRE_NGINX'] === '1');

/** A real Prometheus with promtool beside it; required with `BOARDWIRE_REQUIRE_PROMETHEUS=1`. */
export const prometheusOrReason = () =>
  programOrReason(prometheusPackage, process.env['BOARDWIRE_REQUIRE_PROMETHEUS'] === '1');

/** A real SOCKS 5 server; required with `BOARDWIRE_REQUIRE_MICROSOCKS=1`. */
export const microsocksOrReason = () =>
  programOrReason(microsocksPackage, process.env['BOARDWIRE_REQUIRE_MICROSOCKS'] === '1');

async function programOrReason(wanted: typeof nginxPackage, isRequired: boolean): Promise<FoundProgram | undefined> {
  try {
    return await findProgram(wanted);
  } catch (error) {
    const reason = (error as Error).message;
    if (isRequired) throw new Error(`${wanted.name} is required: ${reason}`, { cause: error });
    process.stdout.write(`${wanted.name} suite skipped: ${reason}\n`);
    return undefined;
  }
}
