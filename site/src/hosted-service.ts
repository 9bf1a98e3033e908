import type { ServiceKind } from './service-name.ts';

/** One running service of a site, in this process or in one of its own. */
export interface HostedService {
  /** `gateway`; a second one is `gateway-2`. */
  readonly name: string;
  readonly kind: ServiceKind;
  readonly internalUrl: string;
  /** Gateways only. */
  readonly publicUrl?: string;
  /** Undefined while it doesn't run. */
  readonly pid: number | undefined;
  /** Starts it, again after `stop` or `kill`, on the same ports; resolves when it is ready. */
  start(): Promise<void>;
  /** Drains and stops it. Safe to call twice. */
  stop(): Promise<void>;
  /** SIGKILL, and no restart by itself. A service in our own process can't be killed: rejects. */
  kill(): Promise<void>;
}

/** What it takes to start one. */
export interface ServiceSpec {
  name: string;
  kind: ServiceKind;
  internalUrl: string;
  publicUrl?: string;
  env: Readonly<Record<string, string | undefined>>;
}
