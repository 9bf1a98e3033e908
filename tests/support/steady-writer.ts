import { expect } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { call, type Person } from './person.ts';

export interface SteadyWriterOptions {
  url: string;
  person: Person;
  subject: string;
  perSecond: number;
}

/** One who posts at a steady pace to the board `events`, and repeats with its id what was not answered. */
export class SteadyWriter {
  readonly seqs: number[] = [];
  readonly #options: SteadyWriterOptions;
  readonly #writing: Promise<void>;
  #isStopped = false;

  constructor(options: SteadyWriterOptions) {
    this.#options = options;
    this.#writing = this.#write();
  }

  get last(): number {
    return this.seqs.at(-1)!;
  }

  /** Resolves when more than so many further posts were accepted. */
  async goesOn(by = 5, timeoutMs = 20_000): Promise<void> {
    const before = this.seqs.length;
    await eventually(() => expect(this.seqs.length).toBeGreaterThan(before + by), { timeoutMs });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { url, person, subject, perSecond } = this.#options;
    for (let at = 0; !this.#isStopped; at += 1) {
      const json = { id: `${subject}-${at}`, subject, type: 'note', data: { at } };
      // oxlint-disable-next-line no-await-in-loop -- one post after the other
      const answer = await call<{ seq: number }>(`${url}/v1/boards/events/events`, {
        token: person.token,
        json,
      }).catch(() => undefined);
      if (answer?.status === 200 || answer?.status === 201) this.seqs.push(answer.body.seq);
      else at -= 1;
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, 1_000 / perSecond));
    }
  }
}
