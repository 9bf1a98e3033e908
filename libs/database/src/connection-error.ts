const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

/** SQLSTATEs of a server that is going, coming, full, or a demoted primary; class 08 is tested by its prefix. */
const serverCodes = new Set([
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57014', // query_canceled: our own statement_timeout
  '55P03', // lock_not_available: our own lock_timeout
  '53300', // too_many_connections
  '25006', // read_only_sql_transaction: the primary was demoted under us
]);

const messages =
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Client was closed and is not queryable|Cannot use a pool after calling end|Connection ended|is not queryable/i;

/**
 * Whether an error says that Postgres is gone, coming back, or does not answer in time: the request may be repeated
 * later, and callers answer `database_unavailable`. What was asked may have been done all the same.
 */
export function isConnectionError(error: unknown): boolean {
  for (let at = error, depth = 0; isObject(at) && depth < 5; at = at['driverError'] ?? at['cause'], depth += 1) {
    const { code, message } = at;
    if (typeof code === 'string' && (networkCodes.has(code) || serverCodes.has(code) || /^08...$/.test(code))) {
      return true;
    }
    if (typeof message === 'string' && messages.test(message)) return true;
    if (at instanceof AggregateError && at.errors.some((inner) => isConnectionError(inner))) return true;
  }
  return false;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
