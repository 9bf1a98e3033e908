import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { boardsStream } from '@boardwire/contracts';
import { connectBus, type Bus, type BusMessage } from '@boardwire/messaging';
import { eventually } from '@boardwire/test-kit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { rebuildMirror, type RebuildMirrorOptions } from '../src/operator.ts';
import { ChatSite, event, secret, type ChatReplica } from './chat-site.ts';

let site: ChatSite;
let chat: ChatReplica;
let bus: Bus;

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const never = new AbortController().signal;

beforeAll(async () => {
  site = await ChatSite.start();
  chat = await site.replica();
  const { NATS_URL: url, NATS_TOKEN: token } = site.infrastructure.env;
  bus = await connectBus({ url, token, name: 'test', logger: quiet });
}, 60_000);

afterAll(async () => {
  await bus?.close();
  await site?.stop();
});

const envOf = () => ({
  NODE_ENV: 'test',
  INTERNAL_SECRET: secret,
  DATABASE_URL: site.databaseUrl,
  FEDERATION_URL: 'http://127.0.0.1:9',
  NATS_URL: site.infrastructure.env.NATS_URL,
  NATS_TOKEN: site.infrastructure.env.NATS_TOKEN,
});

const rebuild = (options: Partial<RebuildMirrorOptions> = {}) => rebuildMirror(envOf(), { signal: never, ...options });

const program = fileURLToPath(new URL('../dist/rebuild-stream.js', import.meta.url));

/** The program of chat's container; what it says goes to standard output, a line of JSON each. */
async function runProgram(args: readonly string[], meanwhile?: (child: ChildProcess) => Promise<void>) {
  const child = spawn(process.execPath, [program, ...args], { env: envOf(), stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = Promise.all([text(child.stdout), once(child, 'exit')]);
  await meanwhile?.(child).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const [said, [code]] = await ended;
  return { code: code as number | null, said };
}

const make = async (slug: string, events: number) => {
  await chat.call('POST', '/internal/v1/boards', { json: { slug, title: slug, rules: [] } });
  for (let done = 0; done < events; done += 500) {
    const portion = Array.from({ length: Math.min(500, events - done) }, () => event());
    // oxlint-disable-next-line no-await-in-loop -- in order
    await chat.outcomes(slug, portion);
  }
  await eventually(async () => expect((await held(slug)).at(-1)?.headers.get('Board-Seq')).toBe(String(events)));
};

/** What the stream holds of a board, in its order. */
async function held(slug: string): Promise<BusMessage[]> {
  const messages: BusMessage[] = [];
  const last = await bus.streams.lastBySubject(boardsStream.name, `board.${slug}.>`);
  if (last === undefined) return [];
  const reader = bus.consumeOrdered({
    stream: boardsStream.name,
    subjects: ['board.>'],
    start: { from: 'sequence', sequence: 1 },
    onMessage: (message) => void messages.push(message),
  });
  await eventually(async () => expect(messages.at(-1)?.streamSequence).toBeGreaterThanOrEqual(last.streamSequence!));
  await reader.close();
  return messages.filter(({ subject }) => subject.startsWith(`board.${slug}.`));
}

const seqs = (messages: readonly BusMessage[]) => messages.map(({ headers }) => Number(headers.get('Board-Seq')));
/** Waits for the lock, to ask for a rebuild. */
const asking = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%rebuilds_asked = rebuilds_asked%'`;
const bytes = ({ subject, data, headers }: BusMessage) => ({
  subject,
  data: Buffer.from(data).toString(),
  headers: Object.fromEntries(
    ['Nats-Msg-Id', 'Board-Seq', 'Board-Epoch', 'Event-Type', 'Event-Class', 'Event-Time', 'Event-Datahash'].map(
      (name) => [name, headers.get(name)],
    ),
  ),
});
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe('the mirror made anew', () => {
  it('holds again what it held, byte for byte, after all of JetStream was lost', async () => {
    await make('lost', 700);
    const before = (await held('lost')).map(bytes);
    await bus.streams.delete(boardsStream.name);
    const plan = await rebuild();
    expect(plan.find(({ board }) => board === 'lost')).toEqual({ board: 'lost', after: 0, head: 700 });
    expect((await held('lost')).map(bytes)).toEqual(before);
  }, 30_000);

  it('takes what is posted meanwhile behind what was there, each event once', async () => {
    await make('busy', 300);
    let isPosting = true;
    const posting = (async () => {
      let count = 300;
      while (isPosting) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await chat.outcomes('busy', [event(), event()]);
        count += 2;
      }
      return count;
    })();
    await rebuild();
    isPosting = false;
    const count = await posting;
    await eventually(async () => expect(seqs(await held('busy'))).toEqual(upTo(count)), { timeoutMs: 8_000 });
  }, 30_000);

  it('puts one board back although the stream has had its events a moment ago, and leaves the others alone', async () => {
    await make('one', 40);
    await make('other', 5);
    const others = (await held('other')).map(({ streamSequence }) => streamSequence);
    await bus.streams.purge(boardsStream.name, 'board.one.>');
    await rebuild({ board: 'one' });
    expect(seqs(await held('one'))).toEqual(upTo(40));
    await rebuild({ board: 'one' });
    expect(seqs(await held('one'))).toEqual(upTo(40));
    expect((await held('other')).map(({ streamSequence }) => streamSequence)).toEqual(others);
  }, 30_000);

  it('leaves out what is older than the stream keeps', async () => {
    await make('old', 50);
    await site.query(`UPDATE chat.event SET committed_at = now() - interval '4 days'
      WHERE seq <= 20 AND board_id = (SELECT id FROM chat.board WHERE slug = 'old')`);
    expect(await rebuild({ board: 'old' })).toEqual([{ board: 'old', after: 20, head: 50 }]);
    expect(seqs(await held('old'))).toEqual(upTo(50).slice(20));
  }, 30_000);

  it('does nothing when only asked what it would do', async () => {
    await make('dry', 10);
    await bus.streams.purge(boardsStream.name, 'board.dry.>');
    expect(await rebuild({ board: 'dry', isDryRun: true })).toEqual([{ board: 'dry', after: 0, head: 10 }]);
    expect(await held('dry')).toEqual([]);
  });

  it('goes on where it was broken off', async () => {
    await make('broken', 2_000);
    const breaking = new AbortController();
    await rebuild({
      signal: breaking.signal,
      onProgress: ({ published }) => published > 0 && breaking.abort(),
    });
    await rebuild();
    expect(seqs(await held('broken'))).toEqual(upTo(2_000));
  }, 30_000);

  it('is done by the program of chat’s container too', async () => {
    await make('contained', 20);
    await bus.streams.purge(boardsStream.name, 'board.contained.>');
    const { code, said } = await runProgram(['--board', 'contained']);
    expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('"head":20') });
    expect(seqs(await held('contained'))).toEqual(upTo(20));
    expect(await runProgram(['--boards', 'x'])).toEqual({ code: 1, said: expect.stringContaining("'--boards'") });
  }, 30_000);

  it('is finished by the leader when the program is ended', async () => {
    await make('ended', 20);
    await bus.streams.purge(boardsStream.name, 'board.ended.>');
    const holder = new pg.Client({ connectionString: site.databaseUrl });
    await holder.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE chat.relay_mark IN EXCLUSIVE MODE');
      const ended = await runProgram(['--board', 'ended'], async (child) => {
        await eventually(async () => expect(await site.query(asking)).toHaveLength(1), { timeoutMs: 10_000 });
        child.kill('SIGINT');
        await holder.query('COMMIT');
      });
      expect(ended).toEqual({ code: 1, said: expect.stringContaining('the leader of the relay goes on') });
    } finally {
      await holder.end();
    }
    await eventually(async () => expect(seqs(await held('ended'))).toEqual(upTo(20)), { timeoutMs: 8_000 });
  }, 30_000);

  it('is done by the command itself where no chat runs', async () => {
    await make('alone', 30);
    await chat.service.stop();
    await bus.streams.delete(boardsStream.name);
    await rebuild();
    expect(seqs(await held('alone'))).toEqual(upTo(30));
  }, 30_000);

  it('names a board that is not there', async () => {
    await expect(rebuild({ board: 'nowhere' })).rejects.toThrow('there is no board “nowhere”');
  });
});
