import { accessRuleOf, type SubjectRule } from '../board.ts';
import { matchesFilter } from '../subject.ts';

/**
 * What no room shares, whatever its filter says: neither written into a feed nor taken from one. `A.>` does not match
 * `A`, so both stand here.
 */
export const neverFederated = {
  boards: ['site'],
  subjects: ['dm', 'dm.>', 'room.*.chat.private', 'room.*.chat.private.>', 'Notifications', 'Notifications.>'],
} as const;

/**
 * Whether events of this subject stay on their site for ever.
 * @param rules of the board: what only members reach is private, wherever it stands
 */
export function isNeverFederated(board: string, subject: string, rules: readonly SubjectRule[] = []): boolean {
  return (
    neverFederated.boards.some((one) => one === board) ||
    neverFederated.subjects.some((filter) => matchesFilter(filter, subject)) ||
    accessRuleOf(rules, subject, matchesFilter) === 'members'
  );
}
