import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFolder } from '../src/data-folder.ts';
import { parseLauncherArguments, settingsOf } from '../src/launcher-arguments.ts';
import { LogEcho, readable } from '../src/log-echo.ts';
import { choosePorts, internalBaseFor } from '../src/site-ports.ts';
import { statusText } from '../src/status-text.ts';

describe('the command line', () => {
  it('knows its options, and tells the rest', () => {
    expect(parseLauncherArguments(['--fresh', '--processes'])).toEqual({
      isFresh: true,
      mode: 'processes',
      isHelp: false,
      gateways: 1,
    });
    expect(() => parseLauncherArguments(['--frehs'])).toThrow(/Unknown option --frehs/);
  });

  it('names a second site and its port, and starts several gateways, each as a process', () => {
    expect(parseLauncherArguments(['--name', 'pi', '--port=8081', '--gateways', '2'])).toEqual({
      isFresh: false,
      mode: 'processes',
      isHelp: false,
      gateways: 2,
      name: 'pi',
      port: '8081',
    });
    expect(parseLauncherArguments(['--gateways', '1']).mode).toBe('one-process');
  });

  it.each([
    [['--name'], /--name needs a value/],
    [['--name', '--fresh'], /--name needs a value/],
    [['--name', '../pi'], /not a name/],
    [['--gateways', '0'], /from 1 to 8/],
    [['--gateways', '9'], /from 1 to 8/],
    [['--gateways', '2.5'], /from 1 to 8/],
  ])('refuses %j', (args, reason) => {
    expect(() => parseLauncherArguments(args)).toThrow(reason);
  });

  it('keeps each named site in a folder of its own, and knows it by its name', () => {
    const named = settingsOf({ name: 'pi', port: '8081' }, { PORT: '9000' });
    expect(named).toMatchObject({ PORT: '8081', SITE_NAME: 'pi' });
    expect(dataFolder(named, 'pi')).toBe(`${dataFolder({})}-pi`);
    expect(dataFolder({ BOARDWIRE_DATA: '/somewhere' }, 'pi')).toBe('/somewhere');
  });

  it('notices a flag that npm kept for itself', () => {
    const env = { npm_lifecycle_event: 'start', npm_config_fresh: 'true' };
    expect(() => parseLauncherArguments([], env)).toThrow('npm start -- --fresh');
    const site = { npm_lifecycle_event: 'site', npm_config_gateways: '2' };
    expect(() => parseLauncherArguments([], site)).toThrow('npm run site -- --gateways');
    expect(parseLauncherArguments([], { ...env, npm_lifecycle_event: 'test' }).isFresh).toBe(false);
  });
});

const one = { gateways: 1, ports: 'fixed' } as const;

describe('ports', () => {
  it('follow PORT, so that two sites on one machine do not meet', () => {
    expect(internalBaseFor(8_080)).toBe(9_100);
    expect(internalBaseFor(8_081)).toBe(9_200);
  });

  it.each([80, 3_033, 23_033, 64_033, 65_535])('exist beside any PORT, also %s', (port) => {
    const base = internalBaseFor(port);
    expect(base).toBeGreaterThanOrEqual(1_024);
    expect(base).toBeLessThan(65_400);
    expect(Math.abs(base - port)).toBeGreaterThan(100);
  });

  it('that are none are refused by their name', async () => {
    await expect(choosePorts({ PORT: '80a' }, one)).rejects.toThrow(/PORT=80a/);
    await expect(choosePorts({ INTERNAL_PORT_BASE: '65535', PORT: '28138' }, one)).rejects.toThrow(/INTERNAL/);
  });
});

describe('a public address', () => {
  it('that no program can take is refused with the reason', async () => {
    const env = { PORT: '28138', INTERNAL_PORT_BASE: '28140' };
    const wrong = choosePorts({ ...env, PUBLIC_HOST: '192.0.2.1' }, one);
    await expect(wrong).rejects.toThrow(/PUBLIC_HOST=192\.0\.2\.1 is not an address of this machine/);
  });
});

describe('what the terminal shows of the logs', () => {
  it('is the same only once in a while, whatever its numbers', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'boardwire-echo-'));
    const shown: string[] = [];
    const echo = new LogEcho(folder, (line) => shown.push(line));
    await echo.start();
    const line = (seconds: string, msg: string) =>
      `${JSON.stringify({ time: `2026-01-02T03:04:${seconds}Z`, level: 'error', service: 'chat', msg })}\n`;
    const lines = [line('05', 'gone, 1 waits'), line('06', 'gone, 12 wait'), line('07', 'gone, 13 wait')];
    await writeFile(join(folder, 'site.log'), lines.join(''));
    await echo.stop();
    expect(shown).toEqual(['03:04:05 error chat gone, 1 waits', '03:04:06 error chat gone, 12 wait']);
    await rm(folder, { recursive: true });
  });

  it('are warnings and errors, in a form for readers', () => {
    const line = { time: '2026-01-02T03:04:05.678Z', service: 'chat', event: 'relay.failed', err: { message: 'gone' } };
    expect(readable(JSON.stringify({ ...line, level: 'error' }))).toBe('03:04:05 error chat relay.failed gone');
    expect(readable(JSON.stringify({ ...line, level: 'info' }))).toBeUndefined();
  });

  it('includes what is no log line at all: the last words of a crash', () => {
    expect(readable('Segmentation fault')).toBe('site: Segmentation fault');
  });
});

describe('the status of a site', () => {
  const service = { name: 'chat', kind: 'chat', internalUrl: 'http://127.0.0.1:9102', pid: 7 };
  const record = {
    pid: 1,
    mode: 'processes' as const,
    startedAt: 'T',
    publicUrl: 'http://localhost:8080',
    services: [service],
  };

  it('tells per loop and board what is alive, and names what is not', () => {
    const loop = {
      name: 'relay',
      alive: false,
      startedAt: null,
      lastBeatAt: '1970-01-01T00:00:01.000Z',
      restarts: 3,
      lastError: 'boom',
    };
    const status = {
      service: 'chat',
      status: 'unavailable',
      reasons: ['loop relay'],
      loops: [loop],
      boards: [{ board: 'events', head: 10, relayed: 8 }],
      queues: { append: 2 },
    };
    const text = statusText(record, [{ service, status }], 3_000);
    expect(text).toMatch(/chat {2}pid 7.*unavailable: loop relay/);
    expect(text).toMatch(/relay +NO +2\.0 s ago +3 +boom/);
    expect(text).toMatch(/events +10 +8 +- +-/);
    expect(text).toMatch(/append +2/);
  });

  it('says why a service gave no answer', () => {
    expect(statusText(record, [{ service, status: 'does not answer' }])).toContain('does not answer');
  });
});
