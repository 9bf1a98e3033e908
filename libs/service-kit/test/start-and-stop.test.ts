import { spawn } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { Writable } from 'node:stream';
import { z } from 'zod';
import {
  AppError,
  ConfigError,
  ServiceTokens,
  appErrorFrom,
  commonConfig,
  createContext,
  createLogger,
  readConfig,
  runningService,
  startService,
  withCorrelation,
} from '../src/index.ts';

const secret = 's'.repeat(32);

describe('configuration', () => {
  const schema = commonConfig.extend({ PORT: z.coerce.number().int(), ADMIN_PASSWORD: z.string().min(8) });

  test('every bad key is listed, and no value is repeated', () => {
    const read = () => readConfig(schema, { PORT: 'eighty', ADMIN_PASSWORD: 'hunter2', INTERNAL_SECRET: '' });
    expect(read).toThrow(ConfigError);
    try {
      read();
    } catch (error) {
      const { badKeys, message } = error as ConfigError;
      expect(badKeys.map(({ key }) => key).toSorted()).toEqual(['ADMIN_PASSWORD', 'INTERNAL_SECRET', 'PORT']);
      expect(message).not.toContain('hunter2');
    }
  });

  test('absent and empty keys take their defaults', () => {
    const config = readConfig(commonConfig, { INTERNAL_SECRET: secret, LOG_LEVEL: '', DRAIN_MS: '' });
    expect(config).toMatchObject({ LOG_LEVEL: 'info', NODE_ENV: 'development', HOST: '127.0.0.1', INTERNAL_PORT: 0 });
  });

  test('production refuses every secret that is marked as one for development', () => {
    const env = { INTERNAL_SECRET: `development-only-${secret}`, NATS_TOKEN: 'development-only', NATS_URL: 'nats://n' };
    expect(readConfig(commonConfig, env).NATS_TOKEN).toBe('development-only');
    const read = () => readConfig(commonConfig, { ...env, NODE_ENV: 'production' });
    expect(read).toThrow(/INTERNAL_SECRET: .*NATS_TOKEN: /);
    expect(read).not.toThrow(/NATS_URL/);
  });
});

describe('a log line', () => {
  const lines = (write: (logger: ReturnType<typeof createLogger>) => void) => {
    let text = '';
    const destination = new Writable({ write: (chunk, _encoding, done) => ((text += String(chunk)), done()) });
    write(createLogger({ service: 'chat', level: 'info', destination }));
    return text;
  };

  test('carries service, level and correlation id', () => {
    const text = lines((logger) => withCorrelation('abc', () => logger.info({ event: 'x' })));
    expect(JSON.parse(text)).toMatchObject({ service: 'chat', level: 'info', correlation: 'abc', event: 'x' });
  });

  test('never holds what is named like a secret', () => {
    const text = lines((logger) => {
      logger.info({
        authorization: 'Bearer hush',
        headers: { authorization: 'hush', cookie: 'hush', 'set-cookie': 'hush' },
      });
      logger.info({
        request: { headers: { authorization: 'hush' }, body: { password: 'hush', refreshToken: 'hush' } },
      });
      logger.info({ config: { INTERNAL_SECRET: 'hush', DATABASE_URL: 'postgres://a:hush@b/c' } });
    });
    expect(text).not.toContain('hush');
  });
});

describe('service tokens', () => {
  test('tell the caller to the right callee only', async () => {
    const token = await new ServiceTokens('gateway', secret).issue('chat');
    const chat = new ServiceTokens('chat', secret);
    expect(await chat.verify(token, 'chat')).toEqual({ caller: 'gateway' });
    await expect(chat.verify(token, 'audit')).rejects.toMatchObject({ code: 'token_invalid' });
    await expect(new ServiceTokens('chat', 'z'.repeat(32)).verify(token, 'chat')).rejects.toMatchObject({
      code: 'token_invalid',
    });
  });

  test('are signed once in a while, not once a request', async () => {
    const tokens = new ServiceTokens('gateway', secret);
    const [first, second] = await Promise.all([tokens.issue('chat'), tokens.issue('chat')]);
    expect(await tokens.issue('chat')).toBe(second);
    expect(first.split('.')).toHaveLength(3);
  });
});

test('what nobody expected is no AppError', () => {
  expect(appErrorFrom(new TypeError('x is undefined'))).toBeUndefined();
  expect(appErrorFrom('text')).toBeUndefined();
  expect(appErrorFrom(Object.assign(new Error('upstream'), { statusCode: 500 }))).toBeUndefined();
  expect(appErrorFrom(new AppError('conflict'))).toMatchObject({ status: 409 });
});

describe('stop', () => {
  const context = () =>
    createContext('chat', readConfig(commonConfig, { INTERNAL_SECRET: secret, LOG_LEVEL: 'silent' }));

  test('runs its steps once, in order, past one that fails', async () => {
    const ran: string[] = [];
    const service = runningService(context(), { internalUrl: 'http://x' }, [
      { name: 'http', run: () => void ran.push('http') },
      { name: 'bus', run: () => Promise.reject(new Error('stuck')) },
      { name: 'database', run: async () => void ran.push('database') },
    ]);
    await Promise.all([service.stop(), service.stop()]);
    expect(ran).toEqual(['http', 'database']);
  });

  test('comes last opened first, also when the start failed halfway', async () => {
    const closed: string[] = [];
    const open = (fails: boolean) =>
      startService(context(), async (onStop) => {
        onStop('database', () => void closed.push('database'));
        onStop('bus', () => void closed.push('bus'));
        if (fails) throw new Error('port taken');
        return { internalUrl: 'http://x' };
      });
    await expect(open(true)).rejects.toThrow('port taken');
    expect(closed.splice(0)).toEqual(['bus', 'database']);
    await (await open(false)).stop();
    expect(closed).toEqual(['bus', 'database']);
  });

  test('turns readiness off before anything closes', async () => {
    const shared = context();
    shared.health.ready();
    let atFirstStep = '';
    const run = () => {
      atFirstStep = shared.health.report().status;
    };
    await runningService(shared, { internalUrl: 'http://x' }, [{ name: 'http', run }]).stop();
    expect(atFirstStep).toBe('draining');
  });
});

describe('a process', () => {
  const run = (script: string, signal?: NodeJS.Signals) =>
    new Promise<{ code: number | null; output: string }>((resolve) => {
      const child = spawn(
        process.execPath,
        ['--input-type=module', '-e', `import * as kit from '@boardwire/service-kit';${script}`],
        {
          cwd: import.meta.dirname,
          env: { PATH: process.env['PATH'] },
        },
      );
      let output = '';
      const take = (chunk: Buffer) => {
        output += chunk.toString();
        if (signal !== undefined && output.includes('running')) child.kill(signal);
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.on('close', (code) => resolve({ code, output }));
    });
  const booted = `async () => { setInterval(() => {}, 1000); setTimeout(() => console.log('running'), 10);
    return { name: 'x', internalUrl: '', stop: async () => console.log('drained') }; }`;

  test.each(['SIGTERM', 'SIGINT'] as const)('that gets %s drains and exits with 0', async (signal) => {
    const { code, output } = await run(`await kit.runMain(${booted})`, signal);
    expect(output).toContain('drained');
    expect(code).toBe(0);
  });

  test('with a bad configuration lists every bad key and exits with 1', async () => {
    const { code, output } = await run(
      `await kit.runMain(async (env) => kit.readConfig(kit.commonConfig, { ...env, DRAIN_MS: 'x' }))`,
    );
    expect(output).toMatch(/INTERNAL_SECRET: [^]*DRAIN_MS: /);
    expect(code).toBe(1);
  });

  test('with an unhandled rejection logs it and exits with 1', async () => {
    const { code, output } = await run(`await kit.runMain(${booted}); void Promise.reject(new Error('lost'))`);
    expect(output).toMatch(/process.unhandled_rejection[^]*lost/);
    expect(code).toBe(1);
  });
});
