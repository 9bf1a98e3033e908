import {
  federationPaths,
  fingerprintOf,
  handshakeAnswerSchema,
  type HandshakeAnswer,
  type Invitation,
} from '@boardwire/contracts';
import { Broken, NotApplicable } from './rule.ts';
import type { ForeignSite } from './sites/foreign-site.ts';
import { Member } from './sites/member.ts';
import { roles, type Role } from './sites/roles.ts';
import type { Target } from './target.ts';
import { FedClient, type Seen } from './wire/fed-client.ts';

/** A site of the kit and the invitation that it has; without one it stays outside. */
export interface Guest {
  site: ForeignSite;
  invitation?: Invitation;
}

export interface KitOptions {
  target: Target;
  guests: ReadonlyMap<Role, Guest>;
  /** For so long an operator may take to confirm a fingerprint. */
  confirmMs: number;
  tell: (text: string) => void;
}

const askAgainMs = 2_000;

/** What rules work with: the kit's sites, let in one by one as they are needed. */
export class Kit {
  readonly seen: Seen = { unproven: [], codes: new Set() };
  readonly target: Target;
  readonly #options: KitOptions;
  readonly #members = new Map<Role, Promise<Member>>();
  readonly #once = new Map<string, Promise<unknown>>();

  constructor(options: KitOptions) {
    this.#options = options;
    this.target = options.target;
  }

  /** @throws NotApplicable without an invitation for it */
  guest(role: Role): Required<Guest> & { client: FedClient } {
    const { site, invitation } = this.#options.guests.get(role) ?? {};
    if (site === undefined || invitation === undefined) throw new NotApplicable(`no invitation for the site “${role}”`);
    return { site, invitation, client: this.client(site) };
  }

  client(site: ForeignSite): FedClient {
    return new FedClient(this.target, site, this.seen);
  }

  /** A member with its feed open. @throws NotApplicable, Broken */
  member(role: Role): Promise<Member> {
    const known = this.#members.get(role) ?? this.#admitted(role);
    this.#members.set(role, known);
    return known;
  }

  /** What several rules look at, done once. */
  once<T>(name: string, work: () => Promise<T>): Promise<T> {
    const known = (this.#once.get(name) as Promise<T> | undefined) ?? work();
    this.#once.set(name, known);
    return known;
  }

  async shake(role: Role): Promise<HandshakeAnswer> {
    const { site, invitation, client } = this.guest(role);
    const request = { room: invitation.room, secret: invitation.secret, document: site.document() };
    return (await client.post(federationPaths.handshake, request)).as(handshakeAnswerSchema);
  }

  async #admitted(role: Role): Promise<Member> {
    const { site, invitation, client } = this.guest(role);
    await this.#letIn(role, site);
    const member = new Member(site, client, invitation);
    const mayWrite = (roles[role].scopes as readonly string[]).includes('write');
    if (mayWrite) await member.outcomes([], { members: [site.bundle()] });
    return member;
  }

  async #letIn(role: Role, { id }: ForeignSite): Promise<void> {
    const { confirmMs, tell } = this.#options;
    const deadline = Date.now() + confirmMs;
    for (let isTold = false; ; isTold = true) {
      // oxlint-disable-next-line no-await-in-loop -- until the operator has confirmed it
      const { state } = await this.shake(role);
      if (state === 'admitted') return;
      if (Date.now() > deadline)
        throw new Broken(`“${role}” was not let in; its operator has to confirm ${fingerprintOf(id)}`);
      if (!isTold) tell(`waiting for the operator to confirm “${role}”: ${fingerprintOf(id)}`);
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, askAgainMs));
    }
  }
}
