import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream';

/** Nothing has moved for too long: the sender is stuck, or the reader is. */
export class BodyStalled extends Error {
  override name = 'BodyStalled';
}

/**
 * A body that may take as long as it likes to pass, as long as it moves: it is cut when neither side has done anything
 * for `idleMs`.
 */
export function boundedBody(body: Readable, idleMs: number): Readable {
  const passing = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      timer.refresh();
      done(null, chunk);
    },
  });
  const timer = setTimeout(() => passing.destroy(new BodyStalled()), idleMs);
  pipeline(body, passing, () => clearTimeout(timer));
  passing.once('close', () => clearTimeout(timer));
  return passing;
}
