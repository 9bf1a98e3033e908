import { foreignItemSchema, isNeverFederated, redactedType, type ForeignItem } from '@boardwire/contracts';
import { invalid } from '@boardwire/service-kit';
import { isBanned } from '../boards/is-banned.ts';
import { isPrepared, type Submitted } from './append-batch.ts';
import { refused, submitEvent, type SubmitContext } from './submit-event.ts';

/**
 * An event that another site accepted, ready for the log with its own origin, time and salt. Rights and rates were that
 * site's to check. What is private stays out whatever federation was told: a peer's error must not open it.
 */
export function submitForeignEvent(value: unknown, context: SubmitContext): Submitted {
  const parsed = foreignItemSchema.safeParse(value);
  if (!parsed.success)
    return { ...refused(idOf(value), 'invalid_event'), errors: [...(invalid(parsed.error.issues).errors ?? [])] };
  const { origin, salt, datahash, ...item } = parsed.data;
  const why = whyRefused(parsed.data, context);
  if (why !== undefined) return refused(item.id, 'forbidden', why);
  const salts = { next: () => Buffer.from(salt, 'hex') };
  const event = submitEvent(item, { ...context, origin, salts });
  if (!isPrepared(event)) return event;
  if (event.datahash !== datahash) return refused(item.id, 'invalid_event', 'the hash is not that of its data');
  return { ...event, foreignOrigin: origin };
}

function whyRefused(
  { origin, subject, author, type }: ForeignItem,
  { board, ...site }: SubmitContext,
): string | undefined {
  if (origin === site.origin) return 'an event of this site does not come from another';
  if (isNeverFederated(board.slug, subject, board.rules)) return 'the subject is never shared with other sites';
  // That something is gone is told whoever says it: federation has proven that they may.
  if (type !== redactedType && isBanned(board, author, origin)) return 'banned from this board';
  return undefined;
}

function idOf(value: unknown): string {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
  return typeof id === 'string' ? id : '';
}
