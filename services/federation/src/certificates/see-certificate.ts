import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { hostOf } from '../dialing/peer-url.ts';

export interface SeenCertificate {
  expiresAtMs: number;
  /** Whether a site that dials here would go on: the chain, the name and the dates are right. */
  isTrusted: boolean;
  /** Why not. */
  reason: string | undefined;
}

export interface SeeingOptions {
  signal: AbortSignal;
  /** Certificate authorities in place of the platform's. */
  ca?: string | undefined;
}

const timeoutMs = 10_000;

/**
 * The certificate that whoever dials this address is shown, also when they would refuse it: one that has expired is
 * what is looked for. Nothing is said on the connection. Rejects when nobody shows one in time.
 */
export function seeCertificate(address: string, { signal, ca }: SeeingOptions): Promise<SeenCertificate> {
  const url = new URL(address);
  const host = hostOf(url);
  const socket = connect({
    host,
    port: Number(url.port) || 443,
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
  });
  const timer = setTimeout(() => socket.destroy(new Error('no certificate in time')), timeoutMs);
  const stop = () => socket.destroy(new Error('the service stops'));
  signal.addEventListener('abort', stop, { once: true });
  return new Promise<SeenCertificate>((resolve, reject) => {
    // Stays for the socket's life: a late error that nobody listens to would end the process.
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('closed without a certificate')));
    socket.once('secureConnect', () => {
      const expiresAtMs = Date.parse(socket.getPeerCertificate().valid_to ?? '');
      if (Number.isNaN(expiresAtMs)) return reject(new Error('no certificate'));
      const reason = socket.authorized ? undefined : String(socket.authorizationError);
      return resolve({ expiresAtMs, isTrusted: socket.authorized, reason });
    });
  }).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    socket.destroy();
  });
}
