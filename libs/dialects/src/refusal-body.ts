import type { ErrorBody } from '@boardwire/contracts';

/** A refusal's body in the words of an older wire. Boardwire's own routes answer problem documents. */
export function refusalBody(kind: Exclude<ErrorBody, 'problem'>, message: string): unknown {
  const bodies: Record<typeof kind, unknown> = { axonchat: { error: message } };
  return bodies[kind];
}
