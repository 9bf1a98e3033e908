import type { BoardRow } from './board-store.ts';

/** Whether a board takes no events of somebody. People of other sites are known by their site as well. */
export function isBanned({ banned }: Pick<BoardRow, 'banned'>, author: string, site?: string): boolean {
  if (banned.length === 0) return false;
  if (site === undefined) return banned.includes(author);
  return banned.includes(`@${site}`) || banned.includes(`${author}@${site}`);
}
