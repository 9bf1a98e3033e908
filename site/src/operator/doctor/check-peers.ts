import { readFile } from 'node:fs/promises';
import { askPeers, type AskedRoom, type FederationState } from '@boardwire/federation/operator';
import type { Given } from '../command.ts';
import { Misuse } from '../misuse.ts';
import type { Finding } from '../report.ts';
import { finding, ok, reasonOf, unknown } from './check.ts';
import { clockFinding } from './clock-finding.ts';

/** Are peers reached, and does each shared alias name the same room, hence the same genesis, at every one of them? */
export async function checkPeers(given: Given): Promise<Finding[]> {
  const { settings, report, signal } = given;
  let state: FederationState;
  try {
    state = await askPeers(settings.envOf('federation'), signal);
  } catch (error) {
    const mend =
      'When the keys can’t be opened: KEY_SECRET_FORMER (.env.example). Else see the database of federation above.';
    return [finding('federation', reasonOf(error), mend)];
  }
  const rooms = state.rooms.map(({ alias, id, board }) => ({ alias, room: id, board }));
  report.fact('rooms', rooms);
  const other = given.text('compare');
  const compared = other === undefined ? [] : compare(rooms, await othersIn(other));
  return [...ownFindings(state), ...state.asked.map(roomFinding), ...clocks(state.asked), ...compared];
}

function ownFindings({ site, rooms, frozen, undialled }: FederationState): Finding[] {
  if (site === undefined) return [unknown('federation', 'the site has no keys yet: federation has never started')];
  const findings = [ok('site keys', `they open; the site is ${site}`)];
  const twice = rooms.filter(({ alias, id }) => rooms.some((other) => other.alias === alias && other.id !== id));
  for (const { alias, board } of twice)
    findings.push(differs(`alias ${alias}`, `it names two rooms on this site, one on ${board}`));
  for (const { room, site: of } of frozen) {
    findings.push(
      finding(`feed of ${of}`, `frozen in ${room}: it said two things at one place`, 'docs/runbooks/equivocation.md.'),
    );
  }
  for (const name of undialled) findings.push(unknown(`peer ${name}`, 'it can’t be dialled; it dials us'));
  return findings;
}

function roomFinding({ name, alias, room, answer, detail }: AskedRoom): Finding {
  const check = `peer ${name}, ${alias}`;
  if (answer === 'same') return ok(check, 'it has the same genesis');
  if (answer === 'room_unknown') return differs(check, `it knows no room ${room}, or doesn’t let this site into it`);
  const mend = mends[answer] ?? 'Ask its operator what its log says of this site. docs/federation.md.';
  return finding(check, detail ?? answer, mend);
}

const mends: Readonly<Record<string, string>> = {
  unreachable:
    'Is it up, and its address right? No private address is called unless FEDERATION_ALLOWED_NETWORKS has it; for .onion FEDERATION_PROXY.',
  clock_skew: 'The clocks differ: let both machines keep their time by NTP.',
  sig_expired: 'The clocks differ: let both machines keep their time by NTP.',
  peer_suspended: 'Its operator has suspended this site: ask why.',
  direction_denied: 'Its invitation does not let this site read: ask its operator for another one.',
};

/** Two sites that open a room each have two rooms, however they are called. */
function differs(check: string, says: string): Finding {
  const mend =
    'A board is shared by one genesis: one site opens the room, every other one comes in by its invitation. Compare both sites ' +
    '(doctor --json there, doctor --compare its-file.json here), give up the room that was opened beside it, and invite again.';
  return finding(check, says, mend);
}

/** One finding for each peer, however many rooms it shares. */
function clocks(asked: readonly AskedRoom[]): Finding[] {
  const offsets = new Map(asked.map(({ name, clockOffsetMs }) => [name, clockOffsetMs]));
  return [...offsets].flatMap(([name, offset]) =>
    offset === undefined ? [] : [clockFinding(`clock of ${name}`, offset)],
  );
}

interface NamedRoom {
  alias: string;
  room: string;
}

function compare(own: readonly NamedRoom[], others: readonly NamedRoom[]): Finding[] {
  return own.flatMap(({ alias, room }) => {
    const there = others.filter((other) => other.alias === alias);
    if (there.length === 0) return [];
    const check = `alias ${alias}`;
    const isSame = there.every((other) => other.room === room);
    return [
      isSame ? ok(check, 'the same genesis on both sites') : differs(check, `${room} here, ${there[0]!.room} there`),
    ];
  });
}

async function othersIn(path: string): Promise<NamedRoom[]> {
  try {
    const { rooms } = JSON.parse(await readFile(path, 'utf8')) as { rooms?: NamedRoom[] };
    if (rooms === undefined) throw new Error('it names no rooms');
    return rooms;
  } catch (error) {
    throw new Misuse(`--compare ${path}: not what doctor --json has written (${(error as Error).message})`, {
      cause: error,
    });
  }
}
