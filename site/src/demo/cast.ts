import { setTimeout as sleep } from 'node:timers/promises';
import { BoardwireClient, BoardwireError } from '@boardwire/client';
import { people } from './people.ts';
import type { Publisher } from './script.ts';

/** Everybody who publishes, signed in. */
export interface Cast {
  /** The programs; as the administrator's session it may also read everything and ask the audit. */
  readonly programs: BoardwireClient;
  of(publisher: Publisher): BoardwireClient;
  /** Guests leave, so that their names are free again; all connections end. */
  leave(): Promise<void>;
}

const attemptsMax = 20;
const signInsAtOnce = 4;
/** A wave of scores may be due at once after a pause of ours. */
const outbox = { eventsMax: 100_000 };

export async function signInCast(baseUrl: string, adminPassword: string): Promise<Cast> {
  const programs = new BoardwireClient({ baseUrl, outbox });
  await patiently(() => programs.accounts.login('admin', adminPassword));
  const guests = people.map(() => new BoardwireClient({ baseUrl, outbox }));
  const numbers = [...people.keys()];
  const worker = async (): Promise<void> => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
      await enter(guests[number]!, people[number]!.name);
    }
  };
  await Promise.all(Array.from({ length: signInsAtOnce }, worker));
  return {
    programs,
    of: (publisher) => (publisher === 'programs' ? programs : guests[publisher]!),
    leave: async () => {
      await Promise.allSettled([...guests, programs].map((client) => client.accounts.logout()));
      for (const client of [...guests, programs]) client.close();
    },
  };
}

/** With a number behind the name while somebody of an earlier demo still has it. */
async function enter(client: BoardwireClient, name: string): Promise<void> {
  for (let number = 1; ; number += 1) {
    const nickname = number === 1 ? name : `${name} ${number}`;
    try {
      await patiently(() => client.accounts.guest(nickname));
      return;
    } catch (error) {
      if (!(error instanceof BoardwireError) || error.code !== 'name_taken' || number >= attemptsMax) throw error;
    }
  }
}

/** Signing in is rate-limited like everything else. */
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof BoardwireError) || !error.isRetryable || count >= attemptsMax) throw error;
      await sleep(error.retryAfterMs ?? 500);
    }
  }
}
