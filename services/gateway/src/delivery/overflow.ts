import type { Overflow } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { Readable } from './subscriptions.ts';

/**
 * What happens to a reader that can't keep up. By default one that can only see `state` and `ephemeral` subjects gets
 * the newest, and any other is cut and comes back with its cursor.
 * @throws AppError `invalid` when events of class `log` would have to be left out
 */
export function overflowOf({ channel, wanted }: Readable, asked: Overflow | undefined): Overflow {
  const filter = [...wanted.filters, ...wanted.memberFilters].find((each) => channel.classes.mayBeLog(each));
  if (filter === undefined) return asked ?? 'conflate';
  if (asked !== 'conflate') return 'disconnect';
  const detail = `conflate leaves events out, and ${filter} can match subjects of class log, of which none may be`;
  throw new AppError('invalid', { detail, errors: [{ path: 'overflow', message: detail }] });
}
