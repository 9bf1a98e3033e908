import type { ErrorBody, ErrorCode } from '@boardwire/contracts';

/** What a refusal says, in Boardwire's own words. */
export interface Refusal {
  code: ErrorCode | undefined;
  message: string;
}

/** A refusal's body in the words of an older wire. Boardwire's own routes answer problem documents. */
export function refusalBody(kind: Exclude<ErrorBody, 'problem'>, { code, message }: Refusal): unknown {
  if (kind === 'axonchat') return { error: message };
  // Whoever knows the room's own code for it gives that as the message.
  return { success: false, error: /^[a-z_]+$/.test(message) ? message : (code ?? 'refused') };
}
