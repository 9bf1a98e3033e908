import { createHook } from 'node:async_hooks';

/** What Node makes of a question to the system's resolver, and of one to a name server. */
const questions = new Set(['GETADDRINFOREQWRAP', 'QUERYWRAP']);

/** Every name whose address this process asks for from now on, whichever module does it; an address is no question. */
export class NameLookups {
  readonly #questions: { hostname?: string }[] = [];
  readonly #hook = createHook({
    init: (_id, type, _trigger, question) => {
      if (questions.has(type)) this.#questions.push(question);
    },
  });

  constructor() {
    this.#hook.enable();
  }

  /** The name is written into a question when that has been made already. */
  get names(): string[] {
    return this.#questions.map(({ hostname = 'no name' }) => hostname);
  }

  stop(): void {
    this.#hook.disable();
  }
}
