import { describe, expect, test } from '@jest/globals';
import { ConfigError, readConfig } from '@boardwire/service-kit';
import { gatewayConfig } from '../src/config.ts';
import { pageBytesMax } from '../src/delivery/replay-source.ts';

const nowhere = 'http://127.0.0.1:9';
const read = (more: Record<string, string>) =>
  readConfig(gatewayConfig, {
    INTERNAL_SECRET: 's'.repeat(32),
    CHAT_URL: nowhere,
    AUDIT_URL: nowhere,
    FEDERATION_URL: nowhere,
    APPLETS_URL: nowhere,
    ...more,
  });

describe('OUTBOX_BYTES_MAX', () => {
  test('holds two pages of a replay at least', () => {
    expect(2 * pageBytesMax).toBe(524_288);
    expect(read({ OUTBOX_BYTES_MAX: '524288' }).OUTBOX_BYTES_MAX).toBe(524_288);
  });

  test('is refused when it is smaller, and the refusal says what to do', () => {
    expect(() => read({ OUTBOX_BYTES_MAX: '524287' })).toThrow(ConfigError);
    expect(() => read({ OUTBOX_BYTES_MAX: '524287' })).toThrow(
      'bad configuration: OUTBOX_BYTES_MAX: must hold two pages of a replay: 524288 bytes or more',
    );
  });
});
