/**
 * The form in which names and search text are compared: NFKC, lower case, NFKC again (the lower case of some capitals
 * composes with the accent that follows), and one sigma whatever stands behind it. Locale C in Postgres folds ASCII only.
 */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC').replaceAll('ς', 'σ');
}
