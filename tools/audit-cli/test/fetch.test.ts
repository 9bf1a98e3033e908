import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { consistencyProof, formatVerifier, generateSigningKey } from '@boardwire/signing';
import { eventually } from '@boardwire/test-kit';
import { cli, verdictOf } from './run-cli.ts';
import { forged, save, WrittenLog } from './written-log.ts';

// The files of a written log, served by plain HTTP: what a site answers, and every way in which it can fail to.
let folder: string;
let served: string;
let server: Server;
let log: WrittenLog;
let asked: string[];
/** Answers in place of the files; true when it has. */
let interrupt: (path: string, request: IncomingMessage, response: ServerResponse) => boolean;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boardwire-fetch-'));
  served = await mkdtemp(join(tmpdir(), 'boardwire-served-'));
  [log, asked, interrupt] = [new WrittenLog().fill(700), [], () => false];
  await serve(log);
  await save(join(folder, 'token'), 'first\n');
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await Promise.all([folder, served].map((path) => rm(path, { recursive: true, force: true })));
});

const out = () => join(folder, 'log');
const args = (...more: string[]) => [
  'fetch',
  '--url',
  `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  '--token-file',
  join(folder, 'token'),
  '--out',
  out(),
  ...more,
];
const tiled = () => ['--key', join(out(), 'key'), '--checkpoint', join(out(), 'checkpoint'), '--tiles', out()];

async function serve(written: WrittenLog): Promise<void> {
  await rm(served, { recursive: true, force: true });
  await written.write(served);
  await written.writeEntry(served, 347);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url!, 'http://site');
  const path = url.pathname.replace('/v1/audit/', '');
  asked.push(path);
  if (interrupt(path, request, response)) return;
  if (path === 'proof/consistency') {
    const [from, to] = ['from', 'to'].map((name) => Number(url.searchParams.get(name)));
    const proof = (await consistencyProof(from!, to!, log.read)).map((hash) => hash.toString('hex'));
    return void response.end(JSON.stringify({ from, to, proof }));
  }
  const file = path
    .replace(/^health$/, 'health.json')
    .replace(/^export$/, 'export.jsonl')
    .replace(/^(entries\/\d+)\/disclosure$/, '$1.disclosure.json')
    .replace(/^(entries\/\d+)\/tlog-proof$/, '$1.tlog-proof')
    .replace(/^(entries\/\d+)$/, '$1.json');
  const bytes = await readFile(join(served, file)).catch(() => undefined);
  response.statusCode = bytes === undefined ? 404 : 200;
  response.end(bytes);
}

test('what is fetched verifies', async () => {
  const day = log.entries[347]!.day;
  const told = await cli(...args('--entries', '--day', day, '--entry', '347', '--export', 'board=events'));
  expect(told).toMatchObject({ code: 0, err: '' });
  const entry = join(out(), 'entries', '347');
  const checks = [
    ['verify', 'checkpoint', join(out(), 'checkpoint'), '--key', join(out(), 'key')],
    ['verify', 'day', join(out(), 'days', `${day}.jsonl`), ...tiled(), '--complete'],
    ['verify', 'range', join(out(), 'export.jsonl'), ...tiled()],
    ['verify', 'complete', ...tiled(), '--health', join(out(), 'health.json')],
    [
      'verify',
      'entry',
      `${entry}.json`,
      '--key',
      join(out(), 'key'),
      '--proof',
      `${entry}.tlog-proof`,
      '--disclosure',
      `${entry}.disclosure.json`,
    ],
  ];
  for (const check of checks) expect((await cli(...check)).err).toBe('');
});

test('a record that is not the log’s is never called verified', async () => {
  const bundle = (await readFile(join(served, 'tile/entries/001'))).fill('x', 40, 41);
  await save(join(served, 'tile/entries/001'), bundle);
  const told = await cli(...args('--entries'));
  expect(told.code).toBe(1);
  expect(told.err + told.out).toMatch(/the record of entry \d+ is not the one in the log/);
  expect(told.out).not.toContain('VERIFIED');
});

test('a broken fetch goes on where it was, and leaves no half file', async () => {
  interrupt = (path, _, response) => {
    if (path !== 'tile/0/001') return false;
    response.writeHead(200, { 'content-length': 8_192 });
    response.write(Buffer.alloc(100));
    setTimeout(() => response.destroy(), 20);
    return true;
  };
  const broken = await cli(...args('--tiles'));
  expect(broken).toMatchObject({ code: 2, err: expect.stringContaining('run it again') });
  expect(await readdir(join(out(), 'tile', '0'))).not.toContain('001');
  expect((await readdir(out(), { recursive: true })).filter((name) => name.endsWith('.part'))).toEqual([]);
  [interrupt, asked] = [() => false, []];
  expect((await cli(...args('--tiles'))).code).toBe(0);
  expect(asked).toContain('tile/0/001');
  expect(asked).not.toContain('tile/0/000');
}, 60_000);

test('a fetch that is killed leaves no half file to be taken for fetched', async () => {
  const { day } = log.entries[347]!;
  interrupt = (path, _, response) => {
    if (path !== `days/${day}.jsonl`) return false;
    response.writeHead(200).write(log.day(day).slice(0, 5_000));
    return true;
  };
  const bin = join(import.meta.dirname, '..', 'bin', 'boardwire-audit.mjs');
  const child = spawn(process.execPath, [bin, ...args('--day', day)], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await eventually(async () => expect(await readdir(join(out(), 'days'))).toHaveLength(1), { timeoutMs: 20_000 });
  child.kill('SIGKILL');
  await ended;
  expect(await readdir(join(out(), 'days'))).not.toContain(`${day}.jsonl`);
  interrupt = () => false;
  expect((await cli(...args('--day', day))).code).toBe(0);
  expect(await readFile(join(out(), 'days', `${day}.jsonl`), 'utf8')).toBe(log.day(day));
}, 60_000);

test('a site that is busy is asked again', async () => {
  let refusals = 2;
  interrupt = (path, _, response) => {
    if (path !== 'checkpoint' || refusals === 0) return false;
    refusals -= 1;
    response.writeHead(refusals === 1 ? 503 : 429, { 'retry-after': '0' }).end();
    return true;
  };
  expect((await cli(...args())).code).toBe(0);
  expect(asked.filter((path) => path === 'checkpoint')).toHaveLength(3);
});

test('a token that ended is read again from its file', async () => {
  interrupt = (_, request, response) => {
    if (request.headers.authorization === 'Bearer second') return false;
    void save(join(folder, 'token'), 'second\n').then(() => response.writeHead(401).end());
    return true;
  };
  expect((await cli(...args())).code).toBe(0);
});

test.each([
  [403, 'role auditor'],
  [302, 'answers 302'],
  [404, 'has no key'],
])('a site that answers %i is no proof of anything', async (status, words) => {
  interrupt = (_, __, response) => {
    response.writeHead(status, { location: '/elsewhere' }).end();
    return true;
  };
  expect(await cli(...args())).toMatchObject({ code: 2, err: expect.stringContaining(words) });
});

test('nobody there is no proof of anything', async () => {
  const there = args();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect((await cli(...there)).code).toBe(2);
}, 60_000);

test('an answer larger than it can be is refused while it comes', async () => {
  interrupt = (path, _, response) => {
    if (path !== 'tile/0/000') return false;
    response.end(Buffer.alloc(8_193));
    return true;
  };
  expect(await cli(...args('--tiles'))).toMatchObject({
    code: 1,
    err: expect.stringContaining('more than the 8192 bytes'),
  });
});

test('a log that went on is taken over; each checkpoint stays', async () => {
  await cli(...args());
  await serve(log.fill(900));
  const { verdict, steps } = await verdictOf(...args('--tiles'));
  expect(verdict).toBe('verified');
  expect(steps.map(({ shown }) => shown).join('\n')).toContain('is the beginning of that of 900');
  expect((await readdir(join(out(), 'checkpoints'))).toSorted()).toEqual(['700', '900']);
});

test('a log that was rewritten is refused, and the checkpoint that was kept stays', async () => {
  await cli(...args());
  const kept = await readFile(join(out(), 'checkpoint'), 'utf8');
  const other = log.rewritten(10, (entry) => forged(entry, { actor: 'somebody else' })).fill(701);
  log = other;
  await serve(other);
  const { verdict, evidence } = await verdictOf(...args());
  expect({ verdict, evidence }).toEqual({ verdict: 'refuted', evidence: [kept, other.note()] });
  expect(await readFile(join(out(), 'checkpoint'), 'utf8')).toBe(kept);
  expect(await readFile(join(out(), 'checkpoint.conflicting'), 'utf8')).toBe(other.note());
});

test('after a restore the former epoch is put aside, and is fetched by its name', async () => {
  await cli(...args('--tiles'));
  const former = log;
  const next = new WrittenLog(former.key, `${former.signer.name.slice(0, -2)}e2`, 131_072);
  next.epochEntry(former.note(), former.size);
  next.fill(300);
  await next.write(served);
  await save(join(served, 'key'), `${formatVerifier(next.signer)}\n${formatVerifier(former.signer)}\n`);
  const told = await cli(...args('--tiles'));
  expect(told).toMatchObject({ code: 0, err: '' });
  expect(await readFile(join(out(), 'checkpoint'), 'utf8')).toBe(next.note());
  const aside = join(out(), 'former', 'e1');
  expect(await readFile(join(aside, 'checkpoint'), 'utf8')).toBe(former.note());
  expect(await readdir(join(aside, 'tile', '0'))).toContain('001');
  interrupt = (_path, request, response) => {
    if (!request.url!.includes('checkpoint')) return false;
    response.end(request.url!.endsWith('?epoch=e1') ? former.note() : next.note());
    return true;
  };
  expect((await cli(...args('--epoch', 'e1').map((arg) => arg.replace(out(), aside)))).code).toBe(0);
});

test('a site that shows another key, or an older log, is refused', async () => {
  await cli(...args());
  await serve(new WrittenLog(log.key).copy(log.entries.slice(0, 500)));
  await save(join(served, 'entries', '347.json'), '{}');
  expect(await cli(...args())).toMatchObject({
    code: 1,
    err: expect.stringContaining('shorter than it was'),
  });
  await serve(new WrittenLog(generateSigningKey()).copy(log.entries));
  expect(await cli(...args())).toMatchObject({ code: 1, err: expect.stringContaining('another key') });
  expect((await stat(join(out(), 'key'))).isFile()).toBe(true);
});
