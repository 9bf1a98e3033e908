import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commands } from '../src/operator/commands/commands.ts';
import { runOperator } from '../src/operator/run-operator.ts';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'boardwire-operator-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const { signal } = new AbortController();

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const told = { code: 0, out: '', err: '' };
  told.code = await runOperator(args, {
    env,
    output: { out: (text) => (told.out += text), err: (text) => (told.err += text), isTerminal: false },
    signal,
  });
  return told;
}

const secret = 'a secret of at least thirty-two characters';

describe('the operator’s command', () => {
  test.each(commands.map((command) => [command.name, command] as const))(
    '%s explains itself',
    async (name, command) => {
      const { code, out } = await run([name, '--help']);
      expect(code).toBe(0);
      expect(out).toContain(command.explains);
      for (const option of [...Object.keys(command.options), 'json', 'data']) expect(out).toContain(`--${option}`);
      for (const example of command.examples) expect(example).toMatch(new RegExp(`^boardwire ${name}`));
      expect(command.examples.length).toBeGreaterThan(0);
    },
  );

  test('names every command when it is given none, and ends with 2', async () => {
    const none = await run([]);
    expect(none.code).toBe(2);
    for (const { name } of commands) expect(none.err).toContain(`  ${name} `);
    expect(await run(['mend'])).toMatchObject({ code: 2, err: expect.stringContaining('no command “mend”') });
    expect(await run(['--help'])).toMatchObject({ code: 0, err: '' });
  });

  test('ends with 2 on an option it does not know, one that is missing, and a site that is not there', async () => {
    const wrong = await run(['resync', '--bord', 'events', '--env']);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("'--bord'") });
    expect(wrong.err).toContain('--board');
    expect(await run(['resync', '--env'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--board is needed'),
    });
    const nowhere = await run(['rebuild-stream', '--data', join(folder, 'nowhere')]);
    expect(nowhere).toMatchObject({ code: 2, err: expect.stringContaining('No site was ever started on') });
    expect(await run(['check-config', '--env', '--service', 'mail'])).toMatchObject({ code: 2 });
  });

  test('check-config tells every mistake of every service at once, and no value', async () => {
    const file = join(folder, 'site.env');
    await writeFile(file, `INTERNAL_SECRET=too-short\nPORT=eighty\nDATABASE_URL=mysql://nobody:hidden@nowhere/x\n`);
    const { code, out } = await run(['check-config', '--env-file', file, '--json']);
    expect(code).toBe(1);
    const { findings } = JSON.parse(out) as { findings: { check: string; verdict: string; says: string }[] };
    const bad = (check: string) =>
      findings
        .filter((finding) => finding.check === check && finding.verdict === 'finding')
        .map(({ says }) => says.split(':')[0])
        .toSorted();
    expect(bad('gateway')).toEqual(
      ['APPLETS_URL', 'AUDIT_URL', 'CHAT_URL', 'FEDERATION_URL', 'INTERNAL_SECRET', 'PORT'].toSorted(),
    );
    expect(bad('chat')).toEqual(['DATABASE_URL', 'FEDERATION_URL', 'INTERNAL_SECRET']);
    expect(bad('applets')).toEqual(['CHAT_URL', 'INTERNAL_SECRET']);
    for (const value of ['too-short', 'eighty', 'hidden']) expect(out).not.toContain(value);
  });

  test('check-config is content with settings that a service starts with, and the shell goes over the file', async () => {
    const file = join(folder, 'good.env');
    await writeFile(file, `INTERNAL_SECRET=short\nCHAT_URL=http://chat:9100\n`);
    const args = ['check-config', '--env-file', file, '--service', 'applets'];
    expect(await run(args)).toMatchObject({ code: 1 });
    expect(await run(args, { INTERNAL_SECRET: secret })).toEqual({
      code: 0,
      out: '  ✔ applets: its settings can be used\n',
      err: '',
    });
  });

  test('says what kept it from its work, and ends with 1', async () => {
    const env = {
      INTERNAL_SECRET: secret,
      DATABASE_URL: 'postgres://nobody:hidden@127.0.0.1:9/none',
      FEDERATION_URL: 'http://127.0.0.1:9',
    };
    const { code, out } = await run(['rebuild-stream', '--env'], env);
    expect(code).toBe(1);
    expect(out).toContain('✘ rebuild-stream: ');
    expect(out).toContain('ECONNREFUSED');
    expect(out).not.toContain('hidden');
  });

  test('rotate-keys makes no key that it was not told to, and says of which it can’t', async () => {
    const env = {
      INTERNAL_SECRET: secret,
      DATABASE_URL: 'postgres://nobody:hidden@127.0.0.1:9/none',
      CHAT_URL: 'http://127.0.0.1:9',
    };
    const refusal = async (...args: string[]) => {
      const { code, err } = await run(['rotate-keys', '--env', ...args], env);
      return [code, err.split('\n')[0]];
    };
    expect(await refusal()).toEqual([2, '--use is needed: hop, event, token']);
    expect(await refusal('--use', 'door')).toEqual([2, '--use door: no such key. One of hop, event, token']);
    for (const use of ['root', 'checkpoint']) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await refusal('--use', 'hop', '--use', use)).toEqual([2, expect.stringMatching(/ can’t be /)]);
    }
    for (const seconds of ['soon', '-1', '604801']) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await refusal('--use', 'hop', `--sign-after=${seconds}`))[0]).toBe(2);
    }
    const away = await run(['rotate-keys', '--use', 'hop', '--env'], env);
    expect(away).toMatchObject({ code: 1, out: expect.stringContaining('ECONNREFUSED') });
    expect(away.out).not.toContain('hidden');
  });
});
