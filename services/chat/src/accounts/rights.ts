import type { BoardGrant, Role } from '@boardwire/contracts';

/** What anybody may try out: read and written by guests. `A.>` does not match `A`. */
const demoSubjects = ['AxonChat', 'AxonChat.>', 'GameScore', 'GameScore.>', 'lounge.>', 'room.*.chat.public'];
const forumSubjects = ['forum', 'forum.>'];
/** What the applets that ship with a site use. None of it is used on the operators' board. */
const appletSubjects = [...demoSubjects, ...forumSubjects, 'room.>', 'app.>'];
const everything = ['>'];

/** The operators' board: federation and audit write it, administrators and auditors read it. */
export const operatorsBoard = 'site';
const publicBoards = ['events', 'forum'];
/** A token names boards one by one, and has to fit a header. */
const namedBoardsMax = 50;

/** The rights that roles carry, on the boards that there are. Rights add up. */
export function grantsOf(roles: readonly Role[], boards: readonly string[]): BoardGrant[] {
  const open = boards.filter((board) => board !== operatorsBoard).slice(0, namedBoardsMax);
  return roles.flatMap((role) => grantsOfRole[role](open));
}

const grantsOfRole: Readonly<Record<Role, (boards: readonly string[]) => BoardGrant[]>> = {
  anonymous: () => [],
  guest: () =>
    publicBoards.map((board) => {
      const subjects = board === 'forum' ? [...demoSubjects, ...forumSubjects] : demoSubjects;
      return { board, publish: subjects, subscribe: subjects };
    }),
  user: (boards) => [
    { board: '*', publish: appletSubjects, subscribe: [...appletSubjects, 'SystemAlert', 'SystemAlert.>'] },
    ...boards.map((board) => ({ board, publish: [], subscribe: everything })),
  ],
  publisher: (boards) => boards.map((board) => ({ board, publish: everything, subscribe: everything })),
  auditor: () => [{ board: '*', publish: [], subscribe: everything }],
  admin: () => [{ board: '*', publish: everything, subscribe: everything }],
};
