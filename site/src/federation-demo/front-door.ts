import { carry, LocalListener } from './local-listener.ts';

/** An address that stands before its site is started: a site document names it, so it must be known by then. */
export class FrontDoor {
  #listener: LocalListener | undefined;
  #target: number | undefined;

  static async open(): Promise<FrontDoor> {
    const door = new FrontDoor();
    door.#listener = await LocalListener.open((socket) => {
      if (door.#target === undefined) socket.destroy();
      else carry(socket, door.#target);
    });
    return door;
  }

  get port(): number {
    return this.#listener!.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  leadTo(url: string): void {
    this.#target = Number(new URL(url).port);
  }

  close(): void {
    this.#listener?.close();
  }
}
