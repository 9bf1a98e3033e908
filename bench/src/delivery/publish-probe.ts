import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';

const pauseMs = 5;

/** Posts one event after the other and notes how long each took to be accepted. */
export class PublishProbe {
  readonly #origin: string;
  readonly #path: string;
  readonly #token: string;

  constructor(origin: string, board: string, token: string) {
    this.#origin = origin;
    this.#path = `/v1/boards/${board}/events`;
    this.#token = token;
  }

  /**
   * Posts while the work goes on, over a connection that was there before: who begins in a storm waits among those who
   * come back. @param took gets the milliseconds of every post that was begun meanwhile
   */
  async during<T>(work: () => Promise<T>, took: number[]): Promise<T> {
    const pool = new Pool(this.#origin, { connections: 1, pipelining: 1 });
    await this.#post(pool);
    let isOver = false;
    const posting = this.#postUntil(pool, took, () => isOver);
    try {
      return await work();
    } finally {
      isOver = true;
      await posting;
      await pool.close();
    }
  }

  async #postUntil(pool: Pool, took: number[], isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const began = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.#post(pool);
      took.push(performance.now() - began);
      // oxlint-disable-next-line no-await-in-loop
      await sleep(pauseMs);
    }
  }

  async #post(pool: Pool): Promise<void> {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: this.#path,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ subject: 'bench.posts', type: 'bench.post', data: {} }),
    });
    const text = await body.text();
    if (statusCode !== 201) throw new Error(`a post answered ${statusCode}: ${text}`);
  }
}
