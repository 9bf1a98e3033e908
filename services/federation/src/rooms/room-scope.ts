import { isNeverFederated, matchesFilter, type SubjectRule } from '@boardwire/contracts';

export interface RoomPlace {
  /** The local board. */
  board: string;
  /** The room's filter. */
  subjects: readonly string[];
}

/** Whether events of a subject cross in this room: its filter covers it, and it isn't of those that never leave a site. */
export function isShared({ board, subjects }: RoomPlace, subject: string, rules: readonly SubjectRule[] = []): boolean {
  return !isNeverFederated(board, subject, rules) && subjects.some((filter) => matchesFilter(filter, subject));
}
