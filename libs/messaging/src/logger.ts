/** What messaging needs of a logger; pino's shape. */
export interface BusLogger {
  info(fields: { event: string; [field: string]: unknown }): void;
  warn(fields: { event: string; [field: string]: unknown }): void;
  error(fields: { event: string; [field: string]: unknown }): void;
}
