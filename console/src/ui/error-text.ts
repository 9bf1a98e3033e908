import { BoardwireError } from '@boardwire/client';

/** What went wrong, in a sentence for the person at the screen. */
export function errorText(error: unknown): string {
  if (!(error instanceof BoardwireError)) return 'Something unexpected happened.';
  const fields = error.errors.map(({ message }) => message).join('; ');
  return fields === '' ? `${error.message}.` : `${error.title}: ${fields}.`;
}
