import { call, type Answer, type Person } from './person.ts';

export interface Refusal {
  status: number;
  type: string;
  text: string;
}

/** The connection broke before an answer: whether the post was stored is not known, so it is repeated. */
function brokenOff(error: unknown): Pick<Answer<{ seq: number }>, 'status' | 'type' | 'text' | 'body'> {
  return { status: 0, type: '', text: String((error as Error).cause ?? error), body: { seq: 0 } };
}

/** Four publishers that post without pause and repeat what was refused with the same id, as the SDK does. */
export class SteadyLoad {
  readonly seqs: number[] = [];
  readonly refusals: Refusal[] = [];
  private stopped = false;
  private readonly publishers: Promise<void>[];
  private readonly url: string;
  private readonly person: Person;
  private readonly board: string;

  constructor(url: string, person: Person, board: string) {
    this.url = url;
    this.person = person;
    this.board = board;
    this.publishers = Array.from({ length: 4 }, (_, number) => this.publish(number));
  }

  /** Resolves when so many posts were answered 200 or 201. */
  async accepted(count: number, timeoutMs = 30_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.seqs.length < count) {
      if (Date.now() > deadline)
        throw new Error(
          `${this.seqs.length} of ${count} accepted; last refusal ${JSON.stringify(this.refusals.at(-1))}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.publishers);
  }

  private async publish(number: number): Promise<void> {
    for (let at = 0; !this.stopped; at += 1) {
      await this.post(`${this.board}-${number}-${at}`, number);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  private async post(id: string, number: number): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const answer = await call<{ seq: number }>(`${this.url}/v1/boards/${this.board}/events`, {
        token: this.person.token,
        json: { id, subject: `load.p${number}`, type: 'load.tick', data: { id } },
      }).catch(brokenOff);
      if (answer.status === 200 || answer.status === 201) {
        this.seqs.push(answer.body.seq);
        return;
      }
      this.refusals.push({ status: answer.status, type: answer.type, text: answer.text });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${id} was never accepted: ${JSON.stringify(this.refusals.at(-1))}`);
  }
}
