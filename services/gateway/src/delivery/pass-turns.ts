import type { LiveMember } from './live-group.ts';

/** After so many writes other work gets its turn: handshakes, acknowledgements, new events. */
export const writesPerTurn = 1_000;

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** In a group that takes several turns, those served first are served last by the next pass. */
export function rotate(members: Set<LiveMember>): void {
  if (members.size <= writesPerTurn) return;
  let count = 0;
  for (const member of members) {
    members.delete(member);
    members.add(member);
    count += 1;
    if (count === writesPerTurn) return;
  }
}
