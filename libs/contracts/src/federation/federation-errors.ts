import { z } from 'zod';

/**
 * Every refusal that sites give each other, by code; `/fed/v1` answers it as {@link federationProblemSchema}. Apart from
 * the public table: another site acts by these codes, so their meaning is part of BF/1.
 */
export const federationErrorTable = {
  malformed: { status: 400, title: 'The request could not be read' },
  sig_missing: { status: 401, title: 'The hop signature or a part of it is missing' },
  sig_invalid: { status: 401, title: 'The hop signature is not of the profile, or does not hold' },
  sig_expired: { status: 401, title: 'The hop signature has expired' },
  digest_mismatch: { status: 401, title: 'The content digest is not that of the body' },
  nonce_replayed: { status: 401, title: 'The nonce was used before' },
  clock_skew: { status: 401, title: 'The hop signature was made in our future: the clocks differ' },
  peer_suspended: { status: 403, title: 'This peer is suspended' },
  direction_denied: { status: 403, title: 'This peer may not do this in this room' },
  room_unknown: { status: 404, title: 'No such room for this peer' },
  equivocation: { status: 409, title: 'The feed says two things at one place, or the log has two pasts' },
  epoch_closed: { status: 409, title: 'A later epoch of this feed has begun' },
  feed_pruned: { status: 410, title: 'This part of the feed is no longer kept' },
  too_large: { status: 413, title: 'Too large' },
  wrong_destination: { status: 421, title: 'The request was signed for another site' },
  upgrade_required: { status: 426, title: 'This site does not speak this version' },
  rate_limited: { status: 429, title: 'Too many requests' },
  unavailable: { status: 503, title: 'Something needed for this is unavailable' },
} as const satisfies Record<string, { status: number; title: string }>;

export type FederationErrorCode = keyof typeof federationErrorTable;

export const federationErrorCodes = Object.keys(federationErrorTable) as [
  FederationErrorCode,
  ...FederationErrorCode[],
];

/** 429 and 503 come with `Retry-After`. */
export const federationProblemSchema = z.object({
  code: z.enum(federationErrorCodes),
  status: z.number().int(),
  detail: z.string().optional(),
});
export type FederationProblem = z.infer<typeof federationProblemSchema>;
