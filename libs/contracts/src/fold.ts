/** The form in which names and search text are compared: NFKC, then lower case. Locale C in Postgres folds ASCII only. */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
