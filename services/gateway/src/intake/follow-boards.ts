import { BoardFollower, type ChatLog } from '@boardwire/follower';
import type { Bus } from '@boardwire/messaging';
import type { Gateway } from '../gateway.ts';
import type { Revocations } from '../rights/revocations.ts';

export interface FollowOptions {
  gateway: Gateway;
  revocations: Revocations;
  bus: Bus;
  chat: ChatLog;
}

/** Wires the follower of all boards to the channels, and chat's news to rights. */
export function followBoards({ gateway, revocations, bus, chat }: FollowOptions): BoardFollower {
  const { boards, rights, context } = gateway;
  return new BoardFollower({
    name: 'gateway',
    bus,
    chat,
    context,
    marks: 'head',
    onEvents: (board, events) => boards.append(board, events),
    onEpoch: (board, { epoch, head }) => boards.startEpoch(board, epoch, head),
    onRemoved: (board) => boards.remove(board),
    onControl: (changes) => {
      gateway.ephemerals.learnOrigin(changes.origin);
      revocations.add(changes.revocations);
      rights.learn(changes);
      boards.learn(changes.boards);
    },
  });
}
