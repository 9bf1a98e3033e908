import type { Command, Given } from '../command.ts';
import { putIntoMirror } from './put-into-mirror.ts';

export const rebuildStream: Command = {
  name: 'rebuild-stream',
  summary: 'makes the stream BOARDS anew from Postgres, after JetStream was lost or damaged',
  options: { 'dry-run': { type: 'boolean', says: 'says what would be published, and does nothing' } },
  explains: `Nobody needs it to read or post: a stream that is lost is made again by chat at once, and readers go on from Postgres. This
puts back what it held, for programs that read NATS themselves: all events younger than the stream keeps them, in order, under the
same message ids. Whoever leads chat's relay does it; where no chat runs, this command does. New events come up to half a second later
meanwhile, and each reader still gets each of them once. It may be interrupted and begun again at any time.`,
  examples: ['boardwire rebuild-stream --dry-run', 'boardwire rebuild-stream', 'boardwire rebuild-stream --env --json'],
  run: (given: Given) => putIntoMirror(given, { isDryRun: given.has('dry-run') }),
};
