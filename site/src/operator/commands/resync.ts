import type { Command, Given } from '../command.ts';
import { putIntoMirror } from './put-into-mirror.ts';

export const resync: Command = {
  name: 'resync',
  summary: 'puts the messages of one board into the stream again',
  options: {
    board: { type: 'string', value: 'board', says: 'the slug of the board' },
    'dry-run': { type: 'boolean', says: 'says what would be published, and does nothing' },
  },
  explains: `Takes the board's messages out of the stream BOARDS and publishes them again from Postgres, in order and under the same
message ids. Other boards stay as they are. It may be interrupted and begun again at any time.`,
  examples: ['boardwire resync --board events', 'boardwire resync --board events --dry-run'],
  run: (given: Given) => putIntoMirror(given, { isDryRun: given.has('dry-run'), board: given.needed('board') }),
};
