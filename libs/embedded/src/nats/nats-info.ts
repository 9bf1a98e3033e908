import { connect } from 'node:net';

/** What a NATS server says of itself to whoever connects, before any login. */
export interface NatsInfo {
  version: string;
  jetstream?: boolean;
  max_payload: number;
  tls_required?: boolean;
}

const answerTimeoutMs = 3_000;

/** Reads the INFO line of the NATS protocol; rejects when nothing answers in time. */
export async function askInfo(host: string, port: number): Promise<NatsInfo> {
  return parseInfo(await talk({ host, port, until: /\r\n/ }));
}

/**
 * Logs in with the token, or without one: undefined when the server takes it, else its own words. A server that wants
 * TLS first is not asked.
 */
export async function whyRefused(server: {
  host: string;
  port: number;
  token: string | undefined;
}): Promise<string | undefined> {
  const login = { verbose: false, pedantic: false, lang: 'boardwire', version: '0', protocol: 1 };
  const { tls_required: isTls } = await askInfo(server.host, server.port);
  if (isTls === true) return undefined;
  const text = await talk({
    ...server,
    say: `CONNECT ${JSON.stringify({ ...login, auth_token: server.token })}\r\nPING\r\n`,
    until: /\r\n(PONG|-ERR .*)\r\n/,
  });
  return /-ERR '?(.*?)'?\r\n/.exec(text)?.[1];
}

/** What the server sent up to the pattern. */
function talk({
  host,
  port,
  say,
  until,
}: {
  host: string;
  port: number;
  say?: string;
  until: RegExp;
}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let text = '';
    socket.setTimeout(answerTimeoutMs, () => socket.destroy(new Error('no answer')));
    if (say !== undefined) socket.write(say);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!until.test(text)) return;
      socket.destroy();
      resolve(text);
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('connection closed')));
  });
}

function parseInfo(text: string): NatsInfo {
  try {
    return JSON.parse(text.slice('INFO '.length, text.indexOf('\r\n'))) as NatsInfo;
  } catch (error) {
    throw new Error('it does not speak the NATS protocol', { cause: error });
  }
}
