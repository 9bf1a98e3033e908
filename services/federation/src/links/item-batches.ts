import { federationLimits, type WireItem } from '@boardwire/contracts';
import { claimOf } from './blame.ts';

/** What may wait while a batch is taken: with more, whoever brings it waits. */
const waitingMax = { items: 4 * federationLimits.batchItemsMax, bytes: 4 * federationLimits.batchBytesMax };

/**
 * Items on their way in: while one batch is taken the next one gathers, so that batches are as large as the work is slow,
 * and single events wait for nobody.
 */
export class ItemBatches {
  #waiting: WireItem[] = [];
  #bytes = 0;
  readonly #sites = new Map<string, number>();
  #running: Promise<void> | undefined;
  #error: unknown;
  #onTaken: () => void = () => undefined;

  constructor(
    private readonly take: (items: readonly WireItem[]) => Promise<void>,
    private readonly onError: () => void,
  ) {}

  get depth(): number {
    return this.#waiting.length;
  }

  /** Whether items that claim to be of this site are on their way in. */
  holds(site: string): boolean {
    return this.#sites.has(site);
  }

  /** Resolves when there is room for more. @throws whatever a batch before it failed with */
  async add(item: WireItem): Promise<void> {
    this.#rethrow();
    this.#waiting.push(item);
    this.#bytes += sizeOf(item);
    this.#count(item, 1);
    this.#running ??= this.#run();
    while (this.#isFull()) {
      // oxlint-disable-next-line no-await-in-loop -- until enough of it is taken
      await new Promise<void>((resolve) => (this.#onTaken = resolve));
    }
    this.#rethrow();
  }

  /** Resolves when everything was taken. @throws whatever a batch failed with */
  async settled(): Promise<void> {
    await this.#running;
    this.#rethrow();
  }

  async #run(): Promise<void> {
    // What the same chunk brought joins the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#waiting.length > 0) {
        // oxlint-disable-next-line no-await-in-loop -- one batch after the other
        await this.#take(this.#cut());
      }
    } catch (error) {
      this.#error = error ?? new Error('a batch failed');
      this.#waiting = [];
      this.#bytes = 0;
      this.#sites.clear();
      this.onError();
    } finally {
      this.#running = undefined;
      this.#onTaken();
    }
  }

  async #take(batch: readonly WireItem[]): Promise<void> {
    await this.take(batch);
    for (const item of batch) this.#count(item, -1);
    this.#onTaken();
  }

  #count(item: WireItem, by: 1 | -1): void {
    const site = claimOf(item)?.site ?? '';
    const count = (this.#sites.get(site) ?? 0) + by;
    if (count > 0) this.#sites.set(site, count);
    else this.#sites.delete(site);
  }

  #cut(): WireItem[] {
    let bytes = 0;
    const limit = federationLimits.batchBytesMax;
    let count = 0;
    while (count < Math.min(this.#waiting.length, federationLimits.batchItemsMax)) {
      bytes += sizeOf(this.#waiting[count]!);
      if (count > 0 && bytes > limit) break;
      count += 1;
    }
    const batch = this.#waiting.splice(0, count);
    for (const item of batch) this.#bytes -= sizeOf(item);
    return batch;
  }

  #isFull(): boolean {
    return this.#waiting.length >= waitingMax.items || this.#bytes >= waitingMax.bytes;
  }

  #rethrow(): void {
    if (this.#error !== undefined) throw this.#error;
  }
}

const sizeOf = ({ h, data }: WireItem) => h.length + (data?.length ?? 0);
