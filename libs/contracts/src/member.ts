import { z } from 'zod';
import { filterSchema } from './board.ts';
import { membershipSchema } from './internal.ts';
import { limits } from './limits.ts';

/** Of an account, or of somebody whom a trusted issuer vouches for: `<issuer>:<subject>`. */
export const memberUserIdSchema = z.string().regex(/^[A-Za-z0-9_~%:-]{1,128}$/, 'an id of a user');

/** `PUT /v1/boards/{board}/members/{userId}`: the whole set of `members` subjects that someone reaches; none ends it. */
export const setMembershipSchema = z.strictObject({
  subjects: z.array(filterSchema).max(limits.membershipSubjectsMax),
});
export type SetMembership = z.infer<typeof setMembershipSchema>;

/** `GET /v1/boards/{board}/members?after=&limit=`, in the order of user ids. */
export const memberListSchema = z.object({ members: z.array(membershipSchema), next: z.string().nullable() });
export type MemberList = z.infer<typeof memberListSchema>;
