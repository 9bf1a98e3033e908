import { z } from 'zod';

// eslint-disable-next-line no-control-regex
const authorPattern = /^(?:[^@\u0000-\u001f]+|[^\u0000-\u001f]+@bs1[a-z2-7]{52})$/;

/** Whom somebody ignores: `user` of this site, or `user@site` of another one; the last `@` parts the two. */
export const ignoredAuthorSchema = z.string().max(256).regex(authorPattern, 'user or user@site');

/** `GET /v1/me/ignores`: whose events don't reach the account, in the order of their names. */
export const ignoreListSchema = z.object({ authors: z.array(z.string()) });
export type IgnoreList = z.infer<typeof ignoreListSchema>;

/** Of `/sync`: everybody whom someone ignores, of this site as well as `author@site`; none: nobody any more. */
export const ignoresSchema = z.object({ userId: z.string(), authors: z.array(z.string()) });
export type Ignores = z.infer<typeof ignoresSchema>;
