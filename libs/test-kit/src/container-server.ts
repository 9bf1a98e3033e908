import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, isAlive, type ControlledServer } from '@boardwire/embedded';
import type { StartedTestContainer } from 'testcontainers';

const startTimeoutMs = 60_000;
const label = 'boardwire-test-pid';

export interface ContainerOptions {
  image: string;
  /** The port inside the container. */
  port: number;
  command: string[];
  environment: Record<string, string>;
  /** Resolves true once the server answers at the port on this machine. */
  answers(port: number): Promise<boolean>;
}

/** A server in a container: killed, it keeps its data, and it comes back on the same port. */
export class ContainerServer implements ControlledServer {
  readonly kind = 'container';
  readonly pid = undefined;
  readonly description: string;

  private constructor(
    readonly port: number,
    private readonly options: ContainerOptions,
    private readonly container: StartedTestContainer,
    private readonly engine: EngineContainer,
  ) {
    this.description = `${options.image} (container)`;
  }

  static async run(options: ContainerOptions): Promise<ContainerServer> {
    // Its cleaning container would have to be pulled; leftovers of killed runs are removed below.
    process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
    const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers');
    const client = await getContainerRuntimeClient();
    await removeAbandoned(client.container.dockerode);
    const port = await freePort();
    const container = await new GenericContainer(options.image)
      .withExposedPorts({ container: options.port, host: port })
      .withCommand(options.command)
      .withEnvironment(options.environment)
      .withLabels({ [label]: String(process.pid) })
      // Whether it answers is asked from outside: the usual strategy needs a shell and tools in the image.
      .withWaitStrategy(Wait.forAll([]))
      .withStartupTimeout(startTimeoutMs)
      .start();
    const server = new ContainerServer(port, options, container, client.container.getById(container.getId()));
    await server.untilItAnswers();
    return server;
  }

  async start(): Promise<void> {
    await this.engine.start().catch(ignoreUnchanged);
    await this.untilItAnswers();
  }

  async stop(): Promise<void> {
    await this.engine.stop({ t: 3 }).catch(ignoreUnchanged);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async kill(): Promise<void> {
    await this.engine.kill();
    await this.engine.wait({ condition: 'not-running' });
  }

  async pause(): Promise<void> {
    await this.engine.pause();
  }

  async resume(): Promise<void> {
    await this.engine.unpause();
  }

  /** Stops it for good, with its data. */
  async remove(): Promise<void> {
    await this.container.stop({ remove: true, removeVolumes: true, timeout: 1 });
  }

  private async untilItAnswers(): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    while (!(await this.options.answers(this.port))) {
      if (performance.now() > deadline) throw new Error(`${this.description} did not answer`);
      await sleep(50);
    }
  }
}

interface EngineContainer {
  start(): Promise<unknown>;
  stop(options: { t: number }): Promise<unknown>;
  kill(): Promise<unknown>;
  wait(options: { condition: 'not-running' }): Promise<unknown>;
  pause(): Promise<unknown>;
  unpause(): Promise<unknown>;
}

interface Engine {
  listContainers(options: { all: true; filters: string }): Promise<{ Id: string; Labels: Record<string, string> }[]>;
  getContainer(id: string): { remove(options: { force: true; v: true }): Promise<unknown> };
}

/** A killed run can't clean up after itself: the next one does. */
async function removeAbandoned(engine: Engine): Promise<void> {
  const found = await engine.listContainers({ all: true, filters: JSON.stringify({ label: [label] }) });
  for (const { Id, Labels } of found) {
    if (await isAlive(Number(Labels[label]))) continue;
    await engine
      .getContainer(Id)
      .remove({ force: true, v: true })
      .catch(() => undefined);
  }
}

/** 304: it was so already. */
function ignoreUnchanged(error: { statusCode?: number }): void {
  if (error.statusCode !== 304) throw error;
}
