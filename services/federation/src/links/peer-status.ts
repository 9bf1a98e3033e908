/** What is seen of a peer while it is linked; nothing of it is stored. */
export interface PeerStatus {
  /** Events of its feeds that somebody has told of and this site hasn't. */
  lagEvents: number;
  /** For how long this site has been behind; 0 when it isn't, null while nobody has told of its feeds. */
  lagSeconds: number | null;
  /** How far its clock is ahead of ours. */
  clockOffsetSeconds: number | null;
  /** In any room, in either direction. */
  streamOpen: boolean;
}

export interface PeerStatuses {
  of(site: string): PeerStatus | undefined;
}
