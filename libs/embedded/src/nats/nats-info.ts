import { connect } from 'node:net';

/** What a NATS server says of itself to whoever connects, before any login. */
export interface NatsInfo {
  version: string;
  jetstream?: boolean;
  max_payload: number;
}

/** Reads the INFO line of the NATS protocol; rejects when nothing answers in time. */
export function askInfo(host: string, port: number, timeoutMs = 3_000): Promise<NatsInfo> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let text = '';
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n');
      if (end < 0) return;
      socket.destroy();
      try {
        resolve(JSON.parse(text.slice('INFO '.length, end)) as NatsInfo);
      } catch (error) {
        reject(new Error('it does not speak the NATS protocol', { cause: error }));
      }
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('connection closed')));
  });
}
