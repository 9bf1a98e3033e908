import { z } from 'zod';
import { limits } from './limits.ts';
import { matchesFilter } from './subject.ts';

const visible = (text: string) =>
  text.isWellFormed() && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text) && text.trim() === text;

export const nameSchema = z
  .string()
  .min(limits.nameCharsMin)
  .max(limits.nameCharsMax)
  .refine(visible, { message: 'no control characters, no blanks at the ends' });

export const passwordSchema = z.string().min(limits.passwordCharsMin).max(limits.passwordCharsMax);

export const registerSchema = z.strictObject({ name: nameSchema, password: passwordSchema });
export const loginSchema = z.strictObject({
  name: z.string().min(1).max(256),
  password: z.string().min(1).max(limits.passwordCharsMax),
});
export const guestSchema = z.strictObject({ nickname: nameSchema });
export const refreshSchema = z.strictObject({ refreshToken: z.string().min(1).max(512) });
export const logoutSchema = z.strictObject({ refreshToken: z.string().min(1).max(512).optional() });

export const roles = ['guest', 'user', 'publisher', 'auditor', 'admin', 'anonymous'] as const;
export const roleSchema = z.enum(roles);
export type Role = z.infer<typeof roleSchema>;

/** `POST /v1/auth/accounts`, for administrators. */
export const createAccountSchema = z.strictObject({
  name: nameSchema,
  password: passwordSchema,
  roles: z
    .array(roleSchema.exclude(['guest', 'anonymous']))
    .min(1)
    .max(4),
});
export type CreateAccount = z.infer<typeof createAccountSchema>;

/** `PATCH /v1/auth/accounts/{id}`, for administrators. Disabling ends every session of the account. */
export const changeAccountSchema = z
  .strictObject({
    roles: z
      .array(roleSchema.exclude(['guest', 'anonymous']))
      .min(1)
      .max(4),
    disabled: z.boolean(),
  })
  .partial();
export type ChangeAccount = z.infer<typeof changeAccountSchema>;

export const userSchema = z.object({ id: z.string(), name: z.string(), roles: z.array(roleSchema) });
export type User = z.infer<typeof userSchema>;

/** What register, login, guest and refresh answer. */
export const sessionSchema = z.object({
  accessToken: z.string(),
  /** RFC 3339 UTC. */
  expiresAt: z.string(),
  refreshToken: z.string(),
  user: userSchema,
});
export type Session = z.infer<typeof sessionSchema>;

export const boardGrantSchema = z.object({
  board: z.string(),
  publish: z.array(z.string()),
  subscribe: z.array(z.string()),
});
/** What a token allows on one board; `board: "*"` stands for every board. */
export type BoardGrant = z.infer<typeof boardGrantSchema>;

/** Whether the grants allow publishing on an open subject of a board. `members` subjects need a membership besides. */
export function mayPublish(grants: readonly BoardGrant[], board: string, subject: string): boolean {
  return grants.some(
    (grant) =>
      (grant.board === '*' || grant.board === board) && grant.publish.some((filter) => matchesFilter(filter, subject)),
  );
}

/** Claims of an access token (EdDSA JWT, RFC 8037). */
export const accessClaimsSchema = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  /** Session id; a revocation names it. */
  sid: z.string(),
  iat: z.number(),
  exp: z.number(),
  name: z.string(),
  roles: z.array(roleSchema),
  boards: z.array(boardGrantSchema),
});
export type AccessClaims = z.infer<typeof accessClaimsSchema>;

export const accessTokenAudience = 'boardwire';

export const jwksSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string().optional() })) });
