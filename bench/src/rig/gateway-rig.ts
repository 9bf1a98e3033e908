import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkoutFolder, freePort, provideNats, ServerProcess, type NatsServer } from '@boardwire/embedded';
import { connectBus } from '@boardwire/messaging';
import { pin, pinned, type Cores } from './cores.ts';
import { StandInChat } from './stand-in-chat.ts';

export interface GatewayRigOptions {
  folder: string;
  boards: readonly string[];
  cores: Cores | undefined;
  /** Events that the stand-in keeps of each board, for holes and replays. */
  keptMax?: number;
  /** Further flags of Node, such as `--cpu-prof`. */
  nodeFlags?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

const readyMs = 30_000;
const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The gateway as it is shipped, alone on its core; a real nats-server and a stand-in for chat on the others. */
export class GatewayRig {
  readonly #options: GatewayRigOptions;
  readonly #secret = randomBytes(32).toString('hex');
  #nats: NatsServer | undefined;
  #chat: StandInChat | undefined;
  #gateway: ServerProcess | undefined;
  #internalUrl = '';
  port = 0;

  private constructor(options: GatewayRigOptions) {
    this.#options = options;
  }

  static async start(options: GatewayRigOptions): Promise<GatewayRig> {
    const rig = new GatewayRig(options);
    try {
      await rig.#startBus();
      await rig.startGateway();
      return rig;
    } catch (error) {
      await rig.stop();
      throw error;
    }
  }

  get chat(): StandInChat {
    if (this.#chat === undefined) throw new Error('the rig has not started');
    return this.#chat;
  }

  get pid(): number {
    return this.#gateway?.pid ?? 0;
  }

  /** Sum of a counter or gauge over those of its labels that match. */
  async metric(name: string, labels = ''): Promise<number> {
    const response = await fetch(`${this.#internalUrl}/metrics`);
    const lines = (await response.text()).split('\n');
    return lines
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => line.includes(labels))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** A fresh gateway: nothing is cached, its rings are empty. */
  async startGateway(): Promise<void> {
    await this.#gateway?.stop();
    const { folder, cores, env } = this.#options;
    const [port, internalPort] = await Promise.all([freePort(), freePort()]);
    this.port = port;
    this.#internalUrl = `http://127.0.0.1:${internalPort}`;
    const entry = join(checkoutFolder, 'services/gateway/dist/main.js');
    const { nodeFlags = [] } = this.#options;
    const [command, args] = pinned(cores?.server, process.execPath, [...nodeFlags, entry]);
    this.#gateway = await ServerProcess.start({
      command,
      args,
      cwd: folder,
      env: { ...this.#environment(port, internalPort), ...env },
      logFile: join(folder, 'logs', 'gateway.log'),
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 5_000,
    });
    await this.#ready();
  }

  /** Freezes the gateway: what is published meanwhile waits in JetStream. */
  async pause(): Promise<void> {
    await this.#gateway?.pause();
  }

  async resume(): Promise<void> {
    await this.#gateway?.resume();
  }

  async stop(): Promise<void> {
    await this.#gateway?.stop();
    await this.#chat?.stop();
    await this.#nats?.stop();
  }

  async #startBus(): Promise<void> {
    const { folder, boards, cores, keptMax } = this.#options;
    this.#nats = await provideNats({ dataDir: folder, env: { ...process.env, NATS_URL: undefined } });
    pin(cores?.load, this.#nats.pid);
    const { url, token } = this.#nats;
    this.#chat = await StandInChat.start(await connectBus({ url, token, name: 'bench', logger }), boards, keptMax);
  }

  /** Nothing of the user's settings: every run measures the same configuration. */
  #environment(port: number, internalPort: number): NodeJS.ProcessEnv {
    const { url: chatUrl } = this.chat;
    return {
      PATH: process.env['PATH'],
      LOG_LEVEL: 'warn',
      PORT: String(port),
      PUBLIC_HOST: '127.0.0.1',
      INTERNAL_PORT: String(internalPort),
      INTERNAL_SECRET: this.#secret,
      NATS_URL: this.#nats!.url,
      NATS_TOKEN: this.#nats!.token,
      CHAT_URL: chatUrl,
      AUDIT_URL: chatUrl,
      FEDERATION_URL: chatUrl,
      APPLETS_URL: chatUrl,
      DRAIN_MS: '0',
    };
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + readyMs;
    while (performance.now() < deadline) {
      if (this.#gateway?.isRunning !== true) break;
      // oxlint-disable-next-line no-await-in-loop -- until it answers
      const isReady = await fetch(`${this.#internalUrl}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isReady) return;
      // oxlint-disable-next-line no-await-in-loop
      await sleep(25);
    }
    throw new Error(`the gateway did not get ready; its log is ${join(this.#options.folder, 'logs', 'gateway.log')}`);
  }
}
