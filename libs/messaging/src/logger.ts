/** What messaging needs of a logger; pino's shape. */
export interface BusLogger {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}
