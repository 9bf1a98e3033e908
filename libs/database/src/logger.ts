/** What this package needs of a logger; pino's shape. */
export interface DatabaseLogger {
  info(fields: object): void;
  warn(fields: object): void;
  error(fields: object): void;
}
