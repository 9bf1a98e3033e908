import { WsFormat } from '../delivery/ws-format.ts';

const keptMax = 1_024;

/** Formats by the names that clients give their subscriptions: programs of one kind use the same few. */
export class SocketFormats {
  readonly #bySub = new Map<string, WsFormat>();

  of(sub: string): WsFormat {
    const known = this.#bySub.get(sub);
    if (known !== undefined) return known;
    if (this.#bySub.size >= keptMax) this.#bySub.clear();
    const format = new WsFormat(sub);
    this.#bySub.set(sub, format);
    return format;
  }
}
