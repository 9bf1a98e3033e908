import { expect, test } from '@jest/globals';
import { generateSigningKey, importVerifyingKey, verifyAsync } from '@boardwire/signing';

test('off the event loop a signature holds and fails as it does on it', async () => {
  const key = generateSigningKey();
  const [message, other] = [Buffer.from('message'), Buffer.from('other')];
  const signature = key.sign(message);
  const verifying = importVerifyingKey(key.publicKey);
  expect(await verifyAsync(verifying, message, signature)).toBe(true);
  expect(await verifyAsync(verifying, other, signature)).toBe(false);
  expect(await verifyAsync(generateSigningKey(), message, signature)).toBe(false);
  expect(await verifyAsync(verifying, message, signature.subarray(1))).toBe(false);
  expect(await verifyAsync(verifying, message, Buffer.alloc(64))).toBe(false);
});
