/** An instant as the browser's own field for date and time writes it: in the reader's zone, to the second. */
export function localInputOf(instant: string | undefined): string {
  const at = Date.parse(instant ?? '');
  if (Number.isNaN(at)) return '';
  const offsetMs = new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - offsetMs).toISOString().slice(0, 19);
}

/** RFC 3339 UTC of what such a field holds; undefined while it is not a date and time. */
export function instantOf(input: string): string | undefined {
  // Without a zone, a date with a time is read in the reader's own.
  const at = new Date(input).getTime();
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}
