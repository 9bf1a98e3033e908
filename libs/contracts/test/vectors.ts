import { readFileSync } from 'node:fs';

/** A file of golden vectors. Server, SDK, console and federation are tested with the same ones. */
export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as T;
}

export interface Invalid {
  why: string;
}
