interface Node<T> {
  children: Map<string, Node<T>>;
  here: Set<T> | undefined;
  rest: Set<T> | undefined;
}

const newNode = <T>(): Node<T> => ({ children: new Map(), here: undefined, rest: undefined });

/** Matched subjects kept; a board with more distinct subjects than this pays for the walk again. */
const rememberedMax = 4_096;

/**
 * Finds what is filed under the filters that match a subject, in the subject's length and not in the number of
 * filters. `*` is one token, a final `>` is one or more. Answers are remembered until the next change.
 */
export class SubjectTrie<T> {
  readonly #root = newNode<T>();
  readonly #remembered = new Map<string, readonly T[]>();

  add(filter: string, value: T): void {
    this.#remembered.clear();
    let node = this.#root;
    for (const token of filter.split('.')) {
      if (token === '>') {
        (node.rest ??= new Set()).add(value);
        return;
      }
      let next = node.children.get(token);
      if (next === undefined) node.children.set(token, (next = newNode()));
      node = next;
    }
    (node.here ??= new Set()).add(value);
  }

  /** Removing what is not there does nothing. Empty branches go, so that a churn of filters leaves nothing behind. */
  remove(filter: string, value: T): void {
    this.#remembered.clear();
    this.#removeBelow(this.#root, filter.split('.'), 0, value);
  }

  /** Each value once, also when several of its filters match. */
  match(subject: string): readonly T[] {
    const known = this.#remembered.get(subject);
    if (known !== undefined) return known;
    const found = new Set<T>();
    collect(this.#root, subject.split('.'), 0, found);
    const answer = [...found];
    if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
    this.#remembered.set(subject, answer);
    return answer;
  }

  /** Each value once whose filters share a subject with these. */
  overlapping(filters: readonly string[]): T[] {
    const found = new Set<T>();
    for (const filter of filters) collectOverlapping(this.#root, filter.split('.'), 0, found);
    return [...found];
  }

  get isEmpty(): boolean {
    return isBare(this.#root);
  }

  #removeBelow(node: Node<T>, tokens: readonly string[], at: number, value: T): void {
    const token = tokens[at];
    if (token === undefined) {
      node.here?.delete(value);
      if (node.here?.size === 0) node.here = undefined;
    } else if (token === '>') {
      node.rest?.delete(value);
      if (node.rest?.size === 0) node.rest = undefined;
    } else {
      const next = node.children.get(token);
      if (next === undefined) return;
      this.#removeBelow(next, tokens, at + 1, value);
      if (isBare(next)) node.children.delete(token);
    }
  }
}

function isBare(node: Node<unknown>): boolean {
  return node.here === undefined && node.rest === undefined && node.children.size === 0;
}

function collect<T>(node: Node<T>, tokens: readonly string[], at: number, found: Set<T>): void {
  const token = tokens[at];
  if (token === undefined) {
    for (const value of node.here ?? []) found.add(value);
    return;
  }
  for (const value of node.rest ?? []) found.add(value);
  const exact = node.children.get(token);
  if (exact !== undefined) collect(exact, tokens, at + 1, found);
  const star = node.children.get('*');
  // A subject has no wildcard token, so the two branches never are the same one.
  if (star !== undefined) collect(star, tokens, at + 1, found);
}

function collectOverlapping<T>(node: Node<T>, tokens: readonly string[], at: number, found: Set<T>): void {
  const token = tokens[at];
  if (token === undefined) {
    for (const value of node.here ?? []) found.add(value);
    return;
  }
  for (const value of node.rest ?? []) found.add(value);
  if (token === '>') {
    for (const child of node.children.values()) collectAll(child, found);
  } else if (token === '*') {
    for (const child of node.children.values()) collectOverlapping(child, tokens, at + 1, found);
  } else {
    for (const next of [node.children.get(token), node.children.get('*')]) {
      if (next !== undefined) collectOverlapping(next, tokens, at + 1, found);
    }
  }
}

function collectAll<T>(node: Node<T>, found: Set<T>): void {
  for (const value of node.here ?? []) found.add(value);
  for (const value of node.rest ?? []) found.add(value);
  for (const child of node.children.values()) collectAll(child, found);
}
