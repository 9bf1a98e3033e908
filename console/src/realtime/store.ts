import { useSyncExternalStore } from 'react';

/** A busy board brings hundreds of events a second; no eye follows more renders than this. */
const tellEveryMs = 50;

/**
 * A value that components can watch; what changes it lives outside of React. The first change is told at once, those
 * right behind it together.
 */
export class Store<T> {
  #value: T;
  #toldAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    if (this.#timer !== undefined) return;
    const waitMs = this.#toldAt + tellEveryMs - performance.now();
    if (waitMs <= 0) this.#tell();
    else this.#timer = setTimeout(() => this.#tell(), waitMs);
  }

  #tell(): void {
    this.#timer = undefined;
    this.#toldAt = performance.now();
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, () => store.value);
}
