import type { FollowedEvent } from '@boardwire/follower';
import { canonicalJson, canonicalString } from '@boardwire/signing';

// Records are written by hand in canonical form (members in code unit order, no blanks): the general writer sorts and
// walks, which costs as much as all the rest of an append. A test holds both equal.

/** What a record says of an event beside its place; an unreadable or removed event leaves these empty. */
export interface EventFacts {
  id: string;
  source: string;
  author: string;
  origin: string;
  /** The event's own time, as its publisher gave it. */
  time: string;
}

export interface Calendar {
  day: string;
  zone: string;
}

/** The record of a board event. It doesn't name its place in the audit log: that is only known when it is appended. */
export function eventRecord(event: FollowedEvent, facts: EventFacts, { day, zone }: Calendar): string {
  return (
    `{"actor":${text(facts.author)},"at":"${new Date(event.committedMs).toISOString()}","board":${text(event.board)},` +
    `"class":"${event.class}","datahash":${text(event.datahash)},"day":"${day}","epoch":${text(event.epoch)},` +
    `"id":${text(facts.id)},"kind":"event","origin":${text(facts.origin)},` +
    (event.removed === undefined ? '' : '"removed":true,') +
    `"seq":${event.seq},"source":${text(facts.source)},"subject":${text(event.subject)},"time":${text(facts.time)},` +
    `"type":${text(event.type)},"v":1,"zone":${text(zone)}}`
  );
}

export interface DecisionFacts {
  service: string;
  number: number;
  action: string;
  outcome: string;
  actor: string;
  atMs: number;
  board?: string | undefined;
  datahash: string;
}

/** The record of a decision; `type` is its action, `origin` the service that took it. */
export function decisionRecord(facts: DecisionFacts, { day, zone }: Calendar): string {
  return canonicalJson({
    actor: clean(facts.actor),
    at: new Date(facts.atMs).toISOString(),
    ...(facts.board === undefined ? {} : { board: clean(facts.board) }),
    datahash: facts.datahash,
    day,
    kind: 'decision',
    number: facts.number,
    origin: clean(facts.service),
    outcome: facts.outcome,
    type: clean(facts.action),
    v: 1,
    zone,
  });
}

function text(value: string): string {
  return canonicalString(clean(value));
}

/** Postgres has no U+0000 in text and JSON no lone surrogate: one such name must not stop the log for good. */
function clean(value: string): string {
  return value.isWellFormed() && !value.includes('\u0000')
    ? value
    : value.toWellFormed().replaceAll('\u0000', '\ufffd');
}
