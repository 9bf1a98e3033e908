export interface ReplayGateOptions {
  /** How many replays may fetch at the same time. */
  concurrentMax: number;
  /** How many of one user. */
  perUserMax: number;
  observeWait: (seconds: number) => void;
}

/** Whose turn it is, and who is to know when it takes long. */
export interface ReplayTurn {
  userId: string;
  /** It has waited for a while and still does; told once for each wait. */
  onWaiting(): void;
}

interface Waiter {
  turn: ReplayTurn;
  since: number;
  isTold: boolean;
  admit: () => void;
}

interface UserQueue {
  running: number;
  waiting: Waiter[];
  /** Stands among the ready. */
  isReady: boolean;
}

/** Let in at most so many in one turn of the event loop, so that a storm of resumes doesn't starve the rest. */
const admittedPerTurn = 16;
/** Who waits longer than this is told so. */
const toldAfterMs = 1_000;

/**
 * Admission of replays on this pod. Each page of a replay takes its turn; nobody keeps a place while its socket
 * drains, so slow readers can't use the places up. Users take turns, and one user's are bounded: whoever opens a
 * thousand streams at once waits for oneself, not the others.
 */
export class ReplayGate {
  readonly #options: ReplayGateOptions;
  readonly #users = new Map<string, UserQueue>();
  /** Users with somebody waiting who may begin. */
  readonly #ready: UserQueue[] = [];
  #running = 0;
  #waiting = 0;
  #admittedThisTurn = 0;
  #teller: NodeJS.Timeout | undefined;

  constructor(options: ReplayGateOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting;
  }

  async run<T>(turn: ReplayTurn, work: () => Promise<T> | T): Promise<T> {
    const user = this.#userOf(turn.userId);
    await this.#admission(user, turn);
    try {
      return await work();
    } finally {
      this.#running -= 1;
      user.running -= 1;
      if (user.waiting.length > 0) this.#offer(user);
      else if (user.running === 0) this.#users.delete(turn.userId);
      this.#admitWaiting();
    }
  }

  #userOf(userId: string): UserQueue {
    let user = this.#users.get(userId);
    if (user === undefined) this.#users.set(userId, (user = { running: 0, waiting: [], isReady: false }));
    return user;
  }

  #admission(user: UserQueue, turn: ReplayTurn): Promise<void> {
    return new Promise((resolve) => {
      user.waiting.push({ turn, since: performance.now(), isTold: false, admit: resolve });
      this.#waiting += 1;
      this.#offer(user);
      this.#admitWaiting();
      if (this.#waiting > 0) this.#teller ??= setInterval(() => this.#tell(), toldAfterMs / 4).unref();
    });
  }

  #offer(user: UserQueue): void {
    if (user.isReady || user.running >= this.#options.perUserMax) return;
    user.isReady = true;
    this.#ready.push(user);
  }

  #admitWaiting(): void {
    while (this.#running < this.#options.concurrentMax && this.#admittedThisTurn < admittedPerTurn) {
      const user = this.#ready.shift();
      if (user === undefined) return;
      user.isReady = false;
      const next = user.waiting.shift();
      if (next === undefined) continue;
      this.#running += 1;
      user.running += 1;
      this.#waiting -= 1;
      if (user.waiting.length > 0) this.#offer(user);
      if (this.#admittedThisTurn === 0) setImmediate(() => this.#nextTurn());
      this.#admittedThisTurn += 1;
      this.#options.observeWait((performance.now() - next.since) / 1_000);
      next.admit();
    }
  }

  #nextTurn(): void {
    this.#admittedThisTurn = 0;
    this.#admitWaiting();
  }

  #tell(): void {
    const longSince = performance.now() - toldAfterMs;
    for (const { waiting } of this.#users.values()) {
      for (const waiter of waiting) {
        if (waiter.isTold || waiter.since > longSince) continue;
        waiter.isTold = true;
        waiter.turn.onWaiting();
      }
    }
    if (this.#waiting > 0) return;
    clearInterval(this.#teller);
    this.#teller = undefined;
  }
}
