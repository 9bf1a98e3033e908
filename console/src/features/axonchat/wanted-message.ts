import { parseCursor } from '@boardwire/contracts';
import { useEffect, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { LobbyRoom, RoomView } from './lobby-room.ts';

export interface WantedMessage {
  id: string;
  seq: number;
}

/** The message that the address names: its id, and where on the board it stands. */
export function useWantedMessage(): WantedMessage | undefined {
  const [search] = useSearchParams();
  const id = search.get('event');
  const seq = parseCursor(search.get('at') ?? '')?.seq;
  return useMemo(() => (id === null || seq === undefined ? undefined : { id, seq }), [id, seq]);
}

/** Reads earlier pages until the wanted message must be among them. */
export function useEarlierUntil(wanted: WantedMessage | undefined, room: LobbyRoom, view: RoomView): void {
  const { messages, hasEarlier, isLoadingEarlier, failure } = view;
  const first = messages[0]?.seq;
  const isFurtherBack = wanted !== undefined && first !== undefined && first > wanted.seq;
  useEffect(() => {
    if (isFurtherBack && hasEarlier && !isLoadingEarlier && failure === undefined) void room.loadEarlier();
  }, [room, isFurtherBack, hasEarlier, isLoadingEarlier, failure, first]);
}
