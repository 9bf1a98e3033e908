import type { Gateway } from '../gateway.ts';
import type { Outbox } from '../delivery/outbox.ts';
import { textFrame } from '../delivery/ws-frame.ts';
import { knownSlug } from '../http/boards.controller.ts';
import { historyAnswer } from '../http/history-answer.ts';
import { parseHistoryQuery } from '../http/query.ts';
import { readHistory } from '../http/read-history.ts';
import type { Access } from '../rights/access.ts';
import type { FrameOf } from './client-frames.ts';

/** Answers a socket's `history` frames one after the other: only one page at a time is held for a slow client. */
export class HistoryPages {
  readonly #gateway: Gateway;
  readonly #outbox: Outbox;
  #turn: Promise<void> = Promise.resolve();

  constructor(gateway: Gateway, outbox: Outbox) {
    this.#gateway = gateway;
    this.#outbox = outbox;
  }

  /** @throws AppError */
  answer(access: Access, frame: FrameOf<'history'>): Promise<void> {
    const answered = this.#turn.then(() => this.#answer(access, frame));
    this.#turn = answered.catch(() => {});
    return answered;
  }

  async #answer(access: Access, frame: FrameOf<'history'>): Promise<void> {
    await this.#room();
    if (this.#outbox.isSealed) return;
    const { verifier, config } = this.#gateway;
    verifier.assertStands(access);
    const page = await readHistory(this.#gateway, {
      access,
      board: knownSlug(frame.board),
      asked: parseHistoryQuery(queryOf(frame)),
      // Live events need room beside it.
      bytesMax: Math.floor(config.OUTBOX_BYTES_MAX / 2),
    });
    await this.#room();
    const text = `{"type":"history","req":${JSON.stringify(frame.req)},"answer":${historyAnswer(page)}}`;
    this.#outbox.write(textFrame(Buffer.from(text)));
  }

  async #room(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- whoever is first after a drain makes the others wait again
    while (this.#outbox.drained() !== undefined) await this.#outbox.drained();
  }
}

/** The frame in the words of `GET …/events`: one parser, one set of refusals. */
function queryOf({ subjects, types, after, before, limit }: FrameOf<'history'>): Record<string, unknown> {
  return {
    subject: subjects,
    ...(types === undefined ? {} : { type: types }),
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
    limit: String(limit),
  };
}
