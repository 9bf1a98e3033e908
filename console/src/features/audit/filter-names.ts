import type { FilterName } from './explorer-address.ts';

/** How each condition is called on the screen. */
export const filterLabels: Readonly<Record<FilterName, string>> = {
  day: 'Day',
  board: 'Board',
  subject: 'Subject',
  actor: 'Actor',
  site: 'Origin',
  peer: 'Peer',
  kind: 'Kind',
  action: 'Action',
  outcome: 'Outcome',
  type: 'Type',
  readiness: 'Readiness',
  symbol: 'Symbol',
  forced_hold: 'Forced hold',
  trace: 'Trace',
  event_id: 'Event id',
  hash: 'Hash',
  from: 'From',
  to: 'Until before',
  q: 'Text',
};
