import { AppError } from '@boardwire/service-kit';

/** The token of an `Authorization: Bearer` header (RFC 6750, 2.1), or undefined when there is none. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const match = /^Bearer(?: +(.*))?$/i.exec(header);
  if (match === null) throw new AppError('token_invalid', { detail: 'only bearer tokens are taken' });
  const token = match[1]?.trim();
  return token === '' ? undefined : token;
}
